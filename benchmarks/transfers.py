"""Upload and download one big file through the gateway, against the plain driver, in the same run.

`python -m benchmarks.transfers [--mib 1024]` starts a MongoDB and a gateway of its own and prints MB/s,
the ratio to pymongo on the same file, and by how much the gateway's resident memory grew.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gridfs

from benchmarks.gateways import MIB, Memory, place, queued, token
from pipeline.files import Blobs
from pipeline.jobs import Jobs
from pipeline.mongodb import Client


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
        job = jobs.claim(queued(jobs), "benchmark")
        if job is None:
            raise SystemExit("the job could not be claimed")
        with (
            Blobs(self.client, "mp3s").create(job.claimed.blob_id, "talk.mp3") as writer,
            self.file.open("rb") as file,
        ):
            while piece := file.read(MIB):
                writer.write(piece)
        stored = {"blob": writer.id, "size": writer.size, "sha256": writer.sha256}
        jobs.finish(job.claimed, {**stored, "duration": 1.0, "complete": True, "warnings": []})
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
    with place() as there:
        [gateway], client = there.gateways, there.client
        file = there.folder / "talk.mp4"
        with file.open("wb") as out:
            for _ in range(arguments.mib):
                out.write(os.urandom(MIB))
        bench = Bench(client, f"http://127.0.0.1:{gateway.port}", gateway.memory(), file)
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
