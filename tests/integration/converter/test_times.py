"""Every sound of a video is in the MP3 at its time, or a warning says what is not."""

from pathlib import Path

import pytest

from tests.corpus.clock import TIMED, Timed, heard
from tests.corpus.hostile import CONVERTED
from tests.corpus.outcome import outcome

OF_TIMES = {"silence_filled", "sound_overlaps", "clock_drift", "uneven_times", "input_truncated"}


@pytest.mark.parametrize("case", TIMED, ids=lambda case: case.name)
def test_every_second_is_at_its_place(case: Timed, tmp_path: Path) -> None:
    mp3 = tmp_path / "out.mp3"

    came = outcome(case.make(tmp_path), mp3)

    assert came.name == CONVERTED, came.message or came.result
    assert heard(mp3) == list(case.seconds)
    assert [w["code"] for w in came.result["warnings"] if w["code"] in OF_TIMES] == list(case.warnings)
