"""The Info frame is the one that ffmpeg's muxer writes."""

import random

import pytest

from converter.encoding import info
from converter.encoding.frames import Frames, Shape
from tests.unit.converter.conftest import Make

SOUND = ("-f", "lavfi", "-i", "aevalsrc=0.3*sin(880*t)+0.2*random(0)|0.3*sin(660*t)+0.1*random(1):d=40")


def test_the_crc_of_many_bytes_is_that_of_one_after_the_other() -> None:
    data = random.Random(1).randbytes(5 * info.PERIOD + 123)  # noqa: S311 - any bytes
    crc = info.Crc()

    for at in range(0, len(data), 10_007):
        crc.add(data[at : at + 10_007])

    assert crc.value == info._crc(data)


def test_the_crc_is_the_one_of_its_name() -> None:
    crc = info.Crc()

    crc.add(b"123456789")

    assert crc.value == 0xBB3D  # the check value of CRC-16/ARC


@pytest.mark.parametrize(
    ("quality", "rate", "channels"),
    [("-q:a 2", 44100, 2), ("-b:a 128k", 48000, 2), ("-b:a 64k", 22050, 1), ("-q:a 5", 16000, 2)],
)
def test_ffmpeg_writes_the_same_frame(make: Make, quality: str, rate: int, channels: int) -> None:
    shape = Shape(rate, channels)
    coded = (*quality.split(), "-ar", str(rate), "-ac", str(channels), "-id3v2_version", "0")
    mp3 = make("out.mp3", *SOUND, *coded)
    with mp3.open("rb") as file:
        frames = Frames(file.fileno(), shape)
        frames.grow()
        theirs, third = frames.data(0, 1), frames.data(1, 2)[2]
    begins = [begin - len(theirs) for begin in frames.begins]
    crc = info.Crc()
    crc.add(mp3.read_bytes()[len(theirs) :])

    ours = info.frame(
        shape,
        third,
        begins[1:-1],
        begins[-1],
        40 * rate,
        crc=crc.value,
        variable=quality.startswith("-q"),
    )

    name = 4 + shape.side
    places = slice(name + 16, name + 116)
    delay, music = slice(name + 141, name + 144), slice(name + 148, name + 154)
    assert len(ours) == len(theirs)
    assert ours[: places.start] == theirs[: places.start]
    assert all(abs(a - b) <= 1 for a, b in zip(ours[places], theirs[places], strict=True))
    assert (ours[delay], ours[music]) == (theirs[delay], theirs[music])
