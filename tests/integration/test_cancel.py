"""When work must end, all of it ends at once and leaves nothing."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chassis.options import Options
from converter.convert import convert
from converter.errors import Cancelled
from converter.limits import Limits
from tests.corpus.ffmpeg import run

GONE_SECONDS = 2.0


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour and a half: some seconds of work."""
    video = tmp_path_factory.mktemp("long") / "long.wav"
    run("-f", "lavfi", "-i", "anoisesrc=sample_rate=16000:duration=5400", video)
    return video


def programs(folder: Path) -> list[str]:
    """Return the command lines of the running programs that name a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if bytes(folder) in command and b"ffmpeg" in command.partition(b"\0")[0]:
            found.append(command.decode(errors="replace"))
    return found


def wait_for(fact: Callable[[], object], seconds: float) -> float:
    """Return how long it took to come about."""
    began = time.monotonic()
    while not fact():
        assert time.monotonic() - began < seconds, "it did not come about"
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.fixture
def folder(long_video: Path, tmp_path: Path) -> Path:
    """A folder with the long video in it and nothing else."""
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "video").hardlink_to(long_video)
    return folder


def test_cancelling_ends_every_program_and_leaves_no_mp3(folder: Path) -> None:
    stop = threading.Event()
    ended: list[BaseException] = []

    def work() -> None:
        try:
            convert(
                folder / "video",
                folder / "out.mp3",
                Options(),
                limits=Limits(),
                stop=stop,
                on_media=lambda _media: None,
                on_progress=lambda _phase, _fraction: None,
            )
        except Cancelled as error:
            ended.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    wait_for((folder / "out.mp3").exists, 30)

    stop.set()

    wait_for(lambda: not programs(folder), GONE_SECONDS)
    worker.join(GONE_SECONDS)
    assert len(ended) == 1
    assert [file.name for file in folder.iterdir()] == ["video"]


def test_sigterm_ends_the_command_with_every_program_and_leaves_no_mp3(folder: Path) -> None:
    command = [sys.executable, "-m", "converter", str(folder / "video"), str(folder / "out.mp3")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: programs(folder) and len(list(folder.iterdir())) > 1, 30)

    process.send_signal(signal.SIGTERM)

    wait_for(lambda: not programs(folder), GONE_SECONDS)
    assert process.wait(GONE_SECONDS) != 0
    assert [file.name for file in folder.iterdir()] == ["video"]
