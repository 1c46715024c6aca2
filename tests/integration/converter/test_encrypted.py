"""What is under copy protection is called so, and nothing else is."""

from pathlib import Path

import pytest

from tests.corpus.encrypted import CLEAR, PROTECTED, Protected
from tests.corpus.ffmpeg import measure
from tests.corpus.hostile import CONVERTED
from tests.corpus.outcome import outcome


@pytest.mark.parametrize("case", PROTECTED, ids=lambda case: case.name)
def test_an_encrypted_file_is_called_copy_protected(case: Protected, tmp_path: Path) -> None:
    video, mp3 = tmp_path / "video", tmp_path / "out.mp3"
    video.write_bytes(case.make(tmp_path))

    came = outcome(video, mp3)

    assert came.name == "drm_protected", came.message or came.result
    assert not mp3.exists()


@pytest.mark.parametrize("case", CLEAR, ids=lambda case: case.name)
def test_a_clear_file_is_converted(case: Protected, tmp_path: Path) -> None:
    video, mp3 = tmp_path / "video", tmp_path / "out.mp3"
    video.write_bytes(case.make(tmp_path))

    came = outcome(video, mp3)

    assert came.name == CONVERTED, came.message
    assert measure(mp3).seconds == pytest.approx(3, abs=0.1)
