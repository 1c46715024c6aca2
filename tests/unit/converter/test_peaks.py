"""The waveform shows what is heard."""

import threading
from pathlib import Path

import pytest

from converter import peaks
from converter.errors import Cancelled
from converter.limits import Limits
from tests.unit.converter.conftest import Make


def of(mp3: Path) -> bytes:
    return peaks.of(mp3, Limits(), threading.Event())


def test_loud_and_quiet_and_silent_parts_are_where_they_are_heard(make: Make) -> None:
    volume = "volume='if(lt(t,10),1,if(lt(t,20),0.25,0))':eval=frame"
    sine = "sine=frequency=440:duration=30,volume=8," + volume  # a sine of lavfi is an eighth of full scale
    mp3 = make("a.mp3", "-f", "lavfi", "-i", sine, "-b:a", "128k")

    found = of(mp3)

    assert len(found) == peaks.MOST
    loud, quiet, silent = found[50:600], found[720:1280], found[1400:1950]
    assert 235 <= min(loud) <= max(loud) <= 255
    assert 50 <= min(quiet) <= max(quiet) <= 80
    assert max(silent) <= 4


@pytest.mark.parametrize("frequency", [80, 250, 900])
def test_low_and_high_voices_are_seen_alike(make: Make, frequency: int) -> None:
    sine = f"sine=frequency={frequency}:duration=5,volume=4"

    found = of(make("a.mp3", "-f", "lavfi", "-i", sine))

    assert 100 <= sorted(found)[len(found) // 2] <= 150


def test_a_short_sound_has_fewer_peaks(make: Make) -> None:
    assert 0 < len(of(make("a.mp3", "-f", "lavfi", "-i", "sine=duration=0.3"))) < peaks.MOST


def test_what_is_no_mp3_has_no_peaks_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "out.mp3"
    broken.write_bytes(b"no sound at all" * 100)

    with pytest.raises(peaks.NoPeaks):
        of(broken)
    assert list(tmp_path.iterdir()) == [broken]


def test_it_ends_when_it_should(make: Make) -> None:
    stop = threading.Event()
    stop.set()
    mp3 = make("a.mp3", "-f", "lavfi", "-i", "sine=duration=600")

    with pytest.raises(Cancelled):
        peaks.of(mp3, Limits(), stop)
