"""When work must end, all of it ends at once and leaves nothing."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from converter.convert import convert
from converter.errors import Cancelled
from converter.limits import Limits
from converter.scratch import Scratch
from pipeline.options import Options
from tests.corpus.ffmpeg import run


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour and a half: some seconds of work."""
    video = tmp_path_factory.mktemp("long") / "long.wav"
    run("-f", "lavfi", "-i", "anoisesrc=sample_rate=16000:duration=5400", video)
    return video


def programs(folder: Path) -> list[Path]:
    """Return the running programs that read a file of a folder, as ffmpeg does from its standard input."""
    return [process for process in Path("/proc").glob("[0-9]*") if _reads_from(process, folder)]


def _reads_from(process: Path, folder: Path) -> bool:
    try:
        return (process / "fd" / "0").readlink().parent == folder
    except OSError:  # it ended, or is another user's
        return False


def wait_for(fact: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_cancelling_ends_every_program_and_leaves_nothing_in_scratch(
    long_video: Path, tmp_path: Path
) -> None:
    stop = threading.Event()
    ended: list[BaseException] = []
    scratch = Scratch(tmp_path, "me")

    def work() -> None:
        try:
            with scratch.folder("job") as folder:
                (folder / "video").hardlink_to(long_video)
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
    job = tmp_path / "me" / "job"
    wait_for(lambda: programs(job) and (job / "out.mp3").exists())

    stop.set()

    worker.join(60)
    assert len(ended) == 1  # the video was not converted to its end
    wait_for(lambda: not programs(job))
    assert not job.exists()


def test_sigterm_ends_the_command_with_every_program_and_leaves_no_mp3(
    long_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "video").hardlink_to(long_video)
    command = [sys.executable, "-m", "converter", str(tmp_path / "video"), str(tmp_path / "out.mp3")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: programs(tmp_path) and len(list(tmp_path.iterdir())) > 1)

    process.send_signal(signal.SIGTERM)

    assert process.wait(60) != 0
    wait_for(lambda: not programs(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["video"]
