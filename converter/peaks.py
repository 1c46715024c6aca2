"""The waveform of an MP3, small enough to lie beside it: how loud its loudest sample is, part by part.

ffmpeg writes the samples while it makes the MP3, from the MP3 itself where there is one encoder: what is
seen is what is heard.
"""

import itertools
import os
from typing import IO

MOST = 2000
"""How many peaks there are of whatever length: more than a screen is wide."""
RATE = 2000
"""Samples a second that are looked at: what voices and music are loud by lies below half of it."""
SILENCE = 128
LOUDEST = 255


def of(samples: IO[bytes]) -> bytes:
    """Return the peaks of samples (mono, unsigned, a byte each), a byte each, 255 for full scale."""
    size = samples.seek(0, os.SEEK_END)
    count = min(MOST, size)
    ends = [size * n // count for n in range(count + 1)] if count else []
    samples.seek(0)
    return bytes(_peak(samples.read(end - begin)) for begin, end in itertools.pairwise(ends))


def _peak(part: bytes) -> int:
    return min(LOUDEST, 2 * max(max(part) - SILENCE, SILENCE - min(part)))
