"""The native stack: every server and service of the suite as plain processes under one folder."""

import fcntl
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from dev import maildir, servers, supervisor
from dev.errors import CannotRun
from dev.ports import hold, is_free
from dev.program import Program
from dev.secret_files import keep, keep_signing_key
from dev.services import BIN, CLONE, Surroundings, services
from dev.supervisor import Supervisor
from dev.waiting import until_ready

FOLDER = CLONE / ".stack"
FIRST_BASE = 8080
"""The gateway's port, if it and those after it are free."""
RANGE = 20
"""How many ports a stack takes, from its base on."""
LAST_BASE = 65535 - RANGE
NAMES = ("gateway", "auth", "mariadb", "rabbitmq", "erlang", "epmd", "mongodb", "mail", "supervisor")
ADMIN_NAMES = ("gateway", "auth", "reconciler", "converter", "notification")
MB = 1000 * 1000
LEAST_FREE = 1500 * MB
TOOLS = {"auth.users": "auth-migrate", "gateway.doctor": "gateway"}
"""The operators' tools, and the program whose settings each reads."""


class Stack:
    """One stack, in its folder and on its ports."""

    old_logs = 1
    """How many files of 10 MB each process's log has besides the one that it writes."""

    def __init__(
        self, folder: Path = FOLDER, settings: Mapping[str, str] | None = None, least_free: int = LEAST_FREE
    ) -> None:
        self.folder = folder
        self._settings = settings or {}
        self._least_free = least_free
        self._base = folder / "port-base"

    # -- what one asks it to do ----------------------------------------------------------------

    def up(self, base: int | None = None) -> None:
        """Start what does not run, and return when everything is ready.

        Raises:
            CannotRun: something does not start, or a port is taken.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as claims:
            claims.enter_context(self._turn())
            states = self.states()
            if states is not None and base not in (None, self.port("gateway")):
                raise CannotRun(
                    f"the suite is up, on ports from {self.port('gateway')} on; "
                    f"for others: make down, then PORT_BASE={base} make up"
                )
            if states is None:
                supervisor.end_lost_processes(self.folder)
                claims.enter_context(self._choose_ports(base))
                self._look_at_space()
                self._prepare()
                self._start()
            for name, state in (states or {}).items():
                if state in ("STOPPED", "FATAL"):
                    self.ask("startProcess", name, False)  # noqa: FBT003 - an interface by position: do not wait
            self._wait_until_ready()

    def down(self) -> None:
        """End everything; what was stored stays."""
        if not self._base.exists():
            return
        self._supervisor.end()

    def clean(self) -> None:
        """End everything and remove the folder."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- what one asks of it ---------------------------------------------------------------------

    def states(self) -> dict[str, str] | None:
        """Return each program's state as the supervisor calls it, or `None` when it does not run."""
        return self._supervisor.states() if self._base.exists() else None

    def port(self, name: str) -> int:
        """Return the port of a server or service, or a service's admin port as `admin:NAME`."""
        kind, _, admin = name.partition(":")
        base = int(self._base.read_text())
        return base + (len(NAMES) + ADMIN_NAMES.index(admin) if kind == "admin" else NAMES.index(name))

    @property
    def gateway_url(self) -> str:
        """Where the gateway is reached."""
        return f"http://localhost:{self.port('gateway')}"

    @property
    def secrets(self) -> Path:
        """The folder of passwords, keys and addresses that were made up for this stack."""
        return self.folder / "secrets"

    def mails(self, to: str) -> list[str]:
        """Return the text of each mail to one address, the oldest first."""
        return [maildir.text(mail) for mail in maildir.mails(self.folder / "mail") if mail["To"] == to]

    def users(self, *arguments: str, password: str = "") -> None:
        """Run auth's operators' tool, with a password on its standard input.

        Raises:
            CannotRun: the tool refused; the message has its words.
        """
        done = self.tool("auth.users", *arguments, input=password, capture_output=True)
        if done.returncode != 0:
            raise CannotRun(done.stderr.strip() or done.stdout.strip())

    def tool(self, module: str, *arguments: str, **how: Any) -> "subprocess.CompletedProcess[str]":
        """Run an operators' tool with the settings of the process that it belongs to."""
        named = {program.name: program for program in self.programs}
        environment = dict(named[TOOLS[module]].environment)
        if module == "gateway.doctor":
            environment |= {n: v for n, v in named["notification"].environment.items() if n == "SMTP_URL"}
        command = [str(BIN / "python"), "-m", module, *arguments]
        return subprocess.run(command, env=environment, cwd=CLONE, text=True, check=False, **how)  # noqa: S603 - built above

    def ask(self, word: str, *arguments: Any) -> Any:
        """Return the supervisor's answer, as `Supervisor.ask` does."""
        return self._supervisor.ask(word, *arguments)

    @cached_property
    def programs(self) -> list[Program]:
        """Every program, those that others need first."""
        folder, port = self.folder, self.port
        erlang = (port("rabbitmq"), port("erlang"))
        around = Surroundings(
            folder=folder,
            secrets=self.secrets,
            gateway_port=port("gateway"),
            auth_port=port("auth"),
            mail_port=port("mail"),
            admin_ports={name: port(f"admin:{name}") for name in ADMIN_NAMES},
            settings=self._settings,
        )
        return [
            servers.epmd(folder / "epmd", port("epmd")),
            servers.mariadb(folder / "mariadb", port("mariadb"), self._secret("mysql_password")),
            servers.rabbitmq(folder / "rabbitmq", erlang, port("epmd"), self._secret("rabbitmq_password")),
            servers.mongodb(folder / "mongodb", port("mongodb"), self._secret("mongodb_password")),
            servers.mail_sink(folder / "mail", port("mail")),
            *services(around),
        ]

    # -- how it is done ----------------------------------------------------------------------------

    @property
    def _supervisor(self) -> Supervisor:
        password = self._secret("supervisor_password")
        return Supervisor(self.folder, self.port("supervisor"), password, self.old_logs)

    def _start(self) -> None:
        try:
            self._supervisor.start(self.programs)
        except CannotRun:
            self._base.unlink()  # or the next start would want the same ports again
            raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Keep a second start of this clone waiting until the first is through."""
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("another command is already starting this suite: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _look_at_space(self) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < self._least_free:
            raise CannotRun(
                f"{free // MB:,} MB are free where {self.folder} is; RabbitMQ accepts no messages below "
                f"1,000: free some space until there are {self._least_free // MB:,} MB"
            )

    def _wait_until_ready(self) -> None:
        awaited = list(self.programs)

        def missing() -> list[str]:
            awaited[:] = [program for program in awaited if not self._is_ready(program)]
            return [program.name for program in awaited]

        until_ready(missing, word="waiting for ")

    def _is_ready(self, program: Program) -> bool:
        if not program.once:
            return program.ready()
        state = (self.states() or {}).get(program.name)
        if state == "EXITED":
            raise CannotRun(f"{program.name} failed; {self.folder / 'logs' / program.name}.log says why")
        return state == "DONE"

    def _choose_ports(self, wanted: int | None) -> socket.socket:
        """Settle the base: the one asked for, else the one of last time, else the first that is free.

        Return what keeps other clones from it until its servers listen.
        """
        if wanted is None and self._base.exists():
            wanted = int(self._base.read_text())
        for base in range(FIRST_BASE, LAST_BASE, RANGE) if wanted is None else (wanted,):
            holder = hold(f"stack/{base}")
            taken = base if holder is None else _taken(base)
            if holder is not None and taken is None:
                self._base.write_text(f"{base}\n")
                self.__dict__.pop("programs", None)  # made for other ports
                return holder
            if holder is not None:
                holder.close()
        raise CannotRun(
            f"port {taken} is taken: free it, or choose another range: PORT_BASE={base + 100} make up"
        )

    def _prepare(self) -> None:
        (self.folder / "logs").mkdir(exist_ok=True)
        secret, port = self._secret, self.port
        secret("first_admin_password")
        keep_signing_key(self.secrets / "signing-keys")
        urls = {
            "database_url": f"mysql://auth:{secret('mysql_password')}@127.0.0.1:{port('mariadb')}/auth",
            "mongodb_url": f"mongodb://root:{secret('mongodb_password')}@127.0.0.1:{port('mongodb')}",
            "rabbitmq_url": f"amqp://app:{secret('rabbitmq_password')}@127.0.0.1:{port('rabbitmq')}/%2F",
        }
        for name, url in urls.items():
            (self.secrets / name).unlink(missing_ok=True)  # the ports may be others now
            keep(self.secrets / name, url)
        for program in self.programs:
            program.folder.mkdir(exist_ok=True)
            program.prepare()

    def _secret(self, name: str) -> str:
        self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        return keep(self.secrets / name)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _taken(base: int) -> int | None:
    """Return the first port of a range that somebody listens on."""
    return next((port for port in range(base, base + RANGE) if not is_free(port)), None)
