"""The native stack as its tests of trouble want it, and what one looks up in it afterwards.

A proxy stands before every server; every service runs twice, behind a proxy too where it is asked for
anything, as behind a Service of Kubernetes; and the clocks of the two are 20 s apart.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymongo

from dev.program import Program
from dev.services import _says_ready
from dev.stack import ADMIN_NAMES, RANGE, Stack
from pipeline import broker
from tests.chaos import lies
from tests.chaos.proxy import Proxy
from tests.e2e.conftest import PASSWORD, User
from tests.watched import watched_client

URLS = {"mongodb": "mongodb_url", "rabbitmq": "rabbitmq_url", "mariadb": "database_url"}
"""The secret that says where each server is."""
SHORTENED = {"mongodb": "/?maxIdleTimeMS=5000&heartbeatFrequencyMS=1000", "rabbitmq": "?heartbeat=4"}
"""What is said there besides: nothing is a minute, so that an idle hour can be tried."""
SERVERS = (*URLS, "mail")
WIRES = (*SERVERS, "gateway", "auth")
SETTINGS = {"RECONCILE_EVERY": "PT1S", "ABANDON_UPLOADS_AFTER": "PT2M"}
CLOCK = 10.0
"""How many seconds the first of each service is late, and the second early."""


class WiredStack(Stack):
    """A stack whose services reach their servers over `wires`; tests speak to the servers themselves."""

    old_logs = 100  # all of them are searched

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, {**SETTINGS, **(settings or {})})
        self.wires: dict[str, Proxy] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._lies = lies.build(folder)

    @property
    def gateway_url(self) -> str:
        """Where the gateways are reached."""
        return f"http://127.0.0.1:{self.wires['gateway'].port}"

    @property
    def full_disk(self) -> Path:
        """While this file exists, the converters' disk is full."""
        return self.folder / "full"

    @cached_property
    def programs(self) -> list[Program]:
        """Every program, the services twice."""
        programs = []
        for program in super().programs:
            if program.name in ADMIN_NAMES:
                programs += [self._lied_to(program, -CLOCK), self._lied_to(self._second(program), CLOCK)]
            else:
                programs.append(program)
        return programs

    def _second(self, program: Program) -> Program:
        number = len(WIRES) + ADMIN_NAMES.index(program.name)
        port, admin = self._more_ports + number, self._more_ports + number + len(ADMIN_NAMES)
        name = f"{program.name}-2"
        environment = {**program.environment, "ADMIN_PORT": str(admin)}
        ports: tuple[int, ...] = (admin,)
        if "PORT" in environment:
            environment["PORT"] = str(port)
            ports = (port, admin)
        ready, folder = partial(_says_ready, admin), self.folder / name
        return replace(program, name=name, environment=environment, folder=folder, ports=ports, ready=ready)

    def _lied_to(self, program: Program, seconds: float) -> Program:
        told = lies.clock(self._lies, seconds)
        if program.name.startswith("converter"):
            told |= {**lies.disk(self._lies, self.full_disk), "SHUTDOWN_GRACE": "PT1S"}
        return replace(program, environment={**program.environment, **told})

    @property
    def _more_ports(self) -> int:
        return self.port("gateway") + RANGE

    def _choose_ports(self, wanted: int | None) -> socket.socket:
        holder = super()._choose_ports(wanted)
        first = self._more_ports
        self.wires = {name: Proxy(self.port(name), port=first + n) for n, name in enumerate(WIRES)}
        for name in ("gateway", "auth"):
            self.wires[name].targets.append(first + len(WIRES) + ADMIN_NAMES.index(name))
        self._settings = {
            **self._settings,
            "AUTH_URL": f"http://127.0.0.1:{self.wires['auth'].port}",
            "SMTP_URL": f"smtp://127.0.0.1:{self.wires['mail'].port}",
        }
        return holder

    def _prepare(self) -> None:
        super()._prepare()
        for name, secret in URLS.items():
            file = self.secrets / secret
            url = file.read_text().strip().replace(f":{self.port(name)}", f":{self.wires[name].port}")
            file.write_text(url + SHORTENED.get(name, ""))

    def down(self) -> None:
        """End everything, the proxies too."""
        super().down()
        for wire in self.wires.values():
            wire.close()
        self.wires = {}

    def user(self, name: str) -> User:
        """Make a user and log in; who asks closes its `http`."""
        self.users("add", name, password=PASSWORD)
        client = watched_client(base_url=self.gateway_url, timeout=120)
        token = client.post("/login", auth=(name, PASSWORD)).raise_for_status().text
        client.headers["Authorization"] = f"Bearer {token}"
        return User(name, self, client)

    @contextmanager
    def some_user(self) -> Iterator[User]:
        """Make a user for the time of the block."""
        user = self.user(f"{uuid4().hex[:8]}@example.com")
        with closing(user.http):
            yield user

    def mongodb(self) -> pymongo.MongoClient[dict[str, Any]]:
        """Return a connection to MongoDB itself."""
        return pymongo.MongoClient(self.direct("mongodb"))

    def books(self, user: User, accepted: list[str]) -> dict[str, list[str]]:
        """Return what must be nothing once every accepted job of a user is over.

        What is left of refused uploads is swept up in time: `leftovers`.
        """
        jobs = {job_id: user.job(job_id) for job_id in accepted}
        mails = {job_id: len(user.mails(job_id)) for job_id in accepted}
        with self.mongodb() as client:
            blobs = [str(file["_id"]) for file in client["mp3s"]["fs.files"].find({}, {"_id": 1})]
            stray = client["jobs"]["jobs"].find({"owner": user.name, "_id": {"$nin": accepted}}, {"state": 1})
            unexpected = [str(job["_id"]) for job in stray if job["state"] != "uploading"]
        mp3s = {job_id: sum(blob.startswith(job_id) for blob in blobs) for job_id in accepted}
        queues = [f"{name}{twin}" for name in broker.QUEUES for twin in ("", ".dlq")]
        waiting = [name for name in queues if broker.depth(self.direct("rabbitmq"), name)]
        return {
            "lost": [job_id for job_id, job in jobs.items() if job["state"] != "done" or not mails[job_id]],
            "mp3s doubled": [job_id for job_id, count in mp3s.items() if count > 1],
            "mails doubled": [job_id for job_id, count in mails.items() if count > 1],
            "unexpected": unexpected,
            "messages left": waiting,
        }

    def leftovers(self) -> list[str]:
        """Return uploads that never ended, and blobs of which there are chunks and no file."""
        with self.mongodb() as client:
            jobs = client["jobs"]["jobs"].find({"state": "uploading"}, {"_id": 1})
            orphans = [
                set(client[name]["fs.chunks"].distinct("files_id"))
                - set(client[name]["fs.files"].distinct("_id"))
                for name in ("videos", "mp3s")
            ]
            return [*(str(job["_id"]) for job in jobs), *map(str, set[Any]().union(*orphans))]

    def direct(self, name: str) -> str:
        url = (self.secrets / URLS[name]).read_text().strip()
        return url.replace(f":{self.wires[name].port}", f":{self.port(name)}")
