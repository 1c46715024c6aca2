"""Chunks without content are pauses where the file counts them."""

import struct
from pathlib import Path

import pytest

from converter.avi import pauses
from tests.corpus.boxes import chunk
from tests.unit.converter.conftest import Make

SOUND = b"\0" * 400
NOTHING = b""


def stream(kind: bytes, length: int, sample: int, block: int) -> bytes:
    head = struct.pack("<4s28xI8xI8x", kind, length, sample)
    shape = struct.pack("<HHIIHH", 0x55, 2, 44100, 16000, block, 0)
    return chunk(b"LIST", b"strl" + chunk(b"strh", head) + chunk(b"strf", shape))


def avi(folder: Path, chunks: list[bytes], length: int, sample: int = 0, block: int = 1152) -> Path:
    streams = stream(b"vids", 10, 0, 0) + stream(b"auds", length, sample, block)
    movie = b"".join(chunk(b"01wb", content) + chunk(b"00db", b"picture") for content in chunks)
    video = folder / "talk.avi"
    header, content = chunk(b"LIST", b"hdrl" + streams), chunk(b"LIST", b"movi" + movie)
    video.write_bytes(chunk(b"RIFF", b"AVI " + header + content))
    return video


def test_pauses_are_found_where_they_are(tmp_path: Path) -> None:
    chunks = [NOTHING, SOUND, SOUND, NOTHING, NOTHING, SOUND, SOUND * 6]

    assert pauses(avi(tmp_path, chunks, length=9)) == {1: {0: 1, 2: 2}}


def test_chunks_that_the_length_does_not_count_are_no_pauses(tmp_path: Path) -> None:
    assert pauses(avi(tmp_path, [SOUND, NOTHING, SOUND], length=2)) == {}


@pytest.mark.parametrize(("sample", "block"), [(4, 4), (0, 0)])
def test_sound_whose_chunks_ffmpeg_counts_as_they_are_is_left_alone(
    sample: int, block: int, tmp_path: Path
) -> None:
    assert pauses(avi(tmp_path, [SOUND, NOTHING, SOUND], 900, sample, block)) == {}


def test_another_kind_of_file_has_none(make: Make) -> None:
    assert pauses(make("talk.wav", "-f", "lavfi", "-i", "sine=duration=1")) == {}
