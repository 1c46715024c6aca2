"""A gain and a limiter are found for a loudness."""

from collections.abc import Sequence

import pytest

from converter.loudness import MAX_GAIN, Level, corrected, level_for
from converter.report import SILENT, Loudness

RATE = 44100


class Limiter:
    """Measures a sound behind a limiter that takes back a part of every gain."""

    def __init__(self, source: float, back: float) -> None:
        self.calls = 0
        self._source = source
        self._back = back

    def __call__(self, filters: Sequence[str]) -> Loudness:
        self.calls += 1
        gain = float(filters[0].removeprefix("volume=").partition("dB")[0])
        return Loudness(self._source + gain * self._back, 5.0, -1.8)


def unmeasured(filters: Sequence[str]) -> Loudness:
    raise AssertionError(f"nothing is to be measured: {filters}")


def test_a_gain_is_enough_where_peaks_stay_low() -> None:
    level = level_for(-16, Loudness(-26.0, 5.0, -15.0), RATE, unmeasured)

    assert level == Level(10.0, None)
    assert level.filters(RATE) == ("volume=10.00dB:precision=double",)


def test_a_limiter_holds_peaks_and_the_gain_is_searched_behind_it() -> None:
    limiter = Limiter(-26.0, 0.8)

    level = level_for(-14, Loudness(-26.0, 5.0, -3.0), RATE, limiter)

    assert level.ceiling == -1.8
    assert level.gain * 0.8 == pytest.approx(12, abs=0.15)
    assert limiter.calls <= 5
    assert any("alimiter=limit=-1.80dB" in part for part in level.filters(RATE))


def test_a_loudness_out_of_reach_ends_the_search() -> None:
    limiter = Limiter(-26.0, 0.0)

    level = level_for(-14, Loudness(-26.0, 5.0, -3.0), RATE, limiter)

    assert level.gain <= MAX_GAIN
    assert limiter.calls == 5


def test_silence_stays_as_it_is() -> None:
    silence = Loudness(SILENT, 0.0, SILENT)

    assert level_for(-16, silence, RATE, unmeasured) == Level(0.0, None)
    assert corrected(Level(0.0, None), -16, silence, RATE, unmeasured) is None


def test_an_mp3_that_is_as_it_should_be_is_left_alone() -> None:
    assert corrected(Level(3.0, None), -16, Loudness(-16.3, 5.0, -1.0), RATE, unmeasured) is None


def test_an_mp3_with_peaks_too_high_gets_a_lower_ceiling() -> None:
    level = corrected(Level(10.0, None), -16, Loudness(-16.0, 5.0, -0.5), RATE, Limiter(-26.0, 1.0))

    assert level is not None
    assert level.ceiling == pytest.approx(-2.4)


def test_a_ceiling_that_was_too_high_is_lowered_by_the_excess() -> None:
    level = corrected(Level(10.0, -1.8), -16, Loudness(-16.0, 5.0, -0.8), RATE, Limiter(-26.0, 1.0))

    assert level is not None
    assert level.ceiling == pytest.approx(-2.1)


def test_an_mp3_that_is_too_quiet_gets_more_gain() -> None:
    level = corrected(Level(10.0, -1.8), -16, Loudness(-16.6, 5.0, -1.5), RATE, unmeasured)

    assert level is not None
    assert level.gain == pytest.approx(10.6)
