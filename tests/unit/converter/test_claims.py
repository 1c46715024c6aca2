"""A file says how large it should be, and whether its sound is encrypted."""

import struct
from pathlib import Path

import pytest

from converter import claims

SAMPLES = bytes(1000)


def riff(size: int, kind: bytes = b"WAVE") -> bytes:
    return b"RIFF" + struct.pack("<I", size) + kind + SAMPLES


def caf(size: int) -> bytes:
    return b"caff\0\1\0\0desc" + struct.pack(">q", 4) + b"lpcm" + b"data" + struct.pack(">q", size) + SAMPLES


def asf(size: int, flags: int = 0) -> bytes:
    properties = (
        claims.ASF_PROPERTIES + bytes(24) + struct.pack("<Q", size) + bytes(40) + bytes([flags]) + SAMPLES
    )
    return claims.ASF + bytes(14) + properties


def w64(size: int) -> bytes:
    return claims.W64 + struct.pack("<Q", size) + SAMPLES


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (riff(5000), 5008),
        (riff(1004) + riff(9000, b"AVIX"), 1012 + 9008),
        (riff(1004) + b"trailing bytes", 1012),
        (caf(7000), 8 + 16 + 12 + 7000),
        (asf(123_456), 123_456),
        (w64(4321), 4321),
    ],
)
def test_a_container_says_how_large_it_should_be(content: bytes, declared: int, tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(content)

    assert claims.declared_bytes(video) == declared


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        riff(0),
        riff(2**32 - 1),
        caf(-1),
        asf(500, flags=claims.BROADCAST),
        asf(500)[:60],
        claims.ASF + SAMPLES,
        w64(2**64 - 1),
        b"\x1a\x45\xdf\xa3" + SAMPLES,
        riff(4)[:12] * 2000,
    ],
    ids=repr,
)
def test_a_file_that_does_not_say_it_is_taken_as_it_is(content: bytes, tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(content)

    assert (claims.declared_bytes(video) or 0) <= len(content)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


@pytest.mark.parametrize(
    "content",
    [
        box(b"ftyp", b"isom") + box(b"moov", b"enca of some bytes"),
        box(b"mdat", SAMPLES) + box(b"moov", b"... enca"),
        struct.pack(">I4sQ", 1, b"mdat", 1016) + SAMPLES + box(b"moov", b"... enca"),
    ],
    ids=["header in front", "header at the end", "header behind a long box"],
)
def test_an_encrypted_sound_track_is_known_by_its_kind(content: bytes, tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(content)

    assert claims.has_encrypted_sound(video)


@pytest.mark.parametrize(
    "content",
    [box(b"mdat", b"... enca") + box(b"moov", b"mp4a of some bytes"), box(b"free", b"") * 2000, b"", SAMPLES],
    ids=["clear", "boxes without end", "nothing", "zeros"],
)
def test_what_is_not_encrypted_is_not_called_so(content: bytes, tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(content)

    assert not claims.has_encrypted_sound(video)
