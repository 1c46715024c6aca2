"""ffmpeg runs within its limits, sees nothing but its input, and ends when it must."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from converter import sandbox
from converter.errors import Cancelled, ConversionFailed
from converter.limits import Limits

ENDLESS = ("-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "video"
    file.write_bytes(b"RIFF")
    return file


def run(arguments: tuple[str, ...], video: Path, **changes: object) -> tuple[int, list[str]]:
    lines: list[str] = []
    given: dict[str, object] = {
        "limits": Limits(),
        "stop": threading.Event(),
        "on_line": lines.append,
        **changes,
    }
    return sandbox.run(arguments, video=video, **given), lines  # type: ignore[arg-type]  # as they are named


class Running:
    """An endless ffmpeg on a thread of its own."""

    def __init__(self, video: Path) -> None:
        self.stop = threading.Event()
        self.ended: list[BaseException] = []
        self._video = video
        self._begun = threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()
        assert self._begun.wait(60)

    def _work(self) -> None:
        try:
            run(ENDLESS, self._video, stop=self.stop, on_time=lambda _: self._begun.set())
        except Cancelled as error:
            self.ended.append(error)

    def process(self) -> Path:
        """Its folder under /proc."""
        for status in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = status.read_bytes()
            except OSError:
                continue  # it is gone
            if b"anullsrc" in command and str(self._video) == self._input(status.parent):
                return status.parent
        raise AssertionError("it is not running")

    @staticmethod
    def _input(process: Path) -> str:
        try:
            return str((process / "fd" / "0").readlink())
        except OSError:
            return ""


@pytest.fixture
def running(video: Path) -> Iterator[Running]:
    running = Running(video)
    yield running
    running.stop.set()
    running.thread.join(60)


def test_it_inherits_no_environment_and_has_a_session_of_its_own(running: Running) -> None:
    process = running.process()

    fields = (process / "stat").read_text().rpartition(")")[2].split()
    assert (process / "environ").read_bytes() == b"MALLOC_ARENA_MAX=1\0"
    assert (process / "cwd").readlink() == Path("/")
    assert fields[2] == fields[3] == process.name  # group and session are its own
    assert "NoNewPrivs:\t1" in (process / "status").read_text()


def test_it_is_held_to_limits(running: Running) -> None:
    told = (running.process() / "limits").read_text()

    limits = {line[:26].strip(): line[26:].split()[0] for line in told.splitlines()}
    assert limits["Max core file size"] == "0"
    assert limits["Max cpu time"] == str(Limits().cpu_seconds)
    assert limits["Max address space"] == str(Limits().memory_bytes)
    assert limits["Max file size"] == str(Limits().mp3_bytes)
    assert limits["Max open files"] == str(Limits().open_files)


def test_it_holds_no_file_but_its_own(running: Running, video: Path) -> None:
    held = {link.readlink() for link in (running.process() / "fd").iterdir()}

    files = {path for path in held if not str(path).startswith(("pipe:", "anon_inode:", "/dev/null"))}
    assert files == {video}


def test_a_stop_ends_what_would_never_end(running: Running) -> None:
    process = running.process()

    running.stop.set()
    running.thread.join(60)

    assert len(running.ended) == 1
    assert not process.exists()


def test_without_progress_it_is_stalled(video: Path) -> None:
    slow = ("-f", "lavfi", "-i", "anullsrc,arealtime=speed=0.001", "-f", "null", "-")

    with pytest.raises(ConversionFailed) as failed:
        run(slow, video, limits=Limits(stall_seconds=0.5))

    assert (failed.value.code, failed.value.retryable) == ("stalled", True)


def test_too_much_processor_time_is_a_crash(video: Path) -> None:
    hungry = ("-f", "lavfi", "-i", "anoisesrc=r=192000", "-f", "null", "-")

    with pytest.raises(ConversionFailed) as failed:
        run(hungry, video, limits=Limits(cpu_seconds=1))

    assert (failed.value.code, failed.value.retryable) == ("converter_crashed", True)


def test_too_large_an_output_is_told(video: Path, tmp_path: Path) -> None:
    noise = ("-f", "lavfi", "-i", "anoisesrc=d=60", "-f", "wav", "fd:")

    with pytest.raises(ConversionFailed) as failed:
        run(noise, video, output=tmp_path / "out", limits=Limits(mp3_bytes=100_000))

    assert failed.value.code == "too_large"
    assert (tmp_path / "out").stat().st_size <= 100_000


def test_more_memory_than_allowed_is_not_to_be_had(video: Path) -> None:
    large = ("-f", "lavfi", "-i", "color=size=8192x8192:d=1,format=gbrapf32", "-f", "null", "-")

    status, lines = run((*("-v", "error"), *large), video, limits=Limits(memory_bytes=600 * 1024 * 1024))

    assert status != 0
    assert any("Cannot allocate memory" in line for line in lines)


def test_limits_that_nobody_may_set_are_not_the_videos_fault(video: Path) -> None:
    """No process may open more files than the kernel's fs.nr_open says, whoever runs it."""
    with pytest.raises(sandbox.NotRun, match="prlimit: "):
        run(ENDLESS, video, limits=Limits(open_files=2**31))


def test_the_input_is_no_file_that_it_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"RIFF")
    playlist = tmp_path / "video"
    playlist.write_text(f"ffconcat version 1.0\nfile '{secret}'\n")

    status, lines = run((*("-v", "error"), *sandbox.INPUT), playlist)

    assert status != 0
    assert any("not on whitelist" in line for line in lines)


def test_a_line_that_is_too_long_is_cut() -> None:
    lines: list[str] = []
    collect = sandbox._Lines(lines.append)

    for piece in (b"a" * 3000, b"a" * 3000 + b"\nshort\r", b"rest"):
        collect.feed(piece)
    collect.feed(b"")

    assert lines == ["a" * 4096, "short", "rest"]
