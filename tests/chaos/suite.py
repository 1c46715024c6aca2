"""The suite as it is killed: every service twice, with short waits, and each process within reach.

What may be set for the next start of a process alone is gone at the one after that: so a process
that was told to die somewhere comes back as any other.
"""

import os
import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from dev.program import Program
from dev.services import CLONE
from dev.stack import ADMIN_NAMES
from tests.chaos.receiver import Receiver
from tests.chaos.wired import WiredStack
from tests.e2e.conftest import wait_for

START = Path(__file__).with_name("start.sh")
SHORT = {
    "LEASE": "4",
    "MAIL_LEASE": "8",
    "CLOCK_SKEW": "1",
    "RETRY_DELAY": "1",
    "RECONCILE_EVERY": "0.5",
    "RING_AGAIN_AFTER": "3",
    "SWEEP_EVERY": "15",
    "ABANDON_UPLOADS_AFTER": "45",
    "SHUTDOWN_GRACE": "5",
    "REQUESTS_PER_MINUTE": "1000000",
    "LOGINS_PER_MINUTE": "1000000",
    "MAX_ACTIVE_JOBS": "1000000",
    "WEBHOOK_NETWORKS": "127.0.0.0/8",
}
"""Seconds where production has minutes, and no limits for one user."""
POLITE, MOODY = "aiosmtpd.handlers.Mailbox", "tests.chaos.moody.Moody"
PROCESSES = tuple(f"{name}{twin}" for name in ADMIN_NAMES for twin in ("", "-2"))
RESPAWN_SECONDS = 60.0


class ChaosStack(WiredStack):
    """A stack whose processes are killed, stopped, continued, and started with something to do once."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, {**SHORT, **(settings or {})})
        self.receiver = Receiver()

    @cached_property
    def programs(self) -> list[Program]:
        """Every program; the mail server is moody with some users."""
        return [
            replace(
                program,
                command=tuple(MOODY if word == POLITE else word for word in program.command),
                environment={**program.environment, "PYTHONPATH": str(CLONE)},
            )
            if program.name == "mail"
            else program
            for program in super().programs
        ]

    def down(self) -> None:
        """End everything, the receiver of webhooks too."""
        super().down()
        self.receiver.close()

    def _lied_to(self, program: Program, seconds: float) -> Program:
        """Clocks are right here, and a program can be told something for its next start."""
        del seconds
        log = self.folder / "logs" / f"{program.name}.log"
        return replace(program, command=("/bin/sh", str(START), str(log), *program.command))

    # -- for the next start of a process ---------------------------------------------------------

    def once(
        self, name: str, settings: Mapping[str, str], *, before: str = "", instead: Sequence[str] = ()
    ) -> None:
        """For its next start, give a process settings, do something `before`, or start another program."""
        lines = [f"export {variable}={shlex.quote(value)}" for variable, value in settings.items()]
        lines += [before] if before else []
        lines += [f"exec {shlex.join(instead)}"] if instead else []
        self.program(name).folder.joinpath("once").write_text("\n".join(lines) + "\n")

    # -- signals -----------------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """Return the id of a process, 0 while there is none."""
        found: dict[str, Any] = self.ask("getProcessInfo", name)
        return int(found["pid"])

    def workers(self, name: str) -> list[int]:
        """Return the ids of a process's children."""
        pid = self.pid(name)
        try:
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process that runs."""
        os.kill(wait_for(lambda: self.pid(name)), number)

    def kill(self, name: str) -> int:
        """Kill a process and its workers, and return its id; the supervisor starts another one."""
        pid = wait_for(lambda: self.pid(name))
        children = self.workers(name)
        for victim in (pid, *children):
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        for child in children:
            self.ended(child)
        return pid

    def restart(self, name: str, settings: Mapping[str, str] | None = None) -> int:
        """Kill a process, wait until the next is ready, and return its id."""
        if settings:
            self.once(name, settings)
        return self.respawned(name, self.kill(name))

    def respawned(self, name: str, old: int) -> int:
        """Return the id of the process after `old` once it is ready."""
        program = self.program(name)
        pid = wait_for(lambda: found if (found := self.pid(name)) != old else 0, RESPAWN_SECONDS)
        wait_for(lambda: program.ready() or self.pid(name) != pid, RESPAWN_SECONDS)
        return pid

    def ended(self, pid: int, seconds: float = RESPAWN_SECONDS) -> bool:
        """Wait until a process has ended; tell whether it did."""
        deadline = time.monotonic() + seconds
        while Path(f"/proc/{pid}").exists():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def program(self, name: str) -> Program:
        """Return what is known of a process."""
        return next(program for program in self.programs if program.name == name)

    def idle(self, name: str) -> bool:
        """Whether a converter works on nothing."""
        with urlopen(f"http://127.0.0.1:{self.program(name).ports[-1]}/metrics", timeout=5) as answer:
            return "converter_busy 0.0" in answer.read().decode()

    def strays(self) -> list[str]:
        """Return what is at work on a video and is no converter: ffmpeg, left behind by a dead one."""
        converters = {self.pid(name) for name in PROCESSES if name.startswith("converter")}
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended
                files = [str(file.readlink()) for file in (process / "fd").iterdir()]
                scratch = any(f"{self.folder}/" in file and "/scratch/" in file for file in files)
                if scratch and int(process.name) not in converters:
                    found.append((process / "comm").read_text().strip())
        return found
