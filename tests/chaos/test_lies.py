"""A process can be told the wrong time, and that its disk is full."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.chaos import lies

WRITES = "import pathlib; print(pathlib.Path('file').write_text('x'))"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lies.build(tmp_path_factory.mktemp("lies"))


def python(program: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, env=dict(environment), cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_clock_is_wrong_by_what_is_asked_for(built: Path, tmp_path: Path) -> None:
    program = "import time, datetime; print(time.time(), datetime.datetime.now().timestamp())"

    told = python(program, lies.clock(built, -3600.5), tmp_path).stdout.split()

    assert [float(text) - time.time() for text in told] == pytest.approx([-3600.5, -3600.5], abs=60)


def test_time_does_not_jump_for_who_measures_it(built: Path, tmp_path: Path) -> None:
    before = time.monotonic()

    told = float(python("import time; print(time.monotonic())", lies.clock(built, 1e6), tmp_path).stdout)

    assert before <= told <= time.monotonic()


def test_a_disk_is_full_while_the_mark_is_there(built: Path, tmp_path: Path) -> None:
    mark = tmp_path / "full"
    environment = lies.disk(built, mark)

    before = python(WRITES, environment, tmp_path)
    mark.touch()
    while_full = python(WRITES, environment, tmp_path)
    space = python("import shutil; print(shutil.disk_usage('.').free)", environment, tmp_path)
    mark.unlink()
    after = python(WRITES, environment, tmp_path)

    assert before.stdout == after.stdout == "1\n"
    assert "No space left on device" in while_full.stderr
    assert space.stdout == "0\n"
