"""A loudness that was asked for is the loudness that comes out, and nothing is clipped."""

from pathlib import Path

import pytest

from tests.corpus.ffmpeg import measure, run
from tests.corpus.hostile import CONVERTED
from tests.corpus.loudness import SOUNDS
from tests.corpus.outcome import outcome

TARGETS = {"podcast": -16.0, "music": -14.0, "ebu": -23.0, "-19": -19.0}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sounds")
    made = {name: folder / f"{name}.wav" for name in SOUNDS}
    for name, file in made.items():
        run("-f", "lavfi", "-i", SOUNDS[name], file)
    return made


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", [name for name in SOUNDS if name != "silence"])
def test_a_sound_gets_the_loudness_that_was_asked_for(
    name: str, target: str, sounds: dict[str, Path], tmp_path: Path
) -> None:
    mp3 = tmp_path / "out.mp3"

    came = outcome(sounds[name], mp3, {"loudness": target})

    assert came.name == CONVERTED, came.message
    heard = measure(mp3)
    assert heard.lufs == pytest.approx(TARGETS[target], abs=0.5)
    assert heard.true_peak <= -1


@pytest.mark.parametrize("target", TARGETS)
def test_silence_stays_silence(target: str, sounds: dict[str, Path], tmp_path: Path) -> None:
    mp3 = tmp_path / "out.mp3"

    came = outcome(sounds["silence"], mp3, {"loudness": target})

    assert came.name == CONVERTED, came.message
    assert measure(mp3).true_peak < -70
