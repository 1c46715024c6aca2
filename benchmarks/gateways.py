"""The gateways that a benchmark measures, as their image runs them, and a MongoDB behind them."""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from dev import servers
from dev.ports import free_ports
from dev.program import Program, Running, answers
from pipeline import mongodb
from pipeline.files import Blobs
from pipeline.jobs import Jobs
from pipeline.mongodb import Client

MIB = 1024 * 1024
PASSWORD = "for-one-run"  # noqa: S105 - of a server that ends with this program
OWNER = "me@example.com"
KEY = ec.generate_private_key(ec.SECP256R1())


class Keys(BaseHTTPRequestHandler):
    """What the gateway asks auth for here."""

    def do_GET(self) -> None:
        """Publish the key that the tokens are signed with, and that none of them was revoked."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
        self.send_response(200)
        self.end_headers()
        keys = [{**public, "kid": "k", "alg": "ES256"}]
        self.wfile.write(json.dumps({"keys": keys, "revocations": {}}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def token(owner: str = OWNER) -> str:
    """Return a token for an owner."""
    now = int(time.time())
    claims = {"sub": owner, "iss": "video-to-mp3", "aud": "video-to-mp3", "iat": now, "exp": now + 7200}
    own = {"jti": uuid4().hex, "username": owner, "admin": False, "scope": "jobs:read jobs:write"}
    return jwt.encode({**claims, **own}, KEY, "ES256", {"kid": "k"})


def _gateway(folder: Path, mongodb_url: str, auth_port: int, port: int, admin_port: int) -> Program:
    """Return the gateway as its image runs it; there is no RabbitMQ, and nothing is converted."""
    folder_of_python = Path(sys.executable).parent
    environment = {
        "PATH": f"{folder_of_python}:/usr/bin:/bin",
        "PYTHONPATH": str(Path.cwd()),
        "MONGODB_URL": mongodb_url,
        "RABBITMQ_URL": "amqp://nobody:x@127.0.0.1:9/",
        "AUTH_URL": f"http://127.0.0.1:{auth_port}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "ADMIN_HOST": "127.0.0.1",
        "ADMIN_PORT": str(admin_port),
        "REQUESTS_PER_MINUTE": "1000000000",
        "LOGINS_PER_MINUTE": "1000000000",
        "MAX_ACTIVE_JOBS": "1000000000",
    }
    command = (str(folder_of_python / "gunicorn"), "--config", "python:gateway.server")
    ready = partial(answers, port, b"GET / HTTP/1.0\r\n\r\n")
    return Program(
        "gateway", (*command, "gateway.app:create_app()"), environment, folder, (port, admin_port), ready
    )


@contextmanager
def started(program: Program) -> Iterator[Running]:
    """Run a program within the block."""
    running = Running(program)
    running.start()
    try:
        yield running
    finally:
        running.stop()


class Memory:
    """The most that the processes of a program hold in memory while it is watched, in MiB."""

    def __init__(self, marker: str) -> None:
        self._pids = [entry.name for entry in Path("/proc").iterdir() if self._belongs(entry, marker)]

    @staticmethod
    def _belongs(entry: Path, marker: str) -> bool:
        try:
            return marker.encode() in (entry / "environ").read_bytes()
        except OSError:
            return False

    def now(self) -> float:
        """Return what they hold now."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids)
        return pages * os.sysconf("SC_PAGE_SIZE") / MIB

    @contextmanager
    def watched(self) -> Iterator[Callable[[], float]]:
        """Look every 20 ms; yields a function that returns the growth at its highest."""
        before, peak = self.now(), [0.0]
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(0.02):
                peak[0] = max(peak[0], self.now() - before)

        thread = threading.Thread(target=look)
        thread.start()
        yield lambda: peak[0]
        stop.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where one listens."""

    port: int
    admin_port: int

    def memory(self) -> Memory:
        """Return what watches its processes."""
        return Memory(f"ADMIN_PORT={self.admin_port}")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder for files of the benchmark, the store, and the gateways."""

    folder: Path
    client: Client
    gateways: list[Gateway]


def queued(jobs: Jobs, owner: str = OWNER, filename: str = "talk.mp4") -> str:
    """Make a job that waits, and return its id."""
    begun = jobs.begin_upload(owner, filename=filename, content_type="video/mp4", options={}, request_id="r")
    jobs.queue(begun.id, size=1, sha256="00", options={})
    return begun.id


@contextmanager
def place(gateways: int = 1, auth: type[Keys] = Keys) -> Iterator[Place]:
    """Run so many gateways within the block; `auth` answers what they ask auth for."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys = ThreadingHTTPServer(("127.0.0.1", 0), auth)
        threading.Thread(target=keys.serve_forever, daemon=True).start()
        stack.callback(keys.shutdown)
        mongodb_port, *ports = free_ports(1 + 2 * gateways)
        stack.enter_context(started(servers.mongodb(folder / "mongodb", mongodb_port, PASSWORD)))
        url = f"mongodb://root:{PASSWORD}@127.0.0.1:{mongodb_port}"
        client = stack.enter_context(mongodb.connect(url))
        Jobs(client).ensure_indexes()
        for blobs in ("videos", "mp3s"):
            Blobs(client, blobs).ensure_indexes()
        found = []
        for number in range(gateways):
            port, admin_port = ports[2 * number : 2 * number + 2]
            program = _gateway(folder / f"gateway{number}", url, keys.server_address[1], port, admin_port)
            stack.enter_context(started(program))
            found.append(Gateway(port, admin_port))
        yield Place(folder, client, found)
