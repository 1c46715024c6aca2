"""From the begin of an upload to the mail, against a bare ffmpeg doing the same conversion.

`python -m benchmarks.latency [--rounds 20]` starts a suite of its own, takes both times in turn, and
prints their medians, what the suite adds, and the median of each stage by the log lines of the processes.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg

from dev.stack import Stack

USER, PASSWORD = "me@example.com", "for-one-run-only"
CLIP = Path(__file__).resolve().parent.parent / "tests" / "media" / "big_buck_bunny_5s.mp4"
MAIL_SECONDS = 30.0
STAGES = (
    ("receive and store", "begun", "uploaded"),
    ("send the message", "uploaded", "message sent to video"),
    ("take it, and claim", "message sent to video", "claimed"),
    ("tell of the outcome, send the mail", "message sent to mp3", "mail sent"),
)
"""Each stage between two lines of the log; those of the converter are told by itself."""


@dataclass(frozen=True)
class Bench:
    """What is measured with."""

    stack: Stack
    http: httpx.Client
    video: Path

    def bare(self) -> float:
        """Return the seconds that ffmpeg alone needs from the video to the MP3."""
        began = time.perf_counter()
        ffmpeg(
            "-i", str(self.video), "-map", "0:a:0", "-c:a", "libmp3lame", "-q:a", "2", "-ac", "2", self.mp3
        )
        return time.perf_counter() - began

    @property
    def mp3(self) -> str:
        """Where the bare run puts its MP3."""
        return str(self.video.with_suffix(".mp3"))

    def whole(self) -> tuple[float, float, str]:
        """Return the seconds from the begin of an upload to its mail, its time by the clock, and the job."""
        mails = self.stack.folder / "mail" / "mails" / "new"
        before = len(list(mails.iterdir()))
        began, at = time.perf_counter(), time.time()
        with self.video.open("rb") as file:
            answer = self.http.post("/upload", files={"file": (self.video.name, file)}).raise_for_status()
        while len(list(mails.iterdir())) == before:
            if time.perf_counter() - began > MAIL_SECONDS:
                raise SystemExit(f"no mail within {MAIL_SECONDS:g} s")
            time.sleep(0.001)
        return time.perf_counter() - began, at, answer.headers["X-Job-Id"]

    def stages(self, began: float, job: str) -> dict[str, float]:
        """Return the seconds of each stage of a job, once its last line is logged."""
        at, converter = {"begun": began}, dict[str, float]()
        while "mail sent" not in at or not converter:
            for line in self.lines(job):
                event = line["event"] + (f" to {line['bell']}" if "bell" in line else "")
                at[event] = datetime.fromisoformat(line["timestamp"]).timestamp()
                converter = line.get("stages", converter)
            time.sleep(0.01)
        *first, last = ((name, at[end] - at[begin]) for name, begin, end in STAGES)
        return {**dict(first), **converter, **dict([last])}

    def lines(self, job: str) -> Iterator[dict[str, Any]]:
        """Yield what was logged of a job."""
        for name in ("gateway", "converter", "notification"):
            for text in (self.stack.folder / "logs" / f"{name}.log").read_text().splitlines():
                if job in text:
                    yield json.loads(text)


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg, quietly."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments


def main() -> None:
    """Start the suite, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="measured, after two to warm up (default 20)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "ten_seconds.mp4"
        ffmpeg("-stream_loop", "1", "-i", str(CLIP), "-t", "10", "-c", "copy", str(video))
        stack = Stack(Path(folder) / "stack")
        stack.up()
        try:
            measure(stack, video, arguments.rounds)
        finally:
            stack.down()


def measure(stack: Stack, video: Path, rounds: int) -> None:
    """Print the medians."""
    stack.users("add", USER, password=PASSWORD)
    with httpx.Client(base_url=stack.gateway_url, timeout=60) as http:
        token = http.post("/login", auth=(USER, PASSWORD)).raise_for_status().text
        http.headers["Authorization"] = f"Bearer {token}"
        bench = Bench(stack, http, video)
        runs = [(bench.bare(), *bench.whole()) for _ in range(rounds + 2)][2:]
    pairs = [run[:2] for run in runs]
    bare, whole = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    print(  # noqa: T201 - what this program is for
        f"median of {rounds}: bare ffmpeg {bare:.0f} ms, upload to mail {whole:.0f} ms, "
        f"the suite adds {whole - bare:.0f} ms (worst {max(w for _, w in pairs) * 1000:.0f} ms)"
    )
    each = [bench.stages(at, job) for *_, at, job in runs]
    for stage in each[0]:
        ms = statistics.median(stages[stage] for stages in each) * 1000
        print(f"| {stage} | {ms:.0f} ms |")  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
