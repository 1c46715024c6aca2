"""Find the filters that bring a sound to a loudness: a gain, and a limiter where peaks would be too high.

The gain is constant, so the sound's own dynamics stay (one-pass normalizers ride the volume).  The
limiter works on four times the samples, where the peaks between the samples show (ITU-R BS.1770-5,
annex 2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converter.report import SILENT, Loudness

PEAK = -1.0
"""The highest true peak that an MP3 may have, in dBTP (EBU R 128)."""
CODING = 0.8
"""How much higher the peaks of an MP3 usually get by its coding, in dB."""
LIMITED_RATE = 192_000
LEVEL = 0.15
"""How near to the target the search ends, in LU."""
NEAR = 0.4
"""How far from the target an MP3 may be, in LU."""
TRIES = 5
MAX_GAIN = 60.0

Filters = tuple[str, ...]
Measure = Callable[[Sequence[str]], Loudness]
SILENCE = Loudness(SILENT, 0.0, SILENT)


@dataclass(frozen=True, slots=True)
class Level:
    """A gain in dB, and the peak that a limiter holds the sound to; `None` is no limiter."""

    gain: float
    ceiling: float | None

    def filters(self, sample_rate: int) -> Filters:
        """Return the filters that do it."""
        gain = f"volume={self.gain:.2f}dB:precision=double"
        if self.ceiling is None:
            return (gain,)
        limit = f"alimiter=limit={self.ceiling:.2f}dB:attack=5:release=50:level=false:latency=true"
        return (gain, f"aresample={LIMITED_RATE}", limit, f"aresample={sample_rate}:out_sample_fmt=fltp")


def level_for(target: float, source: Loudness, sample_rate: int, measure: Measure) -> Level:
    """Return the level that brings a sound to its target, by measuring again where a limiter works."""
    if source.integrated <= SILENT:
        return Level(0.0, None)
    level = Level(min(target - source.integrated, MAX_GAIN), None)
    if source.peak + level.gain <= PEAK - CODING:
        return level
    return _limited(target, Level(level.gain, PEAK - CODING), sample_rate, measure)


def corrected(
    level: Level, target: float, heard: Loudness, sample_rate: int, measure: Measure
) -> Level | None:
    """Return a better level if the MP3 that came of one is not as it should be; `None` if it is."""
    if heard.integrated <= SILENT:
        return None
    excess = heard.peak - PEAK
    if excess > 0:
        ceiling = (level.ceiling if level.ceiling is not None else PEAK - CODING) - excess - 0.1
        return _limited(target, Level(level.gain, ceiling), sample_rate, measure)
    if abs(target - heard.integrated) > NEAR and level.gain < MAX_GAIN:
        return Level(level.gain + target - heard.integrated, level.ceiling)
    return None


def _limited(target: float, level: Level, sample_rate: int, measure: Measure) -> Level:
    """Raise the gain until the limited sound is as loud as the target."""
    for _ in range(TRIES):
        heard = measure(level.filters(sample_rate))
        if abs(target - heard.integrated) <= LEVEL:
            break
        level = Level(min(level.gain + target - heard.integrated, MAX_GAIN), level.ceiling)
    return level
