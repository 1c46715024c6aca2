"""Scratch folders are private, and those of dead processes are removed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from converter.scratch import Scratch

HOLDER = """
import sys, time
from pathlib import Path
from converter.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]), "other")
with scratch.folder("job"):
    print("ready", flush=True)
    time.sleep(600)
"""


def other_process(root: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_jobs_folder_is_private_and_goes_with_its_block(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, "me")

    with scratch.folder("job") as folder:
        (folder / "video").write_bytes(b"x")
        mode = folder.stat().st_mode & 0o777

    assert mode == 0o700
    assert not folder.exists()


def test_a_jobs_folder_goes_when_the_work_fails(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, "me")

    with pytest.raises(ValueError, match="broken"), scratch.folder("job") as folder:
        raise ValueError("broken")

    assert not folder.exists()


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    kill(other_process(tmp_path))
    assert (tmp_path / "other" / "job").is_dir()

    Scratch(tmp_path, "me")

    assert not (tmp_path / "other").exists()


def test_the_folder_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    process = other_process(tmp_path)

    Scratch(tmp_path, "me")

    assert (tmp_path / "other" / "job").is_dir()
    kill(process)


def test_a_folder_that_is_nobodys_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()

    Scratch(tmp_path, "me")

    assert (tmp_path / "lost+found").is_dir()


def test_nothing_is_left_after_closing(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, "me")

    scratch.close()

    assert os.listdir(tmp_path) == ["lock"]  # noqa: PTH208 - names are compared


def test_free_space_is_that_of_the_file_system(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, "me")

    found = os.statvfs(tmp_path)

    assert scratch.free_bytes == pytest.approx(found.f_bavail * found.f_frsize, rel=0.05)
