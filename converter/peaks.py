"""The waveform of an MP3, small enough to lie beside it: how loud its loudest sample is, part by part.

It is read from the MP3 itself, so that what is seen is what is heard, however it was made.
"""

import itertools
import threading
from pathlib import Path

from converter import sandbox
from converter.errors import ConversionFailed
from converter.limits import Limits

MOST = 2000
"""How many peaks there are of whatever length: more than a screen is wide."""
RATE = 2000
"""Samples a second that are looked at: what voices and music are loud by lies below half of it."""
SILENCE = 128
LOUDEST = 255

_DECODE = (
    "-v",
    "level+error",
    "-threads",
    "1",
    *sandbox.INPUT,
    "-map",
    "0:a:0",
    "-ac",
    "1",
    "-ar",
    str(RATE),
)
_RAW = ("-f", "u8", sandbox.OUTPUT)


class NoPeaks(Exception):
    """The MP3 could not be decoded, or is too short."""


def of(mp3: Path, limits: Limits, stop: threading.Event) -> bytes:
    """Return the peaks of an MP3, a byte each, 255 for full scale.

    Raises:
        Cancelled: `stop` was set.
        NoPeaks: there are none.
    """
    raw = mp3.with_suffix(".raw")
    said: list[str] = []
    try:
        status = sandbox.run(
            (*_DECODE, *_RAW), video=mp3, output=raw, limits=limits, stop=stop, on_line=said.append
        )
        if status != 0:
            raise NoPeaks(said[-1] if said else f"ffmpeg ended with {status}")
        return _peaks(raw)
    except ConversionFailed as error:
        raise NoPeaks(error.message) from None
    finally:
        raw.unlink(missing_ok=True)


def _peaks(raw: Path) -> bytes:
    size = raw.stat().st_size
    count = min(MOST, size)
    if not count:
        raise NoPeaks("there is no sound")
    ends = [size * n // count for n in range(count + 1)]
    with raw.open("rb") as file:
        return bytes(_peak(file.read(end - begin)) for begin, end in itertools.pairwise(ends))


def _peak(part: bytes) -> int:
    return min(LOUDEST, 2 * max(max(part) - SILENCE, SILENCE - min(part)))
