"""What is said of a file of which nothing can be made is true of it."""

from pathlib import Path

import pytest

from tests.corpus.outcome import outcome
from tests.corpus.refused import REFUSED, Refused


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_the_reason_of_a_refusal_is_true(case: Refused, tmp_path: Path) -> None:
    video, mp3 = tmp_path / "video", tmp_path / "out.mp3"
    video.write_bytes(case.make(tmp_path))

    came = outcome(video, mp3, case.asked)

    assert came.name == case.code, came.message or came.result
    assert case.words in came.message
    assert not mp3.exists()
