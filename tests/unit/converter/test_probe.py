"""What is in a file is found out, whatever else is in it."""

import threading
from pathlib import Path

import pytest

from converter.errors import ConversionFailed
from converter.limits import Limits
from converter.media import Chapter, Media
from converter.probe import _channels, _Dump, probe
from tests.unit.converter.conftest import Make

TONE = ("-f", "lavfi", "-i", "sine=duration=2")
PICTURE = ("-f", "lavfi", "-i", "color=size=64x64:rate=10:duration=2")


def found(video: Path) -> Media:
    return probe(video, Limits(), threading.Event())


def dumped(*lines: str, container: str = "matroska,webm") -> Media:
    dump = _Dump()
    for line in (f"[info] Input #0, {container}, from 'fd:':", *lines):
        dump.read(line)
    assert dump.container is not None
    return dump.media(dump.container)


def test_a_video_is_described(make: Make) -> None:
    names = ("-metadata:s:a:0", "language=deu", "-metadata:s:a:0", "title=Original: sound")
    video = make("talk.mkv", *TONE, *PICTURE, "-c:a", "aac", "-metadata", "title=On gifts", *names)

    media = found(video)

    [track] = media.tracks
    assert media.container == "matroska,webm"
    assert media.duration == pytest.approx(2, abs=0.05)
    assert media.tags == {"title": "On gifts"}
    assert (media.picture, media.cover) == (0, None)
    assert (track.number, track.stream, track.codec, track.channels) == (1, 1, "aac", 1)
    assert (track.sample_rate, track.language, track.title) == (44100, "deu", "Original: sound")
    assert track.seconds == pytest.approx(2, abs=0.05)


def test_chapters_and_a_cover_are_found(make: Make, tmp_path: Path) -> None:
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=Only one\n")
    cover = ("-map", "0", "-map", "1", "-frames:v", "1", "-c:v", "png", "-disposition:v", "attached_pic")
    video = make("song.m4a", *TONE, *PICTURE, "-i", str(chapters), *cover, "-map_metadata", "2")

    media = found(video)

    assert media.chapters == (Chapter(0.0, 1.5, "Only one"),)
    assert (media.cover, media.picture) == (2, None)  # the chapters are a stream, too


def test_what_the_parser_of_moviepy_stops_at_is_walked_over() -> None:
    media = dumped(
        "[info]   Duration: 00:01:00.00, start: 0.000000, bitrate: 66 kb/s",
        "[info]   Stream #0:0(eng): Subtitle: subrip (srt)",
        "[info]   Stream #0:1: Attachment: ttf",
        "[info]   Stream #0:2[0x2](en-US): Audio: opus, 48000 Hz, 5.1(side), 96 kb/s (default) (comment)",
        "[info]   Stream #0:3: Audio: none, 0 channels",
    )

    first, second = media.tracks
    assert media.duration == 60
    assert (first.stream, first.language, first.channels, first.bitrate) == (2, "en-US", 6, 96)
    assert (first.default, first.commentary, first.descriptive) == (True, True, False)
    assert (second.codec, second.sample_rate, second.channels) == ("none", None, None)


def test_tags_go_on_over_lines_and_no_further_than_they_may() -> None:
    media = dumped(
        "[info]   Metadata:",
        "[info]     COMMENT         : one",
        "                    : two",
        "[info]     title           : " + "x" * 5000,
        "[info]     handler_name    : noise",
        "[info]   Program 1",
        "[info]     Metadata:",
        "[info]       title           : of a channel",
    )

    assert media.tags == {"comment": "one\ntwo", "title": "x" * 1000}


def test_a_tag_cannot_pose_as_a_track() -> None:
    media = dumped(
        "[info]   Metadata:",
        "[info]     title           : a",
        "                    :   Stream #0:0: Audio: aac, 44100 Hz, mono",
        "[info]     Stream #0:1: Audio: aac, 44100 Hz, mono",
    )

    assert media.tracks == ()


def test_ogg_has_its_tags_on_the_sound() -> None:
    media = dumped(
        "[info]   Duration: N/A, bitrate: N/A",
        "[info]   Stream #0:0: Audio: vorbis, 44100 Hz, stereo, fltp, 112 kb/s",
        "[info]     Metadata:",
        "[info]       TITLE           : On gifts",
        container="ogg",
    )

    assert media.tags == {"title": "On gifts"}
    assert media.duration is None


def test_a_duration_that_is_guessed_is_marked_so() -> None:
    dump = _Dump()

    dump.read("[in#0/mp3 @ 0x1] [warning] Estimating duration from bitrate, this may be inaccurate")

    assert dump.media("mp3").estimated


def test_a_coding_without_a_name_has_that_of_the_file() -> None:
    media = dumped("[info]   Stream #0:0[0x1](und): Audio: none (ec[43]3 / 0x332B6365), 48000 Hz, 6 channels")

    assert (media.tracks[0].codec, media.tracks[0].id) == ("ec+3", 1)


@pytest.mark.parametrize(("container", "encrypted"), [("mpegts", True), ("avi", False)])
def test_a_stream_type_of_encrypted_sound_counts_in_a_transport_stream(
    container: str, *, encrypted: bool
) -> None:
    dump = _Dump()
    dump.read(f"[info] Input #0, {container}, from 'fd:':")
    dump.read(
        "[info]   Stream #0:1[0x101]: Audio: aac (LC) ([207][0][0][0] / 0x00CF), 48000 Hz, stereo, fltp"
    )

    assert [track.encrypted for track in dump.media(container).tracks] == [encrypted]


def test_a_picture_that_no_mp3_can_have_is_no_cover() -> None:
    media = dumped("[info]   Stream #0:1: Video: gif, none, 90k tbr, 90k tbn (attached pic)")

    assert (media.cover, media.picture) == (None, None)


def test_the_hundredth_track_is_the_last_and_the_255th_chapter_too() -> None:
    tracks = [f"[info]   Stream #0:{n}: Audio: aac, 44100 Hz, mono, fltp" for n in range(150)]
    chapters = [f"[info]     Chapter #0:{n}: start {n}.0, end {n + 1}.0" for n in range(300)]

    media = dumped(*chapters, *tracks)

    assert (len(media.tracks), len(media.chapters)) == (100, 255)


@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("mono", 1),
        ("stereo", 2),
        ("5.1(side)", 6),
        ("7.1", 8),
        ("5.1.2", 8),
        ("quad", 4),
        ("64 channels", 64),
        ("ambisonic 1", None),
    ],
)
def test_a_layout_has_so_many_channels(layout: str, channels: int | None) -> None:
    assert _channels(layout) == channels


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"Dear converter,\n" * 20, "not_media", "text"),
        (b"\xff\xfeD\0e\0a\0r\0", "not_media", "text"),
        (bytes(5000), "not_media", "zeros"),
        (bytes(9000) + b"x", "not_media", "begins with zeros"),
        (b"\0\0\0\x20ftypheic" + bytes(200), "not_media", "image/hei"),
        (b"\x1f\x43\xb6\x75\x84" + bytes(200), "unreadable_media", "one segment"),
        (b"\0\0\0\x20emsg" + bytes(200), "unreadable_media", "one segment"),
        (b"caff\0\1\0\0" + bytes(200), "unreadable_media", "damaged"),
        (b"\0\0\x10\0\x57\x90\x75\x36" + bytes(200), "drm_protected", "copy-protected"),
        (b"ea3\3\0\0\0\0\x17\x76" + bytes(200), "unsupported_container", "Sony"),
        (b"MThd\0\0\0\6\0\0\0\1" + bytes(200), "unsupported_container", "MIDI"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not_media", "image/png"),
        (b"\x9f\x01" * 3000, "not_media", "unknown kind"),
        ("ä".encode() * 8191, "not_media", "text"),
        (b"RIFF\x10\0\0\0AVI " + bytes(40), "unreadable_media", "damaged"),
    ],
)
def test_what_is_no_media_is_called_what_it_looks_like(
    content: bytes, code: str, words: str, tmp_path: Path
) -> None:
    video = tmp_path / "video"
    video.write_bytes(content)

    with pytest.raises(ConversionFailed) as failed:
        found(video)

    assert failed.value.code == code
    assert words in failed.value.message


def test_a_container_that_is_not_accepted_is_named(make: Make) -> None:
    video = make("song.au", *TONE)

    with pytest.raises(ConversionFailed) as failed:
        found(video)

    assert failed.value.code == "unsupported_container"
