"""Two encoders' streams are joined only where one encoder would have written what follows."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from converter.encoding import seam
from converter.encoding.blocks import ALIKE, CYCLE, OVERLAP
from converter.encoding.frames import Frames, Shape
from converter.encoding.seam import Reservoir, Seam, Unmatched
from tests.unit.converter.conftest import Make

SHAPE = Shape(44100, 2)
SOUND = "aevalsrc=0.2*sin(880*t)+0.1*random(0)|0.2*sin(660*t)+0.1*random(1):sample_rate=44100:duration=16"
LATER = 6 * CYCLE
"""Frames after which the other encoder begins."""


class Streams:
    """Frames of the same sound, from its beginning or from a later frame on."""

    def __init__(self, make: Make, until: ExitStack) -> None:
        self._make = make
        self._until = until

    def encoded(self, name: str, quality: str, *, begin: int = 0, change: str = "anull") -> Frames:
        cut = f"atrim=start_sample={begin * 1152},asetpts=N,{change}"
        plain = ("-write_xing", "0", "-id3v2_version", "0")
        mp3 = self._make(f"{name}.mp3", "-f", "lavfi", "-i", SOUND, "-af", cut, *quality.split(), *plain)
        frames = Frames(self._until.enter_context(mp3.open("rb")).fileno(), SHAPE)
        frames.grow()
        return frames


@pytest.fixture
def streams(make: Make) -> Iterator[Streams]:
    with ExitStack() as until:
        yield Streams(make, until)


@contextmanager
def written(data: bytes, folder: Path) -> Iterator[Frames]:
    file = folder / "joined.mp3"
    file.write_bytes(data)
    with file.open("rb") as opened:
        frames = Frames(opened.fileno(), SHAPE)
        frames.grow()
        yield frames


@pytest.mark.parametrize(("quality", "variable"), [("-q:a 4", True), ("-b:a 128k", False)])
def test_what_follows_a_seam_is_what_one_encoder_writes(
    streams: Streams, quality: str, tmp_path: Path, *, variable: bool
) -> None:
    one = streams.encoded("one", quality)
    other = streams.encoded("other", quality, begin=LATER)

    found = seam.find(one, LATER + OVERLAP, other, OVERLAP, variable=variable)
    whole = seam.patched(one, 0, found, other) + other.data(found.right, len(other))

    with written(whole, tmp_path) as frames:
        assert len(frames) == len(one)
        assert all(frames.logical(n) == one.logical(n) for n in range(len(one)))


def test_streams_of_different_sounds_do_not_match(streams: Streams) -> None:
    one = streams.encoded("one", "-b:a 128k")
    other = streams.encoded("other", "-b:a 128k", begin=LATER, change="volume=0.9")

    with pytest.raises(Unmatched, match="frames differ"):
        seam.find(one, LATER + OVERLAP, other, OVERLAP, variable=False)


def test_a_single_frame_that_differs_is_enough(streams: Streams) -> None:
    one = streams.encoded("one", "-q:a 4")
    second = (LATER + OVERLAP - ALIKE + 20) * 1152 / 44100
    louder = f"volume=1.2:enable='between(t,{second - LATER * 1152 / 44100},{second + 0.01})'"
    other = streams.encoded("other", "-q:a 4", begin=LATER, change=f"asetpts=N/SR/TB,{louder}")

    with pytest.raises(Unmatched, match="frames differ"):
        seam.find(one, LATER + OVERLAP, other, OVERLAP, variable=True)


def test_a_frame_as_large_as_the_reservoir_lets_it_be_is_not_certain(streams: Streams) -> None:
    burst = "volume=6:enable='between(t,8,8.2)',alimiter=limit=1"
    calm = streams.encoded("calm", "-q:a 4")
    loud = streams.encoded("loud", "-q:a 0", change=f"asetpts=N/SR/TB,{burst}")

    reservoir = Reservoir(SHAPE)

    assert reservoir.spares(calm, 2, len(calm) - 2)
    assert not reservoir.spares(loud, 2, len(loud) - 2)


def test_a_frame_that_lends_too_little_gets_a_higher_bitrate(streams: Streams, tmp_path: Path) -> None:
    one = streams.encoded("one", "-q:a 4")
    other = streams.encoded("other", "-q:a 4", begin=LATER)
    poor = next(n for n in range(20, OVERLAP) if one.reservoirs[LATER + n] < other.reservoirs[n])

    whole = seam.patched(one, 0, Seam(LATER + poor, poor, exact=False), other)

    with written(whole + other.data(poor, poor + 1), tmp_path) as frames:
        assert frames.logical(LATER + poor) == other.logical(poor)
        assert frames.logical(LATER + poor - 1) == one.logical(LATER + poor - 1)
    assert len(whole) > one.begins[LATER + poor]
