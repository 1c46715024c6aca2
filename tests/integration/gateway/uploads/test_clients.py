"""Clients of tus that are not ours upload over wires that break, to us and to tusd, the reference.

What differs there, and why: docs/decisions/0007-resumable-uploads.md.
"""

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from dev.ports import free_ports
from tests.integration.gateway.conftest import ROOT, Gateway, StartGateway, Stores, some
from tests.integration.gateway.uploads.tus import video
from tests.integration.gateway.uploads.wire import Wire, wired

CLIENTS = ROOT / "tests/clients"
FILE = video(3_000_000, seed=4)
CHUNK = 700_000


@dataclass
class Server:
    """A server of tus, behind a wire."""

    wire: Wire
    token: str
    stored: Callable[[str], bytes]
    """Returns what it has of an upload, by its address, or fails."""

    @property
    def endpoint(self) -> str:
        return f"{self.wire.url}/v1/uploads"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def ours(gateway: Gateway, start_gateway: StartGateway, stores: Stores) -> Iterator[Server]:
    """Two gateways, taken in turns."""

    def stored(address: str) -> bytes:
        job = some(stores.jobs.get(address[-32:]))
        assert (job.state, job.source["filename"]) == ("queued", "talk.mp4")
        assert stores.documents() == 1
        content = b"".join(stores.videos.read(stores.videos.find(job.id)))
        assert hashlib.sha256(content).hexdigest() == job.source["sha256"]
        return content

    with wired(gateway.port, start_gateway().port) as wire:
        yield Server(wire, gateway.auth.token("me@example.com"), stored)


@pytest.fixture
def reference(tmp_path: Path) -> Iterator[Server]:
    """The server by tus's own authors."""
    [port] = free_ports(1)
    folder = tmp_path / "tusd"
    folder.mkdir()
    with subprocess.Popen(
        [ROOT / ".tools/bin/tusd", folder, str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n"
        with wired(port) as wire:
            yield Server(wire, "any", lambda address: (folder / address.rpartition("/")[2]).read_bytes())
        process.kill()


@pytest.fixture(params=["ours", "reference"])
def server(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "talk.mp4"
    file.write_bytes(FILE)
    return file


def upload(client: str, server: Server, file: Path, **options: object) -> str:
    """Let a client upload a file and return the upload's address; nothing when the client was killed."""
    program = ["node", "upload.mjs"] if client == "tus-js-client" else [sys.executable, "upload.py"]
    given = {
        "client": client,
        "endpoint": server.endpoint,
        "file": str(file),
        "token": server.token,
        **options,
    }
    done = subprocess.run(
        [*program, json.dumps(given)], cwd=CLIENTS, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == -signal.SIGKILL:
        return ""
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


Client = Callable[..., str]


@pytest.fixture(params=["tus-js-client", "tuspy", "aiotus"])
def client(request: pytest.FixtureRequest) -> Client:
    return partial(upload, request.param)


def test_a_client_uploads_in_one_request(server: Server, client: Client, file: Path) -> None:
    assert server.stored(client(server, file)) == FILE


def test_a_client_uploads_in_chunks(server: Server, client: Client, file: Path) -> None:
    assert server.stored(client(server, file, chunkSize=CHUNK)) == FILE


def test_a_client_goes_on_by_itself_when_the_wire_is_cut(server: Server, client: Client, file: Path) -> None:
    server.wire.cuts = [400_000, 900_000, 100_000]

    address = client(server, file)

    assert server.wire.cut == 3
    assert server.stored(address) == FILE


def test_chunks_are_cut_too(server: Server, client: Client, file: Path) -> None:
    server.wire.cuts = [200_000, 500_000, 1000, 300_000]

    address = client(server, file, chunkSize=CHUNK)

    assert server.wire.cut == 4
    assert server.stored(address) == FILE


@pytest.mark.parametrize("options", [{"whileCreating": True}, {"deferred": True, "chunkSize": CHUNK}])
def test_what_else_the_reference_client_can(server: Server, file: Path, options: dict[str, object]) -> None:
    assert server.stored(upload("tus-js-client", server, file, **options)) == FILE


def test_a_client_that_is_killed_goes_on_where_it_was_when_it_is_started_again(
    server: Server, file: Path, tmp_path: Path
) -> None:
    send = partial(upload, "tus-js-client", server, file, chunkSize=CHUNK, urls=str(tmp_path / "urls.json"))

    assert send(dieAt=2_000_000) == ""
    address = send()

    assert server.stored(address) == FILE


def test_bytes_are_checked_on_their_way(ours: Server, file: Path) -> None:
    assert ours.stored(upload("tuspy", ours, file, chunkSize=CHUNK, checked=True)) == FILE


def test_the_last_answer_may_get_lost(server: Server, client: Client, file: Path) -> None:
    """Elsewhere clients then saw 404 and gave up, or sent empty requests for ever."""
    server.wire.lost = f"Upload-Offset: {len(FILE)}".encode()

    address = client(server, file)

    assert server.wire.cut == 1
    assert server.stored(address) == FILE
