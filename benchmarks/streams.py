"""How soon a change of a job is told on many streams of many pages, and what they leave of one gateway.

`python -m benchmarks.streams [--streams 1000] [--owners 10] [--jobs 200] [--rounds 20]` starts a MongoDB
and a gateway of its own.
"""

import argparse
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from benchmarks.gateways import place, queued, token
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import now

MOST_SECONDS = 60.0
READ_BYTES = 64 * 1024


@dataclass
class Stream:
    """One page's stream: when each version of each job was told on it."""

    owner: str
    connection: socket.socket
    rest: bytes = b""
    is_open: bool = False
    told: dict[bytes, float] = field(default_factory=dict)

    def read(self) -> None:
        """Take what has come."""
        data = self.connection.recv(READ_BYTES)
        if not data:
            raise SystemExit("the gateway ended a stream")
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.is_open |= line.startswith(b"retry")
            if line.startswith(b"data: "):
                self.told[line[:200]] = time.perf_counter()

    def told_of(self, job: Job) -> float | None:
        """Return when this version of a job was told."""
        for line, when in self.told.items():
            if f'"id": "{job.id}"'.encode() in line and f'"version": {job.version},'.encode() in line:
                return when
        return None


def main() -> None:
    """Start what is needed, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--owners", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=200, help="of each owner")
    parser.add_argument("--rounds", type=int, default=20, help="changes, one of an owner after the other")
    asked = parser.parse_args()
    with place() as there:
        [gateway], client = there.gateways, there.client
        jobs = Jobs(client)
        owners = [f"user{number}@example.com" for number in range(asked.owners)]
        claimed = {owner: converting(jobs, owner, asked.jobs) for owner in owners}
        client["jobs"]["jobs"].update_many({}, {"$set": {"updated_at": now() - timedelta(hours=1)}})
        port = gateway.port
        with gateway.memory().watched() as memory:
            streams = [opened(port, owners[number % len(owners)]) for number in range(asked.streams)]
            with following(streams):
                wait_for(lambda: all(stream.is_open for stream in streams))
                delays, answers = changes(jobs, claimed, streams, port, asked.rounds)
        report(asked, delays, answers, memory())


def converting(jobs: Jobs, owner: str, count: int) -> Job:
    """Make so many jobs of an owner, and return the one of them that is being converted."""
    ids = [queued(jobs, owner, f"talk {number}.mp4") for number in range(count)]
    claimed = jobs.claim(ids[-1], owner)
    if claimed is None:
        raise SystemExit("a job could not be claimed")
    return claimed


def opened(port: int, owner: str) -> Stream:
    """Open a stream; what comes is read elsewhere."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=MOST_SECONDS)
    request = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token(owner)}\r\n\r\n"
    connection.sendall(request.encode())
    return Stream(owner, connection)


@contextmanager
def following(streams: list[Stream]) -> Iterator[None]:
    """Read all streams within the block."""
    over = threading.Event()
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.connection, selectors.EVENT_READ, stream)

        def read() -> None:
            while not over.is_set():
                for key, _ in selector.select(0.1):
                    key.data.read()

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def changes(
    jobs: Jobs, claimed: dict[str, Job], streams: list[Stream], port: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Change jobs; return how long each took to be told on each of its owner's streams, and short answers."""
    delays, answers, owners = list[float](), list[float](), list(claimed)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=MOST_SECONDS) as http:
        for number in range(rounds):
            owner = owners[number % len(owners)]
            began = time.perf_counter()
            jobs.renew(claimed[owner].claimed, progress=number / rounds)
            job = jobs.get(claimed[owner].id)
            mine = [stream for stream in streams if stream.owner == owner]
            while job is not None and any(stream.told_of(job) is None for stream in mine):
                asked = time.perf_counter()
                headers = {"Authorization": f"Bearer {token(owner)}"}
                http.get(f"/v1/jobs/{job.id}", headers=headers).raise_for_status()
                answers.append(time.perf_counter() - asked)
                if time.perf_counter() - began > MOST_SECONDS:
                    raise SystemExit("a change was not told")
                time.sleep(0.02)
            delays += [when - began for stream in mine if job and (when := stream.told_of(job))]
    return delays, answers


def wait_for(fact: Callable[[], bool]) -> None:
    """Return when it is so."""
    deadline = time.perf_counter() + MOST_SECONDS
    while not fact():
        if time.perf_counter() > deadline:
            raise SystemExit("the streams did not open")
        time.sleep(0.05)


def report(asked: argparse.Namespace, delays: list[float], answers: list[float], mib: float) -> None:
    """Print what was measured."""
    lines = (
        f"{asked.streams} streams of {asked.owners} owners with {asked.jobs} jobs each, {mib:.0f} MiB more",
        f"a change is told after {in_ms(delays)}",
        f"short answers meanwhile take {in_ms(answers)}",
    )
    print("\n".join(lines))  # noqa: T201 - what this command is for


def in_ms(seconds: list[float]) -> str:
    """Return the median and the most, in words."""
    middle, most = statistics.median(seconds) * 1000, max(seconds) * 1000
    return f"{middle:.0f} ms, {most:.0f} ms at the most, of {len(seconds)}"


if __name__ == "__main__":
    main()
