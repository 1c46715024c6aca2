"""What a claim costs, by how many jobs wait, and whether another owner's first job is next.

`python -m benchmarks.turns` starts a MongoDB of its own (mongod where there is one, else the stand-in, which
sorts without an index) and prints the median of claims, and how many documents the server examined for
one, where it says that.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gateways import PASSWORD, started
from dev import servers
from dev.ports import free_ports
from pipeline import mongodb
from pipeline.fair_queue import WINDOW, FairQueue
from pipeline.job_document import new
from pipeline.jobs import Jobs
from pipeline.mongodb import Client, Document, StoreRefused, StoreUnavailable, translated
from pipeline.turns import Turns

BATCH = 10_000
RESULT = {"blob": "x", "size": 0, "sha256": "", "duration": 0.0, "complete": True, "warnings": []}


def thousands(count: int) -> Iterator[list[Document]]:
    """Yield batches of waiting jobs of one owner, each a turn after the one before."""
    blank = new("a@example.com", filename="a.mp4", content_type="video/mp4", options={}, request_id="r")
    blank |= {"state": "queued", "source": {**blank["source"], "size": 1, "sha256": ""}}
    for start in range(0, count, BATCH):
        turns = range(start, min(start + BATCH, count))
        yield [{**blank, "_id": f"{turn:032x}", "turn": turn} for turn in turns]


def measure(client: Client, waiting: int, trials: int) -> None:
    """Print what claims cost with so many jobs that wait, and who is next when another owner comes."""
    client.drop_database("jobs")
    jobs = Jobs(client)
    jobs.ensure_indexes()
    for batch in thousands(waiting):
        client["jobs"]["jobs"].insert_many(batch)
    queue, seconds, owners = FairQueue(jobs, Turns(client)), [], []
    for number in range(trials + 1):
        if number == trials:
            begun = jobs.begin_upload(
                "b@example.com", filename="b.mp4", content_type="video/mp4", options={}, request_id="r"
            )
            queued = jobs.queue(begun.id, size=1, sha256="", options={})
            if queued is None or not jobs.mark_rung(queued, "video"):
                raise SystemExit("the other owner's job was not queued")
        began = time.perf_counter()
        job = queue.claim("", "benchmark")
        seconds.append(time.perf_counter() - began)
        if job is None or jobs.finish(job.claimed, RESULT) is None:
            raise SystemExit("a claim found nothing")
        owners.append(job.owner[0])
    print(  # noqa: T201 - what this program is for
        f"{waiting:7,} waiting: claim {statistics.median(seconds) * 1000:.1f} ms (median of {trials + 1}), "
        f"{examined(client)}, next after {trials} of A: {owners[-1].upper()}"
    )


def examined(client: Client) -> str:
    """Return how many documents the server looks at to find those that a claim chooses from."""
    find = {
        "find": "jobs",
        "filter": {"state": "queued", "doorbell.video.due_at": None},
        "sort": {"turn": 1, "created_at": 1},
        "limit": WINDOW,
    }
    try:
        with translated():
            said = client["jobs"].command("explain", find, verbosity="executionStats")
    except (StoreRefused, StoreUnavailable):
        return "documents examined: the server does not say"
    return f"{said['executionStats']['totalDocsExamined']} documents examined"


def main() -> None:
    """Start the store, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100, help="claims at each length (default 100)")
    parser.add_argument("--waiting", type=int, nargs="+", default=[100, 1_000, 10_000, 100_000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        [port] = free_ports(1)
        program = servers.mongodb(Path(folder) / "mongodb", port, PASSWORD)
        with (
            started(program),
            mongodb.connect(f"mongodb://root:{PASSWORD}@127.0.0.1:{port}") as client,
        ):
            print(f"store: {Path(program.command[0]).name}")  # noqa: T201 - likewise
            for waiting in arguments.waiting:
                measure(client, waiting, arguments.trials)


if __name__ == "__main__":
    main()
