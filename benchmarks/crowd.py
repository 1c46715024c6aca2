"""What a crowd of waiting clients costs everybody else, against one gateway process.

`python -m benchmarks.crowd [--scale 1.0] [--seconds 30]` starts a MongoDB and a gateway of its own.  It
measures short requests and the upload of 10 MB clips first alone, then beside the crowd: watchers, uploads
at 5 kB/s, downloads that stall, half requests and silent connections, from 50 users.
"""

import argparse
import asyncio
import resource
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from multiprocessing import Event, Process
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import httpx

from benchmarks.transfers import MIB, PASSWORD, Keys, gateway, started, token
from dev import servers
from dev.ports import free_ports
from pipeline import mongodb
from pipeline.files import Blobs
from pipeline.jobs import Jobs

CROWD = {
    "watchers": 1000,
    "slow uploads": 200,
    "stalled downloads": 200,
    "half requests": 1000,
    "silent": 500,
}
USERS = 50
CLIP = 10_000_000
MP3_BYTES = 48 * MIB
SLOW_BYTES = 5_000
"""What a slow upload sends each second."""


class Auth(Keys):
    """Publishes its keys, and logs everybody in."""

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        """Answer a login."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"token")


def user(number: int) -> str:
    """Return the name of one of the crowd's users."""
    return f"user{number % USERS}@example.com"


@dataclass
class Crowd:
    """Everybody who waits, on one thread; who is thrown out comes back."""

    port: int
    jobs: list[str]
    """A queued job of each user, and then a finished one of each."""
    open: dict[str, int] = field(default_factory=dict)

    async def hold(self, scale: float, seconds: float, everybody_there: Callable[[], None]) -> None:
        """Let everybody come, call `everybody_there`, and stay for so long."""
        clients = [
            asyncio.create_task(self._client(kind, number))
            for kind, many in CROWD.items()
            for number in range(round(many * scale))
        ]
        deadline = time.monotonic() + 60
        while sum(self.open.values()) < len(clients) * 0.98 and time.monotonic() < deadline:  # noqa: ASYNC110 - a thousand clients make it true
            await asyncio.sleep(0.2)
        everybody_there()
        await asyncio.sleep(seconds)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _client(self, kind: str, number: int) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._once(kind, number)
            await asyncio.sleep(1)

    async def _once(self, kind: str, number: int) -> None:
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        connection.setblocking(False)  # noqa: FBT003 - the signature of sockets
        if kind == "stalled downloads":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(connection, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=4096)
        self.open[kind] = self.open.get(kind, 0) + 1
        try:
            await self._behave(kind, number, reader, writer)
        finally:
            self.open[kind] -= 1
            writer.close()

    async def _behave(
        self, kind: str, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked = f"Host: x\r\nAuthorization: Bearer {token(user(number))}\r\n"
        queued, done = self.jobs[number % USERS], self.jobs[USERS + number % USERS]
        if kind == "watchers":
            writer.write(f"GET /v1/jobs/{queued}/events HTTP/1.1\r\n{asked}\r\n".encode())
            while await reader.read(4096):
                pass
        elif kind == "slow uploads":
            head = f"POST /v1/jobs HTTP/1.1\r\n{asked}Content-Length: {CLIP}\r\n\r\n"
            writer.write(head.encode())
            while not reader.at_eof():
                writer.write(b"\0" * SLOW_BYTES)
                await writer.drain()
                await asyncio.sleep(1)
        elif kind == "stalled downloads":
            writer.write(f"GET /v1/jobs/{done}/mp3 HTTP/1.1\r\n{asked}\r\n".encode())
            await reader.readexactly(1000)
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket's transport
            await asyncio.sleep(3600)
        else:
            if kind == "half requests":
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
            await reader.read(1)


def crowd(port: int, jobs: list[str], scale: float, seconds: float, there: Flag) -> None:
    """Run the crowd in a process of its own."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(Crowd(port, jobs).hold(scale, seconds, there.set))


def short_answers(port: int, job: str, seconds: float) -> list[float]:
    """Ask for short things in turn and return how many seconds each answer took."""
    times = []
    headers = {"Authorization": f"Bearer {token(user(0))}"}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for method, path in (("GET", "/v1/limits"), ("POST", "/login"), ("GET", f"/v1/jobs/{job}")):
            began = time.monotonic()
            auth = ("me@example.com", "x") if method == "POST" else None
            answer = httpx.request(
                method,
                f"http://127.0.0.1:{port}{path}",
                auth=auth,
                headers={} if auth else headers,
                timeout=60,
            )
            answer.raise_for_status()
            times.append(time.monotonic() - began)
    return times


def uploads(port: int, seconds: float, speeds: list[float]) -> None:
    """Upload 10 MB clips one after the other and add the MB/s of each."""
    deadline = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {token('uploader@example.com')}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=120) as client:
        while time.monotonic() < deadline:
            began = time.monotonic()
            client.post("/v1/jobs", content=bytes(CLIP)).raise_for_status()
            speeds.append(CLIP / 1e6 / (time.monotonic() - began))


def measured(port: int, job: str, seconds: float) -> tuple[float, float, float]:
    """Return the median and the 99th percentile of short answers in ms, and an upload's median MB/s."""
    speeds: list[float] = []
    uploader = threading.Thread(target=uploads, args=(port, seconds, speeds))
    uploader.start()
    times = short_answers(port, job, seconds)
    uploader.join()
    return (
        statistics.median(times) * 1e3,
        statistics.quantiles(times, n=100)[98] * 1e3,
        statistics.median(speeds),
    )


def resident_mib(port: int) -> float:
    """Return the resident memory of the gateway's worker process."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    [line] = [line for line in text.splitlines() if line.startswith("process_resident_memory_bytes ")]
    return float(line.split()[1]) / MIB


def main() -> None:
    """Start what is needed, measure alone and beside the crowd, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        auth = ThreadingHTTPServer(("127.0.0.1", 0), Auth)
        threading.Thread(target=auth.serve_forever, daemon=True).start()
        mongodb_port, port, admin_port = free_ports(3)
        stack.enter_context(started(servers.mongodb(folder / "mongodb", mongodb_port, PASSWORD)))
        url = f"mongodb://root:{PASSWORD}@127.0.0.1:{mongodb_port}"
        client = stack.enter_context(mongodb.connect(url))
        jobs, mp3s = Jobs(client), Blobs(client, "mp3s")
        jobs.ensure_indexes()
        ids = [queued(jobs, user(n)) for n in range(USERS)]
        ids += [finished(jobs, mp3s, user(n)) for n in range(USERS)]
        stack.enter_context(started(gateway(folder, url, auth.server_address[1], port, admin_port)))
        short_answers(port, ids[0], 2)  # warms up
        rows = {"alone": (*measured(port, ids[0], arguments.seconds), resident_mib(admin_port))}
        there = Event()
        process = Process(target=crowd, args=(port, ids, arguments.scale, arguments.seconds + 10, there))
        process.start()
        there.wait(90)
        name = f"beside {round(sum(CROWD.values()) * arguments.scale)}"
        rows[name] = (*measured(port, ids[0], arguments.seconds), resident_mib(admin_port))
        process.join()
        time.sleep(5)
        rows["when they left"] = (*measured(port, ids[0], 5), resident_mib(admin_port))
    heads = ("", "short answers, median ms", "p99 ms", "10 MB uploads, MB/s", "resident MiB")
    lines = [heads, ["---"] * len(heads)]
    lines += [(name, *(f"{figure:.1f}" for figure in figures)) for name, figures in rows.items()]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))  # noqa: T201 - what this is for


def queued(jobs: Jobs, owner: str) -> str:
    """Make a job that waits, and return its id."""
    begun = jobs.begin_upload(owner, filename="a.mp4", content_type="video/mp4", options={}, request_id="r")
    jobs.queue(begun.id, size=1, sha256="00", options={})
    return begun.id


def finished(jobs: Jobs, mp3s: Blobs, owner: str) -> str:
    """Make a job that has a large MP3, and return its id."""
    claimed = jobs.claim(queued(jobs, owner), f"holder of {owner}")
    if claimed is None:
        raise RuntimeError("the job was not claimed")
    with mp3s.create(claimed.claimed.blob_id, "a.mp3") as blob:
        for _ in range(MP3_BYTES // MIB):
            blob.write(bytes(MIB))
    result = {"blob": blob.id, "size": blob.size, "sha256": blob.sha256, "duration": 1.0, "complete": True}
    jobs.finish(claimed.claimed, {**result, "warnings": []})
    return claimed.id


if __name__ == "__main__":
    main()
