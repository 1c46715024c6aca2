"""How far off the times are that waiting users are told.

`python -m benchmarks.eta` starts a suite of its own with two converters, has it measure nine conversions, and
then queues 60 jobs of three users: sound and video of several containers and lengths, one user's half of
them first.  Every second each job's `eta_seconds` is compared with what came true.  It prints the median
error, how often a time was missing, and how often one rose by over a minute without a line in the log.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from benchmarks.gateways import started
from benchmarks.latency import ffmpeg
from dev.ports import free_ports
from dev.program import answers
from dev.stack import Stack

PASSWORD = "for-one-run-only"  # noqa: S105 - of users that end with this program
SETTINGS = {"REQUESTS_PER_MINUTE": "100000", "LOGINS_PER_MINUTE": "1000", "UPLOADS_PER_USER": "10"}
KINDS = {
    "wav": ("-ar", "16000"),
    "mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "mp4": (
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=320x180:rate=10",
        "-shortest",
        "-preset",
        "ultrafast",
        "-b:a",
        "128k",
    ),
}
LONGEST = 1800
LEAST_LEFT = 2.0
"""Seconds: below, a share of what is left says nothing."""
RISE = 60.0
LATE = "jobs end later than was told"


def make_media(folder: Path, *endings: str) -> dict[str, Path]:
    """Return the longest file of each kind: a noise like speech and music have it."""
    files = {}
    for ending in endings:
        how = KINDS[ending]
        files[ending] = folder / f"whole.{ending}"
        ffmpeg("-f", "lavfi", "-i", f"anoisesrc=color=pink:r=44100:d={LONGEST}", *how, str(files[ending]))
    return files


def cut(whole: Path, seconds: int) -> Path:
    """Return the beginning of a file."""
    part = whole.with_name(f"{seconds}{whole.suffix}")
    if not part.exists():
        ffmpeg("-i", str(whole), "-t", str(seconds), "-c", "copy", str(part))
    return part


@contextmanager
def suite(folder: Path, converters: int) -> Iterator[Stack]:
    """Run a suite with so many converters within the block, each with one encoder."""
    folder.mkdir(exist_ok=True)
    stack = Stack(folder / "stack", {**SETTINGS, "ENCODERS": "1"})
    stack.up()
    try:
        with ExitStack() as others:
            [first] = [program for program in stack.programs if program.name == "converter"]
            for number, port in zip(
                range(2, converters + 1), free_ports(max(converters - 1, 1)), strict=False
            ):
                own = folder / f"converter-{number}"
                environment = {
                    **first.environment,
                    "ADMIN_PORT": str(port),
                    "SCRATCH_DIR": str(own / "scratch"),
                }
                ready = partial(answers, port, b"GET /livez HTTP/1.0\r\n\r\n")
                prepare = partial((own / "scratch").mkdir, parents=True, exist_ok=True)
                twin = replace(
                    first, environment=environment, folder=own, ports=(port,), ready=ready, prepare=prepare
                )
                others.enter_context(started(twin))
            yield stack
    finally:
        stack.down()


def user(stack: Stack, name: str) -> httpx.Client:
    """Return a client that is logged in as a new user."""
    stack.users("add", name, password=PASSWORD)
    http = httpx.Client(base_url=stack.gateway_url, timeout=60)
    token = http.post("/login", auth=(name, PASSWORD)).raise_for_status().text
    http.headers["Authorization"] = f"Bearer {token}"
    return http


def upload(http: httpx.Client, file: Path) -> str:
    """Upload a file and return its job's id."""
    with file.open("rb") as body:
        answer = http.post("/v1/jobs", params={"name": file.name}, content=body).raise_for_status()
    job_id: str = answer.json()["jobs"][0]["id"]
    return job_id


def jobs_of(http: httpx.Client) -> list[dict[str, Any]]:
    """Return a user's jobs."""
    found: list[dict[str, Any]] = (
        http.get("/v1/jobs", params={"limit": 100}).raise_for_status().json()["jobs"]
    )
    return found


@dataclass
class Told:
    """What was told of one job: when, in which state, and how many seconds were left."""

    times: list[tuple[float, str, int | None]] = field(default_factory=list)
    ended_at: float = 0.0

    def errors(self, state: str) -> list[float]:
        """Return by which shares of what was really left the times were off in a state."""
        left = [
            (self.ended_at - at, eta) for at, seen, eta in self.times if seen == state and eta is not None
        ]
        return [abs(eta - really) / really for really, eta in left if really >= LEAST_LEFT]

    @property
    def missing(self) -> int:
        """How often no time was told."""
        return sum(eta is None for _, _, eta in self.times)

    @property
    def rises(self) -> int:
        """How often the end was told to be over a minute later than the second before."""
        ends = [at + eta for at, _, eta in self.times if eta is not None]
        return sum(later - sooner > RISE for sooner, later in pairwise(ends))


def watch(users: list[httpx.Client], wanted: set[str]) -> dict[str, Told]:
    """Note what is told of jobs every second until the last has ended."""
    told = {job_id: Told() for job_id in wanted}
    while any(not job.ended_at for job in told.values()):
        for http in users:
            at = time.time()
            for job in jobs_of(http):
                if job["id"] not in told or told[job["id"]].ended_at:
                    continue
                if job["state"] in ("queued", "converting"):
                    told[job["id"]].times.append((at, job["state"], job["eta_seconds"]))
                elif job["state"] == "done":
                    told[job["id"]].ended_at = datetime.fromisoformat(job["ended_at"]).timestamp()
                else:
                    raise SystemExit(f"a job came to {job['state']}: {job['error']}")
        time.sleep(1)
    return told


def measure(stack: Stack, media: dict[str, Path], count: int, seed: int) -> None:
    """Queue the jobs, watch them, print."""
    draw = random.Random(seed)  # noqa: S311 - so that a run can be had again
    users = [user(stack, f"{name}@example.com") for name in "abc"]
    learned = [upload(users[0], cut(media[kind], seconds)) for kind in media for seconds in (60, 300, 900)]
    watch(users[:1], set(learned))
    files = [
        cut(
            media[draw.choice(list(media))],
            round(min(LONGEST, draw.lognormvariate(6.0, 0.8)) / 30 + 1) * 30,
        )
        for _ in range(count)
    ]
    shares = (count // 2, count // 3, count - count // 2 - count // 3)
    owners = [http for http, share in zip(users, shares, strict=True) for _ in range(share)]
    with ThreadPoolExecutor(4) as pool:
        wanted = set(pool.map(upload, owners, files))
    told = list(watch(users, wanted).values())
    for state in ("queued", "converting"):
        errors = [error for job in told for error in job.errors(state)]
        if errors:
            text = f"{state}: median error {statistics.median(errors):.0%} of {len(errors)} times told"
            print(f"{text}, nine in ten within {statistics.quantiles(errors, n=10)[-1]:.0%}")  # noqa: T201 - what this program is for
    every = [error for job in told for state in ("queued", "converting") for error in job.errors(state)]
    log = (stack.folder / "logs" / "gateway.log").read_text()
    print(f"all: median error {statistics.median(every):.0%}")  # noqa: T201 - likewise
    print(f"missing: {sum(job.missing for job in told)} of {sum(len(job.times) for job in told)}")  # noqa: T201 - likewise
    rises = sum(job.rises for job in told)
    print(f"rises by over a minute: {rises}, lines in the log that tell why: {log.count(LATE)}")  # noqa: T201 - likewise


def main() -> None:
    """Start the suite, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60, help="of three users (default 60)")
    parser.add_argument("--converters", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7, help="of kinds and lengths")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = make_media(folder, *KINDS)
        with suite(folder, arguments.converters) as stack:
            measure(stack, media, arguments.jobs, arguments.seed)


if __name__ == "__main__":
    main()
