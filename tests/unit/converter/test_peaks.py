"""The waveform shows what is heard."""

import io
from pathlib import Path

import pytest

from converter import peaks
from tests.unit.converter.conftest import Convert, Make

SINE = "sine=frequency=440:sample_rate=44100"  # an eighth of full scale


def test_loud_and_quiet_and_silent_parts_are_where_they_are_heard(make: Make, converted: Convert) -> None:
    steps = "volume=volume='if(lt(t,10),8,if(lt(t,20),2,0))':eval=frame"
    video = make("a.flac", "-f", "lavfi", "-i", f"{SINE}:duration=30,{steps}")

    found = converted(video).peaks

    assert len(found) == peaks.MOST
    loud, quiet, silent = found[50:600], found[720:1280], found[1400:1950]
    assert 235 <= min(loud) <= max(loud) <= 255
    assert 50 <= min(quiet) <= max(quiet) <= 80
    assert max(silent) <= 4


@pytest.mark.parametrize("frequency", [80, 250, 900])
def test_low_and_high_voices_are_seen_alike(frequency: int, make: Make, converted: Convert) -> None:
    sine = f"sine=frequency={frequency}:duration=5,volume=4"

    found = converted(make("a.wav", "-f", "lavfi", "-i", sine)).peaks

    assert 100 <= sorted(found)[len(found) // 2] <= 150


def test_only_the_part_that_was_asked_for_is_drawn(make: Make, converted: Convert) -> None:
    late = "volume=volume='if(lt(t,20),0,4)':eval=frame"
    video = make("a.wav", "-f", "lavfi", "-i", f"{SINE}:duration=30,{late}")

    assert min(converted(video, start="20.5").peaks) > 100
    assert max(converted(video, end="19.5").peaks) <= 4


@pytest.mark.parametrize("options", [{}, {"loudness": "-16"}, {"track": "1+2"}], ids=str)
def test_it_is_drawn_whatever_becomes_of_the_sound(
    options: dict[str, str], make: Make, converted: Convert
) -> None:
    two = ("-f", "lavfi", "-i", f"{SINE}:duration=4", "-map", "0:a", "-map", "0:a")

    found = converted(make("a.mka", *two), **options).peaks

    assert len(found) == peaks.MOST
    assert min(found[10:-10]) > 20


def test_it_is_drawn_of_a_sound_that_is_copied_too(make: Make, converted: Convert) -> None:
    done = converted(make("a.mp3", "-f", "lavfi", "-i", f"{SINE}:duration=4,volume=4"))

    assert not done.reencoded
    assert 100 <= sorted(done.peaks)[len(done.peaks) // 2] <= 150


def test_a_short_sound_has_fewer_peaks() -> None:
    assert peaks.of(io.BytesIO(bytes([128, 160, 64]))) == bytes([0, 64, 128])
    assert peaks.of(io.BytesIO()) == b""


def test_the_loudest_is_full_scale(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    samples.write_bytes(bytes([0, 255]) * peaks.MOST)

    with samples.open("rb") as file:
        assert peaks.of(file) == b"\xff" * peaks.MOST
