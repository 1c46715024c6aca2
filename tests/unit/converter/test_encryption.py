"""Marks of encryption are looked for where they belong, in whatever file."""

from pathlib import Path

import pytest

from converter.encryption import encrypted_tracks, is_aacs
from converter.media import Media
from tests.corpus.boxes import atom
from tests.unit.converter.test_tracks import PLAIN

CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "asf", "mpegts", "mpeg", "wav")


def sound_track(kind: bytes) -> bytes:
    table = atom(b"stbl", atom(b"stsd", bytes(4), b"\0\0\0\1", atom(kind, bytes(28))))
    return atom(b"trak", atom(b"mdia", atom(b"hdlr", bytes(8), b"soun"), atom(b"minf", table)))


def found(content: bytes, folder: Path, container: str = CONTAINERS[0], tracks: int = 1) -> list[bool]:
    video = folder / "video"
    video.write_bytes(content)
    return encrypted_tracks(video, Media(container, 1.0, (PLAIN,) * tracks))


def test_each_sound_track_has_a_mark_of_its_own(tmp_path: Path) -> None:
    movie = atom(b"moov", sound_track(b"mp4a"), sound_track(b"enca"))

    assert found(movie, tmp_path, tracks=2) == [False, True]


def test_where_the_tracks_cannot_be_told_apart_one_mark_holds_for_all(tmp_path: Path) -> None:
    assert found(atom(b"moov", sound_track(b"enca")), tmp_path, tracks=2) == [True, True]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(5000),
        b"\xff" * 5000,
        atom(b"free", b"") * 2000,
        atom(b"mdat", b"... enca") + atom(b"moov", b"enca of some bytes"),
        b"\x1a\x45\xdf\xa3\x01",
        b"G" * 5000,
    ],
    ids=["nothing", "zeros", "ones", "boxes without end", "letters", "half a header", "packets of nothing"],
)
def test_what_makes_no_sense_is_not_called_encrypted(content: bytes, container: str, tmp_path: Path) -> None:
    assert found(content, tmp_path, container) == [False]


def test_a_short_file_is_of_no_blu_ray(tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(b"\xc0\0\0\0G" * 100)

    assert not is_aacs(video)
