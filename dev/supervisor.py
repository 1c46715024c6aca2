"""Keep the programs of a stack running: supervisord, and what makes sure that there is one of it.

It starts again whatever ends.  It dies with nobody: a shell starts it again, and its programs end
with it (`setpriv --pdeathsig`), so there is never a second one of anything.
"""

import os
import shlex
import signal
import subprocess
import time
import xmlrpc.client  # with our own supervisor only  # nosec B411
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dev import servers
from dev.errors import CannotRun
from dev.program import Program
from dev.services import BIN

MARK = "VIDEO_TO_MP3_STACK"
"""In the environment of every process of a stack, with its folder: how a lost one is found."""
UP_SECONDS = 180.0
LOOKS = 3
"""So often nothing must be found: who is just being started shows no environment."""
DOWN_SECONDS = 120.0


class Supervisor:
    """The supervisor of the stack in a folder, on its port."""

    def __init__(self, folder: Path, port: int, password: str, old_logs: int = 1) -> None:
        self._folder = folder
        self._port = port
        self._password = password
        self._old_logs = old_logs

    def ask(self, word: str, *arguments: Any) -> Any:
        """Return the answer to a method of its interface (http://supervisord.org/api.html).

        Raises:
            OSError: no supervisor answers.
            xmlrpc.client.Error: it refuses.
        """
        place = f"supervisor:{self._password}@127.0.0.1:{self._port}"
        with xmlrpc.client.ServerProxy(f"http://{place}/RPC2", allow_none=True) as server:
            return getattr(server.supervisor, word)(*arguments)

    def states(self) -> dict[str, str] | None:
        """Return each program's state as the supervisor calls it, or `None` when it does not run."""
        try:
            found: list[dict[str, Any]] = self.ask("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error):
            return None
        return {
            program["name"]: "DONE"
            if program["statename"] == "EXITED" and program["exitstatus"] == 0
            else program["statename"]
            for program in found
        }

    def start(self, programs: Sequence[Program]) -> None:
        """Start it and, through it, every program.

        Raises:
            CannotRun: it does not start.
        """
        settings = self._folder / "supervisord.conf"
        settings.touch(mode=0o600)
        settings.write_text(self._settings(programs))
        supervisord = shlex.join([str(BIN / "supervisord"), "--nodaemon", "--silent", "-c", str(settings)])
        with (self._folder / "logs" / "supervisor.out").open("ab") as output:
            subprocess.run(  # noqa: S603 - built above
                # It says 2 where its port or settings cannot be had: once more would be no better.
                ["/bin/sh", "-c", f"until {supervisord}; do [ $? -ne 2 ] || exit; sleep 1; done &"],
                check=True,
                env={**servers.environment(self._folder, BIN), MARK: str(self._folder)},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

        deadline = time.monotonic() + UP_SECONDS
        while self.states() is None:
            if time.monotonic() > deadline or not _processes_of(self._folder):
                end_lost_processes(self._folder)
                raise CannotRun(f"no supervisor runs; the end of {output.name} says why")
            time.sleep(0.1)

    def end(self) -> None:
        """End it and every program."""
        pid = None
        with suppress(OSError, xmlrpc.client.Error):
            pid = self.ask("getPID")
            self.ask("shutdown")
        deadline = time.monotonic() + DOWN_SECONDS
        while pid is not None and Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        end_lost_processes(self._folder)

    def _settings(self, programs: Sequence[Program]) -> str:
        logs = self._folder / "logs"
        sections = [
            "[supervisord]",
            f"logfile={logs / 'supervisor.log'}",
            f"pidfile={self._folder / 'supervisord.pid'}",
            "[inet_http_server]",
            f"port=127.0.0.1:{self._port}",
            f"username=supervisor\npassword={self._password}",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]
        for priority, program in enumerate(programs):
            values = ",".join(f'{name}="{value}"' for name, value in program.environment.items())
            sections += [
                f"[program:{program.name}]",
                f"command={shlex.join(['setpriv', '--pdeathsig', 'KILL', *program.command])}".replace(
                    "%", "%%"
                ),
                f"environment={values}".replace("%", "%%"),
                f"directory={program.folder}",
                f"priority={priority}",
                "autorestart=false\nstartsecs=0" if program.once else "autorestart=true",
                "startretries=1000000\nstopwaitsecs=40\nkillasgroup=true\nredirect_stderr=true",
                f"stdout_logfile={logs / program.name}.log",
                f"stdout_logfile_maxbytes=10MB\nstdout_logfile_backups={self._old_logs}",
            ]
        return "\n".join(sections) + "\n"


def end_lost_processes(folder: Path) -> None:
    """Kill what still belongs to a stack: nothing, unless somebody killed its supervisor."""
    deadline, looks = time.monotonic() + DOWN_SECONDS, 0
    while looks < LOOKS and time.monotonic() < deadline:
        lost = _processes_of(folder)
        looks = 0 if lost else looks + 1
        for pid in lost:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def _processes_of(folder: Path) -> list[int]:
    mark, found = f"{MARK}={folder}\0".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended just now, or is another user's
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and mark in (process / "environ").read_bytes() + b"\0":
                found.append(int(process.name))
    return found
