"""A program of the native stack, and a way to run one by itself.

`stack` gives the programs to a supervisor; tests run the servers they need with `Running`.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 180.0
STOP_SECONDS = 60.0


class DidNotStart(Exception):
    """A program ended, or is still not ready; the message has its last words."""


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process: what it writes lies in `folder`, what it listens on are `ports` of loopback."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """All of it: nothing is inherited."""
    folder: Path
    ports: tuple[int, ...]
    ready: Callable[[], bool]
    """Whether it answers now."""
    prepare: Callable[[], None] = field(default=nothing)
    """Makes what must exist before a start; may be called before each."""
    once: bool = False
    """Whether it runs to its end, and is not started again then."""


class Running:
    """A program that a test starts, kills and starts again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.program.folder / f"{self.program.name}.log"

    def start(self) -> None:
        """Start it and return when it is ready.

        Raises:
            DidNotStart: it is not.
        """
        program = self.program
        program.folder.mkdir(parents=True, exist_ok=True)
        program.prepare()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the commands are those of `servers`
                program.command,
                env=dict(program.environment),
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not program.ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise DidNotStart(f"{program.name}: {self._last_words()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and kill it if it does not."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End it as a crash would, its children with it."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def answers(port: int, hello: bytes = b"", *, speaks_first: bool = True) -> bool:
    """Whether a server on loopback takes a connection and, if it `speaks_first` or to `hello`, answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            if hello:
                connection.sendall(hello)
            return not (hello or speaks_first) or bool(connection.recv(1))
    except OSError:
        return False
