"""A gateway as it runs in production, on a real MongoDB, with a small auth of the tests' own.

There is no RabbitMQ: the gateway must not need it to answer.
"""

import json
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4
from zlib import crc32

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask, Response, abort, request
from werkzeug.serving import make_server

from auth.authorization import basic, bearer
from dev.ports import free_ports
from dev.program import Program, Running, answers
from pipeline import mongodb
from pipeline.files import Blobs
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.upload_store import UploadStore
from tests.watched import watched_client

ROOT = Path(__file__).resolve().parents[3]
MAX_UPLOAD_BYTES = 32 * 1024 * 1024
SECONDS = 60.0
"""How long a test waits for a fact."""


class SmallAuth:
    """Issues tokens, publishes its key, and answers everything else with what it was asked."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.asked: list[dict[str, Any]] = []
        self.revocations: dict[str, int] = {}
        self.sessions: dict[str, tuple[str, str]] = {}
        """By secret: the id of a session, and whose it is."""
        self.ended: set[str] = set()
        self.keys_of: dict[str, tuple[str, str]] = {}
        """Personal keys: who has them and what they allow; each is its own id."""
        self.revoked_keys: list[str] = []
        self.refuses = False
        app = Flask("small auth")
        app.add_url_rule("/.well-known/jwks.json", view_func=self.keys)
        app.add_url_rule("/revocations", view_func=self.revoked)
        app.add_url_rule("/login", view_func=self.login, methods=["POST"])
        app.add_url_rule("/sessions", view_func=self.begin_session, methods=["POST"])
        app.add_url_rule("/sessions/token", view_func=self.exchange, methods=["POST"])
        app.add_url_rule("/sessions/<session_id>", view_func=self.end_session, methods=["DELETE"])
        app.add_url_rule("/keys", view_func=self.make_key, methods=["POST"])
        app.add_url_rule("/keys/<key>", view_func=self.revoke_key, methods=["DELETE"])
        app.add_url_rule("/<path:path>", view_func=self.echo, methods=["GET", "POST", "PUT", "PATCH"])
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def token(self, username: str, scope: str = "jobs:read jobs:write", **claims: Any) -> str:
        now = int(time.time())
        standard = {"sub": username, "iss": "video-to-mp3", "aud": "video-to-mp3", "iat": now}
        own = {"exp": now + 3600, "jti": uuid4().hex, "username": username, "admin": False, "scope": scope}
        return jwt.encode({**standard, **own, **claims}, self.key, "ES256", {"kid": "k1"})

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "k1", "alg": "ES256", "use": "sig"}]}

    def revoked(self) -> dict[str, Any]:
        ended, revoked = sorted(self.ended), self.revoked_keys
        return {"revocations": self.revocations, "ended_sessions": ended, "revoked_keys": revoked}

    def begin_session(self) -> Response:
        self.echo("sessions")
        given = basic(request.headers.get("Authorization", ""))
        if given is None or given[1] != "right":
            return Response("invalid credentials", 401)
        session_id, secret = uuid4().hex, secrets.token_urlsafe(32)
        self.sessions[secret] = session_id, given[0]
        return Response(json.dumps({"id": session_id, "secret": secret}), 201, mimetype="application/json")

    def exchange(self) -> Response:
        self.echo("sessions/token")
        session_id, username = self.sessions.get(request.headers["Authorization"].split()[1], ("", ""))
        if not session_id or session_id in self.ended:
            return Response("there is no such session, or no longer", 404)
        scope = "jobs:read jobs:write" + " admin" * (username == "boss@example.com")
        return Response(self.token(username, scope, sid=session_id), mimetype="text/plain")

    def end_session(self, session_id: str) -> Response:
        self.echo(f"sessions/{session_id}")
        self.ended.add(session_id)
        return Response(status=204)

    def make_key(self) -> tuple[dict[str, Any], int]:
        """Make one of the caller's; the rest of what auth tells is left out."""
        self.echo("keys")
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        key = f"v2m_{uuid4().hex}000000"
        self.keys_of[key] = (claims["username"], request.get_json()["scope"])
        return {"id": key, "key": key}, 201

    def revoke_key(self, key: str) -> Response:
        self.echo(f"keys/{key}")
        self.revoked_keys.append(key)
        return Response(status=204)

    def login(self) -> Response:
        self.echo("login")
        header = request.headers.get("Authorization", "")
        given = basic(header)
        key = bearer(header) if given is None else given[1]
        if key in self.keys_of and key not in self.revoked_keys:
            name, scope = self.keys_of[key]
            return Response(self.token(name, scope, key=key), mimetype="text/plain")
        if given is not None and given[1] == "right":
            scope = "jobs:read jobs:write" + " admin" * (given[0] == "boss@example.com")
            return Response(self.token(given[0], scope), mimetype="text/plain")
        refused = Response("invalid credentials", 401, mimetype="text/plain")
        refused.headers["WWW-Authenticate"] = 'Basic realm="login"'
        return refused

    def echo(self, path: str) -> dict[str, Any]:
        if self.refuses:
            abort(403)
        asked = {"method": request.method, "path": f"/{path}", "headers": dict(request.headers)}
        self.asked.append({**asked, "body": request.get_data()})
        return {"path": f"/{path}"}


@dataclass(frozen=True)
class Stores:
    """The gateway's own view of MongoDB, to arrange and to look."""

    jobs: Jobs
    uploads: UploadStore
    videos: Blobs
    mp3s: Blobs
    client: mongodb.Client

    def chunks(self, database: str = "videos") -> int:
        return self.client[database]["fs.chunks"].count_documents({})

    def documents(self) -> int:
        return self.client["jobs"]["jobs"].count_documents({})

    def queued(self, owner: str = "me@example.com", filename: str = "talk.mp4") -> Job:
        begun = self.jobs.begin_upload(
            owner, filename=filename, content_type="video/mp4", options={}, request_id="r"
        )
        return some(self.jobs.queue(begun.id, size=3, sha256="00", options={}))

    def failed(self, job: Job) -> Job:
        error = {
            "code": "no_audio_track",
            "message": "It is silent.",
            "hint": "Add sound.",
            "retryable": False,
            "log": ["Stream map '' matches no streams."],
        }
        return some(self.jobs.fail(some(self.jobs.claim(job.id, f"holder-{job.id}")).claimed, error))

    def done(self, owner: str, content: bytes, filename: str = "talk.mp4") -> Job:
        """A finished job with this MP3."""
        return self.finished(self.queued(owner, filename), content)

    def split(self, owner: str, *parts: bytes, filename: str = "talk.mp4") -> Job:
        """A finished job whose MP3 was split into these parts."""
        return self.finished(self.queued(owner, filename), b"".join(parts), parts)

    def finished(self, job: Job, content: bytes = b"mp3", parts: Sequence[bytes] = ()) -> Job:
        """What the converter makes of a queued job."""
        claimed = some(self.jobs.claim(job.id, f"holder-{job.id}"))
        with self.mp3s.create(claimed.claimed.blob_id, "talk.mp3", peaks=b"\x07\x08") as writer:
            writer.write(content)
        stored = {"blob": writer.id, "size": writer.size, "sha256": writer.sha256, "crc32": crc32(content)}
        result = {**stored, "peaks": 2, "duration": 1.0, **self._parts(claimed, parts)}
        return some(self.jobs.finish(claimed.claimed, {**result, "complete": True, "warnings": []}))

    def _parts(self, claimed: Job, parts: Sequence[bytes]) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        if parts:
            with self.mp3s.create(claimed.claimed.parts_id, "talk.parts") as writer:
                for number, part in enumerate(parts, start=1):
                    named = {"number": number, "title": None, "name": f"{number:02}.mp3", "start": 0.0}
                    sums = {"sha256": sha256(part).hexdigest(), "crc32": crc32(part)}
                    place = {"place": writer.size, "size": len(part), "duration": 1.0}
                    found.append({**named, **place, **sums})
                    writer.write(part)
        return {"parts": found, "parts_size": sum(map(len, parts))}


def some(job: Job | None) -> Job:
    assert job is not None
    return job


@dataclass
class Gateway:
    """A running gateway process."""

    running: Running
    auth: SmallAuth

    @property
    def port(self) -> int:
        return self.running.program.ports[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of its first process, which leads the group of all."""
        assert self.running._process is not None
        return self.running._process.pid

    @property
    def processes(self) -> list[Path]:
        """The folders under /proc of all its processes."""
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ended just now
                group = status.read_text().rpartition(")")[2].split()[2]
                if int(group) == self.pid:
                    found.append(status.parent)
        return found

    def client(self, username: str = "me@example.com", scope: str = "jobs:read jobs:write") -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.auth.token(username, scope)}"}
        return watched_client(base_url=self.url, headers=headers, timeout=SECONDS)


StartGateway = Callable[..., Gateway]
StartBrowser = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def auth() -> Iterator[SmallAuth]:
    auth = SmallAuth()
    yield auth
    auth.server.shutdown()
    auth.server.server_close()


def program(folder: Path, mongodb_url: str, auth_url: str, settings: dict[str, str]) -> Program:
    port, admin_port, no_broker = free_ports(3)
    python = Path(sys.executable)
    environment = {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "MONGODB_URL": mongodb_url,
        "RABBITMQ_URL": f"amqp://nobody:x@127.0.0.1:{no_broker}/",
        "AUTH_URL": auth_url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "ADMIN_HOST": "127.0.0.1",
        "ADMIN_PORT": str(admin_port),
        "MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES),
        "SLOW_AFTER": "PT3S",
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        **settings,
    }
    command = (
        str(python.parent / "gunicorn"),
        "--config",
        "python:gateway.server",
        "gateway.app:create_app()",
    )
    ready = lambda: answers(port, b"GET / HTTP/1.0\r\n\r\n")  # noqa: E731 - one line
    return Program("gateway", command, environment, folder, (port, admin_port), ready)


@pytest.fixture(scope="session")
def gateway(mongodb_url: str, auth: SmallAuth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    running = Running(program(tmp_path_factory.mktemp("gateway"), mongodb_url, auth.url, {}))
    running.start()
    yield Gateway(running, auth)
    running.stop()


@pytest.fixture
def start_gateway(mongodb_url: str, auth: SmallAuth, tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways with other settings; they end with the test."""
    started: list[Running] = []

    def start(**settings: str) -> Gateway:
        folder = tmp_path / f"gateway-{len(started)}"
        running = Running(program(folder, mongodb_url, auth.url, settings))
        running.start()
        started.append(running)
        return Gateway(running, auth)

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def chromium(tmp_path: Path) -> StartBrowser:
    """Starts a browser without a window."""

    def start(*arguments: str) -> "subprocess.Popen[str]":
        quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        command = ["chromium", *quiet, f"--user-data-dir={tmp_path / 'chromium'}", *arguments]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return start


@pytest.fixture
def stores(mongodb_url: str) -> Iterator[Stores]:
    """Empty stores."""
    with mongodb.connect(mongodb_url) as client:
        uploads = UploadStore(client, timedelta(days=1))
        stores = Stores(Jobs(client), uploads, Blobs(client, "videos"), Blobs(client, "mp3s"), client)
        for database in ("jobs", "videos", "mp3s"):
            for name in client[database].list_collection_names():
                client[database][name].delete_many({})
        for store in (stores.jobs, stores.uploads, stores.videos, stores.mp3s):
            store.ensure_indexes()
        yield stores


@pytest.fixture
def me(gateway: Gateway, stores: Stores) -> Iterator[httpx.Client]:
    """A logged-in user's client."""
    assert stores.documents() == 0
    with gateway.client() as client:
        yield client


@pytest.fixture
def other(gateway: Gateway) -> Iterator[httpx.Client]:
    """Another user's client."""
    with gateway.client("other@example.com") as client:
        yield client


def wait_until(fact: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Return when `fact` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
