"""The links of a chained Ogg file are found, and what lies in each."""

import struct
from pathlib import Path

import pytest

from converter.ogg import links
from tests.corpus.ffmpeg import PICTURE
from tests.unit.converter.conftest import Make

TONE = ("-f", "lavfi", "-i", "sine=sample_rate=48000:duration=4")
SHAPES = {
    "libvorbis": ("song.ogg", 44100, 2),
    "libopus": ("song.opus", 48000, 2),
    "flac": ("song.oga", 96000, 1),
}


def song(make: Make, codec: str, serial: int = 1, name: str | None = None) -> bytes:
    usual, rate, channels = SHAPES[codec]
    shape = ("-ar", str(rate), "-ac", str(channels), "-serial_offset", str(serial))
    return make(name or usual, *TONE, *shape, "-c:a", codec).read_bytes()


def written(folder: Path, *songs: bytes) -> Path:
    video = folder / "video"
    video.write_bytes(b"".join(songs))
    return video


def page(flags: int, position: int, number: int, packet: bytes) -> bytes:
    return struct.pack("<5sBqII4xBB", b"OggS\0", flags, position, 9, number, 1, len(packet)) + packet


def test_a_link_of_speex_is_known(make: Make, tmp_path: Path) -> None:
    head = struct.pack("<8s28xI8xI28x", b"Speex   ", 16000, 1)
    speech = page(2, 0, 0, head) + page(0, 0, 1, b"comment") + page(4, 48000, 2, bytes(40))

    _, found = links(written(tmp_path, song(make, "libvorbis"), speech))

    assert (found.sample_rate, found.channels, found.seconds) == (16000, 1, 3)


def test_a_link_of_headers_alone_is_empty(make: Make, tmp_path: Path) -> None:
    one = song(make, "libvorbis")
    second = one.index(b"OggS", one.index(b"OggS", 4) + 4)

    found = links(written(tmp_path, one[:second], one))

    assert [link.is_empty for link in found] == [True, False]


@pytest.mark.parametrize("codec", SHAPES)
def test_each_link_is_known_with_its_shape_and_length(codec: str, make: Make, tmp_path: Path) -> None:
    one, two = song(make, "libvorbis"), song(make, codec, serial=2, name="two.ogg")

    found = links(written(tmp_path, one, two))

    assert [(link.begin, link.end) for link in found] == [(0, len(one)), (len(one), len(one) + len(two))]
    assert (found[1].sample_rate, found[1].channels) == SHAPES[codec][1:]
    assert [link.seconds for link in found] == pytest.approx([4, 4], abs=0.1)


def test_the_same_song_twice_is_a_chain(make: Make, tmp_path: Path) -> None:
    one = song(make, "libvorbis")

    assert len(links(written(tmp_path, one, one))) == 2


def test_a_single_stream_is_no_chain(make: Make, tmp_path: Path) -> None:
    assert links(written(tmp_path, song(make, "libvorbis"))) == ()


def test_pictures_and_sound_that_lie_among_each_other_are_no_chain(make: Make) -> None:
    codecs = ("-c:v", "libtheora", "-c:a", "libvorbis", "-t", "4")

    assert links(make("film.ogv", *PICTURE, *TONE, *codecs)) == ()


def test_the_link_behind_one_that_breaks_off_within_a_page_is_found(make: Make, tmp_path: Path) -> None:
    one, two = song(make, "libopus"), song(make, "libvorbis", serial=2)
    cut = one[: len(one) - 500]

    found = links(written(tmp_path, cut, two))

    assert [(link.begin, link.end) for link in found] == [(0, len(cut)), (len(cut), len(cut) + len(two))]


def test_a_recording_that_began_within_a_song_is_as_long_as_what_it_holds(make: Make, tmp_path: Path) -> None:
    one = song(make, "libvorbis")
    pages = [at for at in range(len(one)) if one.startswith(b"OggS", at)]
    heads, third = one[: pages[2]], one[pages[4] :]

    found = links(written(tmp_path, heads, third, song(make, "libopus", serial=2)))

    assert found[0].seconds < 2.1


def test_a_stream_whose_pages_go_on_behind_another_is_no_chain(make: Make, tmp_path: Path) -> None:
    one, two = song(make, "libvorbis"), song(make, "libopus", serial=2)
    last = one.rindex(b"OggS")

    assert links(written(tmp_path, one[:last], two, one[last:])) == ()
