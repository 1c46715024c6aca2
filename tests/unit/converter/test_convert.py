"""From a video to the MP3 that a listener wants."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from converter import parts
from converter.conversion import Conversion
from converter.convert import convert
from converter.errors import Cancelled, ConversionFailed
from converter.limits import Limits
from pipeline.options import Options
from tests.corpus.boxes import wav
from tests.corpus.player import played
from tests.unit.converter.conftest import Convert, Make

CLIP = Path("tests/media/big_buck_bunny_5s.mp4")
TONE = ("-f", "lavfi", "-i", "sine=sample_rate=44100:duration=4")
STEREO = ("-f", "lavfi", "-i", "aevalsrc=0.3*sin(880*t)+0.1*random(0)|0.3*sin(660*t)+0.1*random(1):d=4")
PICTURE = ("-f", "lavfi", "-i", "color=size=64x64:rate=10:duration=8")


def codes(done: Conversion) -> list[str]:
    return [warned.code for warned in done.warnings]


def test_the_real_clip_becomes_a_stereo_mp3_of_its_length(converted: Convert, mp3: Path) -> None:
    done = converted(CLIP)

    info: Any = MP3(mp3).info
    assert done.duration == pytest.approx(5.312, abs=0.1)
    assert info.length == pytest.approx(5.312, abs=0.1)
    assert (done.complete, done.warnings, done.reencoded, done.quality) == (True, (), True, "V2")
    assert (info.channels, info.sample_rate) == (done.channels, done.sample_rate) == (2, 48000)
    assert done.loudness is not None
    assert done.loudness.integrated == pytest.approx(-34, abs=1)


def test_the_result_can_be_stored(converted: Convert) -> None:
    document = converted(CLIP).as_document()

    assert document["warnings"] == []
    assert set(document["loudness"]) == {"integrated", "range", "peak"}


def test_progress_only_grows_and_never_says_that_all_is_done(mp3: Path) -> None:
    told: list[tuple[str, float]] = []

    convert(
        CLIP,
        mp3,
        Options(loudness=-16.0),
        limits=Limits(),
        stop=threading.Event(),
        on_media=lambda _: None,
        on_progress=lambda phase, fraction: told.append((phase, fraction)),
    )

    fractions = [fraction for _, fraction in told]
    assert told[0] == ("probing", 0.0)
    assert fractions == sorted(fractions)
    assert 0.9 < fractions[-1] < 1


def test_what_the_probe_found_is_told_before_the_work(mp3: Path) -> None:
    told: list[dict[str, Any]] = []

    convert(
        CLIP,
        mp3,
        Options(),
        limits=Limits(),
        stop=threading.Event(),
        on_media=lambda media: told.append({**media, "mp3": mp3.exists()}),
        on_progress=lambda _phase, _fraction: None,
    )

    [media] = told
    assert (media["duration"], media["mp3"]) == (pytest.approx(5.31), False)
    assert [track["layout"] for track in media["tracks"]] == ["5.1"]


def test_tags_chapters_cover_and_language_are_kept_and_noise_is_not(
    make: Make, converted: Convert, mp3: Path, tmp_path: Path
) -> None:
    metadata = tmp_path / "metadata.txt"
    metadata.write_text(
        ";FFMETADATA1\ntitle=On gifts\nartist=Mauss\nalbum=Talks\ndate=2024\ncomment=one\\\ntwo\nmaker=x\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Giving\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=4000\ntitle=Returning\n"
    )
    picture = make("cover.png", *PICTURE, "-frames:v", "1")
    cover = ("-map", "0", "-map", "2", "-c:v", "copy", "-disposition:v", "attached_pic")
    language = ("-metadata:s:a:0", "language=fra")
    video = make(
        "talk.m4a", *TONE, "-i", str(metadata), "-i", str(picture), "-map_metadata", "1", *cover, *language
    )

    done = converted(video)

    tags: Any = ID3(mp3)
    assert tags.version == (2, 3, 0)
    assert {name: str(tags[name]) for name in ("TIT2", "TPE1", "TALB", "TDRC", "TLAN")} == {
        "TIT2": "On gifts",
        "TPE1": "Mauss",
        "TALB": "Talks",
        "TDRC": "2024",
        "TLAN": "fra",
    }
    assert str(tags.getall("COMM")[0]) == "one\ntwo"
    assert [(chapter.start_time, str(chapter.sub_frames["TIT2"])) for chapter in tags.getall("CHAP")] == [
        (0, "Giving"),
        (1000, "Returning"),
    ]
    assert tags.getall("CTOC")[0].child_element_ids == ["ch0", "ch1"]
    assert (tags.getall("APIC")[0].mime, tags.getall("APIC")[0].data) == ("image/png", picture.read_bytes())
    assert done.cover is not None
    assert mp3.read_bytes()[done.cover.place :][: done.cover.size] == picture.read_bytes()
    assert done.cover.type == "image/png"
    assert {frame.desc for frame in tags.getall("TXXX")} == {
        "REPLAYGAIN_TRACK_GAIN",
        "REPLAYGAIN_TRACK_PEAK",
    }
    assert tags.getall("TSSE") == []
    assert (done.chapters, done.language) == (2, "fra")


def test_replaygain_says_how_far_the_mp3_is_from_its_reference(converted: Convert, mp3: Path) -> None:
    done = converted(CLIP)

    tags: Any = ID3(mp3)
    assert done.loudness is not None
    assert str(tags["TXXX:REPLAYGAIN_TRACK_GAIN"]) == f"{-18 - done.loudness.integrated:.2f} dB"
    assert float(str(tags["TXXX:REPLAYGAIN_TRACK_PEAK"])) == pytest.approx(
        10 ** (done.loudness.peak / 20), abs=1e-6
    )


def test_the_tags_of_an_ogg_are_kept(make: Make, converted: Convert, mp3: Path) -> None:
    converted(make("song.ogg", *TONE, "-c:a", "libvorbis", "-metadata", "title=On gifts"))

    assert str(ID3(mp3)["TIT2"]) == "On gifts"


def test_tags_can_be_left_out(make: Make, converted: Convert, mp3: Path) -> None:
    video = make("talk.m4a", *TONE, "-metadata", "title=On gifts", "-metadata:s:a:0", "language=fra")

    converted(video, tags="strip")

    tags: Any = ID3(mp3)
    assert {frame.FrameID for frame in tags.values()} == {"TXXX"}


def test_a_title_can_be_given(make: Make, converted: Convert, mp3: Path) -> None:
    converted(make("talk.m4a", *TONE, "-metadata", "title=On gifts"), title="Über Gaben")

    assert [str(frame) for frame in ID3(mp3).getall("TIT2")] == ["Über Gaben"]


@pytest.mark.parametrize("name", ["talk.mkv", "talk.ts"])
def test_a_part_is_the_part_that_was_asked_for(name: str, make: Make, converted: Convert, mp3: Path) -> None:
    video = make(name, "-f", "lavfi", "-i", "aevalsrc=0.5*sin(880*t)*gt(t\\,13):d=20", "-c:a", "mp2")

    done = converted(video, start="12", end="15")

    heard = make("heard.wav", "-i", str(mp3), "-t", "0.8").read_bytes()[4096:]
    sounding = make("sounding.wav", "-ss", "1.2", "-i", str(mp3)).read_bytes()[4096:]
    assert done.duration == pytest.approx(3, abs=0.03)
    assert done.complete
    assert max(heard[1::2]) in (0, 255)  # the high bytes of silence are 0 and, just below it, 255
    assert len(set(sounding[1::2])) > 50


def test_chapters_lie_at_their_times_in_a_part(
    make: Make, converted: Convert, mp3: Path, tmp_path: Path
) -> None:
    metadata = tmp_path / "metadata.txt"
    metadata.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=4000\ntitle=Two\n"
    )

    converted(make("talk.mkv", *TONE, "-i", str(metadata), "-map_metadata", "1"), start="1", end="3")

    tags: Any = ID3(mp3)
    assert [(chapter.start_time, chapter.end_time) for chapter in tags.getall("CHAP")] == [
        (0, 1000),
        (1000, 2000),
    ]


@pytest.mark.parametrize("name", ["talk.mkv", "talk.wav"])
def test_the_loudness_is_that_of_the_part(name: str, make: Make, converted: Convert) -> None:
    louder_first = "aevalsrc=sin(880*t)*if(lt(t\\,14)\\,0.9\\,0.05):d=20"
    video = make(name, "-f", "lavfi", "-i", louder_first, "-c:a", "pcm_s16le")

    as_it_is = converted(video, start="14", end="19").loudness
    louder = converted(video, start="14", end="19", loudness="ebu")

    assert as_it_is is not None
    assert as_it_is.integrated == pytest.approx(-32, abs=2)
    assert louder.loudness is not None
    assert louder.loudness.integrated == pytest.approx(-23, abs=0.5)
    assert louder.gain == pytest.approx(-23 - as_it_is.integrated, abs=0.3)


def test_a_part_behind_the_end_is_empty(make: Make, converted: Convert) -> None:
    with pytest.raises(ConversionFailed) as failed:
        converted(make("talk.mkv", *TONE), start="9")

    assert failed.value.code == "empty_audio"
    assert "after 9 s" in failed.value.message


def test_an_mp3_is_copied(make: Make, converted: Convert, mp3: Path) -> None:
    source = make("song.mp3", *STEREO, "-b:a", "128k")

    done = converted(source)

    assert (done.reencoded, done.quality, done.duration) == (False, "copy", pytest.approx(4, abs=0.06))
    frames: Any = MP3(mp3).info
    assert frames.bitrate == pytest.approx(128_000, rel=0.05)
    assert "TXXX:REPLAYGAIN_TRACK_GAIN" in ID3(mp3)


def test_a_damaged_mp3_is_not_copied(make: Make, converted: Convert) -> None:
    content = bytearray(make("song.mp3", *STEREO, "-b:a", "128k").read_bytes())
    content[30_000:31_000] = b"\xff\xfb" * 500
    damaged = make("damaged.mp3", *TONE)
    damaged.write_bytes(content)

    done = converted(damaged)

    assert done.reencoded


def test_shape_and_quality_are_as_asked(converted: Convert, mp3: Path) -> None:
    done = converted(CLIP, quality="128", channels="mono", sample_rate="32000")

    info: Any = MP3(mp3).info
    assert (info.channels, info.sample_rate) == (1, 32000)
    assert info.bitrate == pytest.approx(128_000, rel=0.02)
    assert (done.quality, done.bitrate) == ("128", pytest.approx(128, abs=1))


def test_the_bitrate_is_no_higher_than_the_sources(make: Make, converted: Convert) -> None:
    video = make("talk.mka", *STEREO, "-c:a", "libopus", "-b:a", "100k")

    done = converted(video)

    assert done.bitrate <= 100
    assert codes(done) == []


def test_a_higher_bitrate_that_was_asked_for_is_made_and_said(make: Make, converted: Convert) -> None:
    done = converted(make("talk.m4a", *STEREO, "-b:a", "64k"), quality="320")

    assert done.bitrate == pytest.approx(320, rel=0.01)
    assert codes(done) == ["higher_bitrate"]


def test_a_bitrate_that_a_sample_rate_does_not_have_is_said(make: Make, converted: Convert) -> None:
    done = converted(make("talk.wav", *STEREO), quality="320", sample_rate="22050")

    assert done.bitrate == pytest.approx(160, rel=0.01)
    assert codes(done) == ["bitrate_lowered"]


def test_a_loudness_is_reached_under_the_peak(make: Make, converted: Convert) -> None:
    done = converted(make("talk.wav", *STEREO, "-af", "volume=-20dB"), loudness="music")

    assert done.loudness is not None
    assert done.loudness.integrated == pytest.approx(-14, abs=0.5)
    assert done.loudness.peak <= -1
    assert done.gain is not None
    assert done.gain > 5


def test_silence_has_no_loudness_to_reach(make: Make, converted: Convert, mp3: Path) -> None:
    done = converted(make("talk.wav", "-f", "lavfi", "-i", "anullsrc=d=2"), loudness="ebu")

    assert (done.gain, codes(done)) == (0, ["loudness_missed", "silent"])
    assert "TXXX:REPLAYGAIN_TRACK_GAIN" not in ID3(mp3)


def test_a_sound_that_ends_before_the_video_is_whole(make: Make, converted: Convert) -> None:
    done = converted(make("talk.mp4", *TONE, *PICTURE))

    assert (done.complete, codes(done)) == (True, ["sound_ends_early"])
    assert "4.0 s, the video after 8.0 s" in done.warnings[0].message


def test_a_sound_that_pauses_is_silent_there(make: Make, converted: Convert) -> None:
    pause = ("-af", "asetpts='if(gt(T,2),PTS+3/TB,PTS)'")

    done = converted(make("talk.mkv", *TONE, *pause, "-c:a", "pcm_s16le"))

    assert (done.complete, codes(done)) == (True, ["silence_filled"])
    assert done.duration == pytest.approx(7, abs=0.1)


def cut(video: Path, part: float) -> Path:
    content = video.read_bytes()
    video.write_bytes(content[: int(len(content) * part)])
    return video


@pytest.mark.parametrize("name", ["talk.wav", "talk.mkv", "talk.mp3", "talk.wma", "talk.aiff", "talk.w64"])
def test_a_file_that_was_cut_says_so_with_both_numbers(name: str, make: Make, converted: Convert) -> None:
    done = converted(cut(make(name, *TONE), 0.5))

    assert (done.complete, codes(done)[0]) == (False, "input_truncated")
    assert " of audio of 4." in done.warnings[0].message


def test_a_recording_without_a_length_that_was_cut_says_so(make: Make, converted: Convert) -> None:
    live = make("talk.mkv", *TONE, "-c:a", "pcm_s16le", "-live", "1")

    done = converted(cut(live, 0.5))

    assert (done.complete, codes(done)) == (False, ["input_truncated"])
    assert "the end is missing" in done.warnings[0].message


def test_with_strict_a_file_that_was_cut_fails_and_leaves_nothing(
    make: Make, converted: Convert, mp3: Path
) -> None:
    with pytest.raises(ConversionFailed) as failed:
        converted(cut(make("talk.wav", *TONE), 0.5), strict="yes")

    assert failed.value.code == "input_truncated"
    assert "2.0 s of 4.0 s" in failed.value.message
    assert not mp3.exists()


def test_a_sound_beyond_the_limit_is_refused_by_its_promise(make: Make, converted: Convert) -> None:
    with pytest.raises(ConversionFailed) as failed:
        converted(make("talk.wav", *TONE), Limits(seconds=3))

    assert failed.value.code == "too_long"


def test_a_sound_beyond_the_limit_is_refused_as_it_goes(make: Make, converted: Convert) -> None:
    live = make("talk.mkv", *TONE, "-live", "1")

    with pytest.raises(ConversionFailed) as failed:
        converted(live, Limits(seconds=3))

    assert failed.value.code == "too_long"


def test_an_mp3_beyond_the_limit_is_refused(make: Make, converted: Convert, mp3: Path) -> None:
    with pytest.raises(ConversionFailed) as failed:
        converted(make("talk.wav", *STEREO), Limits(mp3_bytes=10_000))

    assert failed.value.code == "too_large"
    assert not mp3.exists()


def test_an_empty_file_is_called_so(tmp_path: Path, converted: Convert) -> None:
    video = tmp_path / "video"
    video.touch()

    with pytest.raises(ConversionFailed) as failed:
        converted(video)

    assert failed.value.code == "empty_file"
    assert failed.value.as_document() == {
        "code": "empty_file",
        "message": "The file is empty.",
        "hint": "Check the file and send it again.",
        "retryable": False,
        "log": [],
    }


def test_a_codec_that_is_not_accepted_is_named(make: Make, converted: Convert) -> None:
    with pytest.raises(ConversionFailed) as failed:
        converted(make("song.mka", *TONE, "-c:a", "tta"))

    assert failed.value.code == "unsupported_codec"
    assert "tta" in failed.value.message


def test_nothing_is_left_when_the_work_is_cancelled(mp3: Path) -> None:
    stop = threading.Event()

    with pytest.raises(Cancelled):
        convert(
            CLIP,
            mp3,
            Options(),
            limits=Limits(),
            stop=stop,
            on_media=lambda _: stop.set(),
            on_progress=lambda _phase, _fraction: None,
        )

    assert list(mp3.parent.iterdir()) == []


def test_the_shortest_sound_is_not_empty(make: Make, converted: Convert) -> None:
    done = converted(make("click.wav", "-f", "lavfi", "-i", "sine=duration=0.02"))

    assert done.duration == pytest.approx(0.02, abs=0.001)


TWO_EARS = ("-f", "lavfi", "-i", "aevalsrc='0.3*sin(2*PI*500*t)|0.3*sin(2*PI*1700*t)':d=2")
LEFT, RIGHT = 500, 1700


def loud(mp3: Path, hertz: int, channel: int, make: Make) -> bool:
    """Say whether a channel of an MP3 has a tone, by what is left of it in a narrow band."""
    band = f"pan=mono|c0=c{channel},bandpass=f={hertz}:width_type=h:w=100"
    raw = make("band.s16", "-i", str(mp3), "-af", band, "-f", "s16le").read_bytes()
    return max(int.from_bytes(raw[at : at + 2], "little", signed=True) for at in range(8000, 48000, 2)) > 2000


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_side_can_be_taken_alone(side: str, make: Make, converted: Convert, mp3: Path) -> None:
    done = converted(make("talk.wav", *TWO_EARS), channels=side)

    assert done.channels == 1
    assert [loud(mp3, tone, 0, make) for tone in (LEFT, RIGHT)] == [side == "left", side == "right"]


def test_two_mono_tracks_become_left_and_right(make: Make, converted: Convert, mp3: Path) -> None:
    tracks = [part for hertz in (LEFT, 900, RIGHT) for part in ("-f", "lavfi", "-i", f"sine={hertz}:d=2")]
    video = make("cam.mkv", *tracks, "-map", "0", "-map", "1", "-map", "2", "-af", "volume=3", "-c:a", "aac")

    done = converted(video, track="1+3")

    assert (done.channels, done.complete, done.track) == (2, True, 1)
    assert [loud(mp3, LEFT, ear, make) for ear in (0, 1)] == [True, False]
    assert [loud(mp3, RIGHT, ear, make) for ear in (0, 1)] == [False, True]


@pytest.mark.parametrize(
    ("sound", "asked", "code"),
    [
        ("0.3*sin(880*t)|0", {}, "one_side_silent"),
        ("0|0", {}, "silent"),
        ("0.3*sin(880*t)|-0.3*sin(880*t)", {"channels": "mono"}, "cancels_out"),
        ("4*sin(880*t)|4*sin(880*t)", {}, "clips"),
    ],
)
def test_what_is_wrong_with_the_channels_is_said(
    sound: str, asked: dict[str, str], code: str, make: Make, converted: Convert
) -> None:
    video = make("talk.wav", "-f", "lavfi", "-i", f"aevalsrc='{sound}':d=3", "-c:a", "pcm_f32le")

    assert code in codes(converted(video, **asked))


def test_of_sound_from_all_around_the_channel_is_taken_that_hears_all(make: Make, converted: Convert) -> None:
    sound = ("-f", "lavfi", "-i", "aevalsrc='0.3*sin(880*t)|0|0|0':d=2:c=ambisonic 1")

    done = converted(make("around.mkv", *sound, "-c:a", "libopus", "-mapping_family", "2"))

    assert (done.channels, done.complete) == (1, True)


@pytest.fixture
def mono_then_stereo(make: Make) -> Path:
    plain = ("-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0")
    mono, stereo = (make(f"{n}.mp3", *TONE, "-ac", str(n), *plain).read_bytes() for n in (1, 2))
    video = make("joined.mp3", *TONE)
    video.write_bytes(mono + stereo)
    return video


def test_an_mp3_of_mono_and_then_stereo_is_encoded_anew(mono_then_stereo: Path, converted: Convert) -> None:
    done = converted(mono_then_stereo)

    assert done.reencoded
    assert done.duration == pytest.approx(8, abs=0.1)


def test_sound_without_times_gets_no_pauses_where_its_sample_rate_changes(
    make: Make, converted: Convert
) -> None:
    low, high = (make(f"{rate}.aac", *TONE, "-ar", str(rate)).read_bytes() for rate in (24000, 48000))
    video = make("radio.aac", *TONE)
    video.write_bytes(low + high)

    assert converted(video).duration == pytest.approx(8, abs=0.2)


@pytest.mark.parametrize("name", ["song.ac3", "song.eac3", "song.wav"])
@pytest.mark.parametrize("size", [100, 600_000])
def test_sound_is_found_behind_a_tag_that_is_not_usual_there(
    name: str, size: int, make: Make, converted: Convert
) -> None:
    video = make(name, *TONE)
    length = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    video.write_bytes(b"ID3\3\0\0" + length + bytes(size) + video.read_bytes())

    done = converted(video)

    assert (done.complete, done.warnings) == (True, ())
    assert done.duration == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("channels", [9, 32])
def test_channels_without_a_place_are_all_heard(
    channels: int, tmp_path: Path, converted: Convert, mp3: Path
) -> None:
    samples = np.zeros((16000, channels), "<i2")
    samples[:, -1] = 8000 * np.sin(np.arange(16000))
    video = tmp_path / "recorder.wav"
    video.write_bytes(wav(samples.tobytes(), channels=channels))

    assert (converted(video).complete, converted(video).channels) == (True, 2)
    assert np.abs(played(mp3)[0]).max() > 0.5 * 8000 / 32768 / channels


def test_a_sound_that_changes_is_brought_to_a_loudness(mono_then_stereo: Path, converted: Convert) -> None:
    done = converted(mono_then_stereo, loudness="-16")

    assert done.loudness is not None
    assert done.loudness.integrated == pytest.approx(-16, abs=0.5)


@pytest.fixture
def radio(make: Make) -> Path:
    """Return two songs of 4 seconds one after the other, the first in mono at 32 kHz, and softer."""
    mono, stereo = ("-ac", "1", "-ar", "32000", "-af", "volume=-20dB"), ("-ac", "2", "-ar", "48000")
    songs = [
        make(f"{number}.ogg", *TONE, *shape, "-c:a", "libvorbis", "-serial_offset", str(number))
        for number, shape in enumerate((mono, stereo))
    ]
    video = songs[0].with_name("radio.ogg")
    video.write_bytes(b"".join(song.read_bytes() for song in songs))
    return video


def test_chained_songs_of_two_kinds_become_one_mp3(radio: Path, converted: Convert) -> None:
    done = converted(radio)

    assert (done.complete, done.channels, done.sample_rate) == (True, 2, 48000)
    assert done.duration == pytest.approx(8, abs=0.05)


def test_the_loudness_of_chained_songs_is_that_of_all(radio: Path, converted: Convert) -> None:
    done = converted(radio, loudness="ebu")

    assert done.loudness is not None
    assert (done.complete, done.loudness.integrated) == (True, pytest.approx(-23, abs=0.5))


@pytest.mark.parametrize(("broken", "code"), [(1, "damaged"), (100, "input_truncated")])
def test_late_sound_in_an_mp4_is_only_partial_if_much_of_it_is_broken(
    broken: int, code: str, make: Make, converted: Convert
) -> None:
    late = (*PICTURE, "-itsoffset", "3", *TONE, "-map", "0", "-map", "1", "-t", "7")
    whole = make("late.mp4", *late, "-c:v", "mpeg4", "-c:a", "aac")
    noise = f"noise=amount=if(between(n\\,40\\,{39 + broken})\\,1\\,0)"
    video = make("broken.mp4", "-i", str(whole), "-map", "0", "-c", "copy", "-bsf:a", noise)

    done = converted(video)

    assert (done.complete, codes(done)[-1]) == (code == "damaged", code)
    assert done.duration == pytest.approx(7, abs=0.1)


def test_a_pause_in_a_recording_is_no_loss_though_a_packet_is_broken(make: Make, converted: Convert) -> None:
    whole = make("whole.mka", *TONE, "-c:a", "aac")
    drop = "noise=drop=between(pts*tb\\,1\\,3)"
    paused = make("paused.mka", "-i", str(whole), "-c", "copy", "-bsf:a", drop)
    noise = "noise=amount=if(eq(n\\,10)\\,1\\,0)"
    video = make("broken.mka", "-i", str(paused), "-c", "copy", "-bsf:a", noise)

    done = converted(video)

    assert (done.complete, codes(done)) == (True, ["silence_filled", "damaged"])
    assert done.duration == pytest.approx(4, abs=0.1)


def test_a_part_of_chained_songs_and_one_channel_can_be_asked_for(radio: Path, converted: Convert) -> None:
    done = converted(radio, start="3", end="6", channels="right")

    assert (done.complete, done.channels) == (True, 1)
    assert done.duration == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("kept", [0.5, 0.8])
def test_a_chain_of_which_a_song_is_cut_is_not_called_whole(
    kept: float, radio: Path, converted: Convert
) -> None:
    one, two = (radio.with_name(f"{number}.ogg").read_bytes() for number in (0, 1))
    radio.write_bytes(two[: int(len(two) * kept)] + one)

    done = converted(radio)

    assert (done.complete, codes(done)[0]) == (False, "input_truncated")
    assert done.duration > 4


def test_a_chain_of_which_a_song_is_no_sound_is_not_called_whole(radio: Path, converted: Convert) -> None:
    one, two = (radio.with_name(f"{number}.ogg").read_bytes() for number in (0, 1))
    radio.write_bytes(one + two.replace(b"vorbis", b"sibrov"))

    done = converted(radio)

    assert (done.complete, codes(done)[0]) == (False, "input_truncated")


BOOK = """;FFMETADATA1
title=A book
artist=Somebody
[CHAPTER]
TIMEBASE=1/1000
START=0
END=7350
title=Intro
[CHAPTER]
TIMEBASE=1/1000
START=7350
END=11111
title=Middle
[CHAPTER]
TIMEBASE=1/1000
START=11111
END=20000
"""


@pytest.fixture
def book(make: Make, tmp_path: Path) -> Path:
    """Return noise of 20 seconds in three chapters."""
    described = tmp_path / "book.txt"
    described.write_text(BOOK)
    noise = ("-f", "lavfi", "-i", "aevalsrc=0.2*random(0)|0.2*random(1):d=20:s=44100")
    return make("book.m4a", *noise, "-i", str(described), "-map_metadata", "1", "-c:a", "aac")


def samples(mp3: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return played(mp3)[0]


def of_parts(mp3: Path, done: Conversion) -> list[Path]:
    return [parts.file_of(mp3, part.number) for part in done.parts]


def test_each_chapter_becomes_an_mp3_and_all_in_a_row_are_the_whole(
    book: Path, converted: Convert, mp3: Path
) -> None:
    done = converted(book, split="chapters", quality="320")

    whole, divided = samples(mp3), [samples(file) for file in of_parts(mp3, done)]
    row = np.concatenate(divided)
    assert [part.name for part in done.parts] == ["01 - Intro.mp3", "02 - Middle.mp3", "03.mp3"]
    assert [len(part) for part in divided[:2]] == [round(7.35 * 44100), round(3.761 * 44100)]
    assert len(row) == len(whole)
    assert [part.duration for part in done.parts] == [
        pytest.approx(len(part) / 44100, abs=0.001) for part in divided
    ]
    # At 320 kbit/s two encodings of the same noise differ by little; of other noise, by all of it.
    assert np.std(row - whole) < 0.1 * np.std(whole)


def test_a_part_is_tagged_as_a_track_of_an_album(book: Path, converted: Convert, mp3: Path) -> None:
    done = converted(book, split="chapters")

    found = [ID3(file) for file in of_parts(mp3, done)]
    texts = [[str(tag[name]) for name in ("TIT2", "TALB", "TRCK", "TPE1")] for tag in found]
    assert texts == [
        ["Intro", "A book", "1/3", "Somebody"],
        ["Middle", "A book", "2/3", "Somebody"],
        ["A book 3", "A book", "3/3", "Somebody"],
    ]
    assert not any(tag.getall("CHAP") for tag in found)
    assert len(ID3(mp3).getall("CHAP")) == 3


def test_parts_without_the_videos_tags_are_numbered(book: Path, converted: Convert, mp3: Path) -> None:
    done = converted(book, split="chapters", tags="strip")

    names = {name[:4] for name in ID3(of_parts(mp3, done)[0])}
    assert names == {"TRCK", "TXXX"}
    assert done.parts[0].name == "01 - Intro.mp3"


def test_a_part_of_a_video_is_split_by_the_chapters_in_it(book: Path, converted: Convert) -> None:
    done = converted(book, split="chapters", start="5", end="12")

    assert [part.start for part in done.parts] == [0, pytest.approx(2.35, abs=0.01)]
    assert sum(part.duration for part in done.parts) == pytest.approx(done.duration, abs=0.002)


def test_a_copied_mp3_is_split_too(book: Path, converted: Convert, make: Make, mp3: Path) -> None:
    done = converted(make("book.mp3", "-i", str(book), "-b:a", "128k"), split="chapters")

    divided = [samples(file) for file in of_parts(mp3, done)]
    assert not done.reencoded
    assert (len(divided), sum(map(len, divided))) == (3, len(samples(mp3)))


def test_chained_songs_are_split_at_the_silence_between_them(make: Make, converted: Convert) -> None:
    sound = "aevalsrc=0.3*sin(880*t)*lt(t\\,12):d=14:s={}"
    songs = [
        make(f"{rate}.ogg", "-f", "lavfi", "-i", sound.format(rate), "-c:a", "libvorbis")
        for rate in (44100, 48000)
    ]
    video = songs[0].with_name("radio.ogg")
    video.write_bytes(b"".join(song.read_bytes() for song in songs))

    done = converted(video, split="silence", loudness="podcast")

    assert [part.start for part in done.parts] == [0, pytest.approx(13, abs=0.2)]
    assert sum(part.duration for part in done.parts) == pytest.approx(done.duration, abs=0.002)


def test_what_cannot_be_split_is_said(make: Make, converted: Convert) -> None:
    video = make("talk.wav", *TONE)

    found = [converted(video, split=how) for how in ("chapters", "silence")]

    assert [(codes(done), done.parts) for done in found] == [(["not_split"], ())] * 2


def test_nothing_is_left_of_parts_when_the_work_ends_early(book: Path, mp3: Path) -> None:
    stop = threading.Event()

    def at_work(_phase: str, fraction: float) -> None:
        if fraction > 0.8:
            stop.set()

    with pytest.raises(Cancelled):
        convert(
            book,
            mp3,
            Options(split="chapters"),
            limits=Limits(),
            stop=stop,
            on_media=lambda _: None,
            on_progress=at_work,
        )

    assert not [file for file in mp3.parent.iterdir() if file.name.startswith(mp3.name)]
