"""A file that breaks off in the middle of a piece is known by its ending."""

import struct
from pathlib import Path

import pytest

from converter.ending import breaks_off
from tests.corpus.boxes import atom
from tests.unit.converter.conftest import Make

TONE = ("-f", "lavfi", "-i", "sine=duration=2")
SPEECH = (*TONE, "-ar", "8000", "-ac", "1", "-c:a", "libopencore_amrnb")
MADE = {
    "mov,mp4": ("talk.mp4", *TONE, "-c:a", "aac", "-movflags", "frag_every_frame+empty_moov"),
    "ogg": ("song.opus", *TONE, "-c:a", "libopus"),
    "mpegts": ("talk.ts", *TONE, "-c:a", "mp2"),
    "mpeg": ("talk.mpg", *TONE, "-c:a", "mp2"),
    "aac": ("talk.aac", *TONE, "-c:a", "aac"),
    "amr": ("memo.amr", *SPEECH),
    "flv": ("talk.flv", *TONE, "-c:a", "libmp3lame", "-flvflags", "no_duration_filesize"),
}
CUTS = (1, 2, 3, 100)
"""Bytes that are missing at the end; none of them is a whole piece."""


def written(folder: Path, content: bytes) -> Path:
    video = folder / "video"
    video.write_bytes(content)
    return video


@pytest.mark.parametrize("container", MADE)
def test_a_file_without_its_last_bytes_breaks_off_and_the_whole_one_does_not(
    container: str, make: Make, tmp_path: Path
) -> None:
    whole = make(*MADE[container]).read_bytes()

    found = [breaks_off(written(tmp_path, whole[: len(whole) - cut]), container) for cut in (0, *CUTS)]

    assert found == [False, True, True, True, True]


def test_a_cut_between_two_pieces_leaves_no_trace(make: Make, tmp_path: Path) -> None:
    whole = make(*MADE["mpegts"]).read_bytes()

    assert not breaks_off(written(tmp_path, whole[: 188 * (len(whole) // 376)]), "mpegts")


def test_packets_of_a_camcorder_have_their_time_before_them(make: Make, tmp_path: Path) -> None:
    whole = make("clip.m2ts", *TONE, "-c:a", "ac3").read_bytes()

    assert len(whole) % 192 == 0
    assert not breaks_off(written(tmp_path, whole), "mpegts")
    assert breaks_off(written(tmp_path, whole[:-4]), "mpegts")


def test_a_movie_that_is_not_fragmented_says_elsewhere_how_long_it_is(tmp_path: Path) -> None:
    cut = atom(b"ftyp", b"isom") + atom(b"moov", b"") + atom(b"mdat", bytes(1000))[:-500]

    assert not breaks_off(written(tmp_path, cut), "mov,mp4")
    assert breaks_off(written(tmp_path, atom(b"moof", b"") + cut), "mov,mp4")


def test_zeros_behind_the_last_fragment_are_no_beginning_of_another(tmp_path: Path) -> None:
    padded = atom(b"moof", b"") + atom(b"mdat", bytes(100)) + bytes(300)

    assert not breaks_off(written(tmp_path, padded), "mov,mp4")


@pytest.mark.parametrize("container", ["ogg", "mpegts", "mpeg", "aac", "amr", "flv", "mp3"])
def test_of_what_has_no_pieces_nothing_is_said(container: str, tmp_path: Path) -> None:
    said_duration = b"FLV\1\1" + b"\0\x08duration\0" + struct.pack(">d", 4.0)

    assert not breaks_off(written(tmp_path, said_duration.ljust(5000, b"\0")), container)


def test_a_page_of_which_only_the_beginning_is_there_is_cut(make: Make, tmp_path: Path) -> None:
    whole = make(*MADE["ogg"]).read_bytes()

    assert breaks_off(written(tmp_path, whole[: whole.rfind(b"OggS") + 10]), "ogg")


def test_the_code_that_ends_a_program_is_an_end(make: Make, tmp_path: Path) -> None:
    whole = make(*MADE["mpeg"]).read_bytes()

    ended = whole if whole.endswith(b"\0\0\1\xb9") else whole + b"\0\0\1\xb9"
    assert not breaks_off(written(tmp_path, ended), "mpeg")
