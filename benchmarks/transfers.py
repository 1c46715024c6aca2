"""Upload and download one big file through the gateway, against the plain driver, in the same run.

`python -m benchmarks.transfers [--mib 1024]` starts a MongoDB and a gateway of its own and prints MB/s,
the ratio to pymongo on the same file, and by how much the gateway's resident memory grew.
"""

import argparse
import json
import os
import subprocess
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

import gridfs
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


def gateway(folder: Path, mongodb_url: str, auth_port: int, port: int, admin_port: int) -> Program:
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


@dataclass(frozen=True)
class Bench:
    """What is measured with."""

    client: Client
    url: str
    memory: Memory
    file: Path

    def curl(self, *arguments: str) -> str:
        """Return what curl received."""
        command = ["curl", "-sS", "--fail", "-H", f"Authorization: Bearer {token()}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - above

    def rate(self, work: Callable[[], object]) -> float:
        """Return how fast `work` goes through the file, in MB/s."""
        began = time.perf_counter()
        work()
        return self.file.stat().st_size / (time.perf_counter() - began) / 1e6

    def plain_upload(self) -> None:
        """Upload with the driver alone."""
        with self.file.open("rb") as source:
            gridfs.GridFSBucket(self.client["plain"]).upload_from_stream("talk.mp4", source)

    def upload(self) -> None:
        """Upload through the gateway."""
        self.curl("-F", f"file=@{self.file}", f"{self.url}/upload")

    def plain_download(self, blob_id: str) -> None:
        """Read the blob with the driver alone, chunk by chunk, and throw it away as curl does."""
        chunks, n = self.client["mp3s"]["fs.chunks"], 0
        with Path("/dev/null").open("wb") as sink:
            while chunk := chunks.find_one({"files_id": blob_id, "n": n}):
                sink.write(chunk["data"])
                n += 1

    def finished_job(self) -> tuple[str, str]:
        """Return the ids of a job and of its MP3, which is the file."""
        jobs = Jobs(self.client)
        begun = jobs.begin_upload(
            OWNER, filename="talk.mp4", content_type="video/mp4", options={}, request_id="r"
        )
        jobs.queue(begun.id, size=1, sha256="00", options={})
        job = jobs.claim(begun.id, "benchmark")
        if job is None:
            raise SystemExit("the job could not be claimed")
        with (
            Blobs(self.client, "mp3s").create(job.claimed.blob_id, "talk.mp3") as writer,
            self.file.open("rb") as file,
        ):
            while piece := file.read(MIB):
                writer.write(piece)
        jobs.finish(job.claimed, {"blob": writer.id, "size": writer.size, "sha256": writer.sha256})
        return job.id, writer.id

    def compare(self, name: str, plain: Callable[[], object], ours: Callable[[], object]) -> None:
        """Print both rates, their ratio, and the gateway's growth."""
        theirs = self.rate(plain)
        with self.memory.watched() as growth:
            mine = self.rate(ours)
        ratio = f"ratio {mine / theirs:.2f}"
        print(  # noqa: T201 - what this program is for
            f"{name}: gateway {mine:.0f} MB/s, pymongo {theirs:.0f} MB/s, {ratio}, memory +{growth():.1f} MiB"
        )


def main() -> None:
    """Start what is needed, measure twice, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file (default 1024)")
    parser.add_argument("--rounds", type=int, default=2, help="the first one warms up (default 2)")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        threading.Thread(target=keys.serve_forever, daemon=True).start()
        mongodb_port, port, admin_port = free_ports(3)
        stack.enter_context(started(servers.mongodb(folder / "mongodb", mongodb_port, PASSWORD)))
        url = f"mongodb://root:{PASSWORD}@127.0.0.1:{mongodb_port}"
        program = gateway(folder / "gateway", url, keys.server_address[1], port, admin_port)
        stack.enter_context(started(program))
        client = stack.enter_context(mongodb.connect(url))
        for blobs in (Blobs(client, "videos"), Blobs(client, "mp3s")):
            blobs.ensure_indexes()
        file = folder / "talk.mp4"
        with file.open("wb") as out:
            for _ in range(arguments.mib):
                out.write(os.urandom(MIB))
        bench = Bench(client, f"http://127.0.0.1:{port}", Memory(f"ADMIN_PORT={admin_port}"), file)
        for _ in range(arguments.rounds):
            bench.compare("upload  ", bench.plain_upload, bench.upload)
            client.drop_database("plain")
        job_id, blob_id = bench.finished_job()
        download = f"{bench.url}/download?fid={job_id}"
        for _ in range(arguments.rounds):
            bench.compare(
                "download",
                partial(bench.plain_download, blob_id),
                partial(bench.curl, "-o", "/dev/null", download),
            )


if __name__ == "__main__":
    main()
