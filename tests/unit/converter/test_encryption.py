"""Encrypted sound is told from clear sound."""

import struct
from pathlib import Path

import pytest

from converter.encryption import has_encrypted_sound

SAMPLES = bytes(1000)


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

    assert has_encrypted_sound(video)


@pytest.mark.parametrize(
    "content",
    [box(b"mdat", b"... enca") + box(b"moov", b"mp4a of some bytes"), box(b"free", b"") * 2000, b"", SAMPLES],
    ids=["clear", "boxes without end", "nothing", "zeros"],
)
def test_what_is_not_encrypted_is_not_called_so(content: bytes, tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(content)

    assert not has_encrypted_sound(video)
