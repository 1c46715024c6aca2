"""How long a file says it is, where ffmpeg would believe what is left of it."""

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from converter import declared
from converter.media import Media
from tests.unit.converter.conftest import Make
from tests.unit.converter.test_tracks import PLAIN

TONE = ("-f", "lavfi", "-i", "sine=sample_rate=44100:duration=4")
TRACK = replace(PLAIN, sample_rate=44100)


def media(container: str, duration: float | None) -> Media:
    return Media(container=container, duration=duration, tracks=(TRACK,))


def written(folder: Path, content: bytes) -> Path:
    video = folder / "video"
    video.write_bytes(content)
    return video


@pytest.mark.parametrize(
    ("head", "promised"),
    [
        (b"RIFF" + struct.pack("<I", 1992), 20.0),
        (b"RIFF" + struct.pack("<I", 992), None),
        (b"RIFF" + struct.pack("<I", 0), None),
        (b"RIFF" + struct.pack("<I", 0xFFFFFFFF), None),
        (b"RF64" + bytes(16) + struct.pack("<Q", 2992), 30.0),
        (b"riff" + bytes(12) + struct.pack("<Q", 4000), 40.0),
        (b"fLaC", None),
    ],
    ids=["cut", "whole", "not known yet", "streamed", "RF64", "Wave64", "another"],
)
def test_the_size_in_the_header_tells_how_much_is_missing(
    head: bytes, promised: float | None, tmp_path: Path
) -> None:
    video = written(tmp_path, head.ljust(1000, b"\0"))

    assert declared.seconds(video, media("wav", 10.0), TRACK) == promised


def test_nothing_is_told_by_a_file_that_is_too_short_or_has_no_duration(tmp_path: Path) -> None:
    short = written(tmp_path, b"RIFF")

    assert declared.seconds(short, media("wav", 10.0), TRACK) is None
    whole = written(tmp_path, (b"RIFF" + struct.pack("<I", 1992)).ljust(1000, b"\0"))
    assert declared.seconds(whole, media("wav", None), TRACK) is None


def test_windows_media_says_its_play_time(make: Make, tmp_path: Path) -> None:
    whole = make("talk.wma", *TONE).read_bytes()

    cut = written(tmp_path, whole[: len(whole) // 2])

    assert declared.seconds(cut, media("asf", None), TRACK) == pytest.approx(4, abs=0.1)
    assert declared.seconds(written(tmp_path, whole[:50]), media("asf", None), TRACK) is None
    assert declared.seconds(written(tmp_path, bytes(500)), media("asf", None), TRACK) is None


def test_a_core_audio_file_says_the_size_of_its_sound(make: Make, tmp_path: Path) -> None:
    whole = make("memo.caf", *TONE, "-c:a", "pcm_s16be").read_bytes()
    packed = make("packed.caf", *TONE, "-c:a", "alac")
    sizes = whole.find(b"data") + 4
    growing = whole[:sizes] + struct.pack(">q", -1) + whole[sizes + 8 :]

    cut = written(tmp_path, whole[: len(whole) // 2])

    assert declared.seconds(cut, media("caf", 2.0), TRACK) == pytest.approx(4, abs=0.01)
    assert declared.seconds(packed, media("caf", 4.0), TRACK) is None
    assert declared.seconds(written(tmp_path, growing), media("caf", 4.0), TRACK) is None
    assert declared.seconds(written(tmp_path, whole[:60]), media("caf", 4.0), TRACK) is None
    assert declared.seconds(written(tmp_path, bytes(9000)), media("caf", 4.0), TRACK) is None


@pytest.mark.parametrize("tags", [(), ("-metadata", "title=" + "x" * 70_000)], ids=["short tag", "long tag"])
def test_an_mp3_counts_its_frames(tags: tuple[str, ...], make: Make, tmp_path: Path) -> None:
    whole = make("song.mp3", *TONE, *tags).read_bytes()

    cut = written(tmp_path, whole[: len(whole) - 10_000])

    assert declared.seconds(cut, media("mp3", 2.0), TRACK) == pytest.approx(4, abs=0.1)


def test_an_mp3_without_a_header_says_nothing(make: Make) -> None:
    song = make("song.mp3", *TONE, "-write_xing", "0", "-id3v2_version", "0")

    assert declared.seconds(song, media("mp3", 4.0), TRACK) is None
