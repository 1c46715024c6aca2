"""What a crowd of waiting clients costs everybody else, against one gateway process.

`python -m benchmarks.crowd [--scale 1.0] [--seconds 30] [--hold 600] [--tus]` starts a MongoDB and a gateway
of its own.  It measures short requests and the upload of 10 MB clips first alone, then beside the crowd:
watchers, uploads at 5 kB/s, downloads that stall, half requests and silent connections, from 50 users; with
`--hold` again so many seconds later; and at last while all of them leave, and when they have left.  With
`--tus` every other upload is a resumable one.
"""

import argparse
import asyncio
import resource
import socket
import statistics
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Event, Process
from multiprocessing.synchronize import Event as Flag

import httpx

from benchmarks.gateways import MIB, Keys, place, queued, token
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
MP3_BYTES = 16 * MIB
"""More than the sockets between a gateway and a client that stalls can hold."""
SLOW_BYTES = 5_000
"""What a slow upload sends each second."""
LEAVING_SECONDS = 10.0
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


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
    tus: bool
    open: dict[str, int] = field(default_factory=dict)

    async def hold(self, scale: float, there: Flag, leave: Flag) -> None:
        """Let everybody come, say so by `there`, and stay until `leave` is set."""
        clients = [
            asyncio.create_task(self._client(kind, number))
            for kind, many in CROWD.items()
            for number in range(round(many * scale))
        ]
        deadline = time.monotonic() + 60
        while sum(self.open.values()) < len(clients) * 0.98 and time.monotonic() < deadline:  # noqa: ASYNC110 - a thousand clients make it true
            await asyncio.sleep(0.2)
        there.set()
        await asyncio.to_thread(leave.wait)
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
            if self.tus and number % 2:
                told = "".join(f"{name}: {value}\r\n" for name, value in TUS.items())
                begin = f"POST /v1/uploads HTTP/1.1\r\n{asked}{told}Upload-Length: {CLIP}\r\n\r\n"
                writer.write(begin.encode())
                answer = (await reader.readuntil(b"\r\n\r\n")).decode()
                [place] = [line.rpartition("/")[2] for line in answer.split("\r\n") if "Location:" in line]
                head = f"PATCH /v1/uploads/{place} HTTP/1.1\r\n{asked}{told}Upload-Offset: 0\r\n"
                head += f"Content-Length: {CLIP}\r\n\r\n"
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


def crowd(everybody: Crowd, scale: float, there: Flag, leave: Flag) -> None:
    """Run the crowd in a process of its own."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(everybody.hold(scale, there, leave))


def short_answers(port: int, job: str, seconds: float) -> list[float]:
    """Ask for short things in turn and return how many seconds each answer took."""
    times = []
    headers = {"Authorization": f"Bearer {token(user(0))}"}
    deadline = time.monotonic() + seconds
    anew = httpx.Limits(max_keepalive_connections=0)  # each by a connection of its own
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=anew, timeout=60) as client:
        while time.monotonic() < deadline:
            for method, path in (("GET", "/v1/limits"), ("POST", "/login"), ("GET", f"/v1/jobs/{job}")):
                began = time.monotonic()
                auth = ("me@example.com", "x") if method == "POST" else None
                client.request(method, path, auth=auth, headers={} if auth else headers).raise_for_status()
                times.append(time.monotonic() - began)
    return times


def uploads(port: int, seconds: float, tus: bool, speeds: list[float]) -> None:  # noqa: FBT001 - of the command
    """Upload 10 MB clips one after the other, with `tus` every other one by it, and add the MB/s of each."""
    deadline = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {token('uploader@example.com')}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=120) as client:
        while time.monotonic() < deadline:
            began = time.monotonic()
            if tus and len(speeds) % 2:
                begun = client.post("/v1/uploads", headers={**TUS, "Upload-Length": str(CLIP)})
                place = begun.raise_for_status().headers["Location"]
                answer = client.patch(place, headers={**TUS, "Upload-Offset": "0"}, content=bytes(CLIP))
            else:
                answer = client.post("/v1/jobs", content=bytes(CLIP))
            answer.raise_for_status()
            speeds.append(CLIP / 1e6 / (time.monotonic() - began))


@dataclass(frozen=True)
class Bench:
    """What is measured, and at which gateway."""

    port: int
    admin_port: int
    job: str
    tus: bool
    rows: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def measure(self, name: str, seconds: float) -> None:
        """Add a row: how short answers and uploads fare now, and what the gateway takes up after them."""
        speeds: list[float] = []
        uploader = threading.Thread(target=uploads, args=(self.port, seconds, self.tus, speeds))
        uploader.start()
        times = short_answers(self.port, self.job, seconds)
        uploader.join()
        self.rows[name] = (
            statistics.median(times) * 1e3,
            statistics.quantiles(times, n=100)[98] * 1e3,
            max(times) * 1e3,
            statistics.median(speeds),
            self._metric("process_resident_memory_bytes") / MIB,
            self._metric("process_open_fds"),
        )

    def _metric(self, name: str) -> float:
        text = httpx.get(f"http://127.0.0.1:{self.admin_port}/metrics").text
        [line] = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(line.split()[1])

    def print(self) -> None:
        """Print the rows as a table."""
        times = ("short answers, median ms", "p99 ms", "slowest ms")
        heads = ("", *times, "10 MB uploads, MB/s", "resident MiB", "open files")
        lines = [heads, ["---"] * len(heads)]
        lines += [(name, *(f"{figure:.1f}" for figure in figures)) for name, figures in self.rows.items()]
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))  # noqa: T201 - what this is for


def main() -> None:
    """Start what is needed, measure alone and beside the crowd, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=30, help="how long each is measured (default 30)")
    parser.add_argument("--hold", type=float, default=0, help="how long the crowd stays besides (default 0)")
    parser.add_argument("--tus", action="store_true", help="let every other upload be a resumable one")
    asked = parser.parse_args()
    with place(auth=Auth) as found:
        [gateway], jobs, mp3s = found.gateways, Jobs(found.client), Blobs(found.client, "mp3s")
        port = gateway.port
        ids = [queued(jobs, user(n)) for n in range(USERS)]
        ids += [finished(jobs, mp3s, user(n)) for n in range(USERS)]
        bench = Bench(port, gateway.admin_port, ids[0], asked.tus)
        short_answers(port, ids[0], 2)  # warms up
        bench.measure("alone", asked.seconds)
        there, leave = Event(), Event()
        process = Process(
            target=crowd, args=(Crowd(port, ids, asked.tus), asked.scale, there, leave), daemon=True
        )
        process.start()
        there.wait(90)
        name = f"beside {round(sum(CROWD.values()) * asked.scale)}"
        bench.measure(name, asked.seconds)
        if asked.hold:
            time.sleep(asked.hold)
            bench.measure(f"{name}, {asked.hold:g} s later", asked.seconds)
        leave.set()
        bench.measure("while they leave", LEAVING_SECONDS)
        process.join()
        bench.measure("when they have left", LEAVING_SECONDS)
    bench.print()


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
