"""Whether the time of an answer tells what the answer does not: who has an account, which jobs there are.

`python -m benchmarks.timing [--trials 200]` starts a suite of its own, asks in turns, and prints medians.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from dev.stack import Stack

PASSWORD = "for-one-run-only"  # noqa: S105 - of users that end with this program
SETTINGS = {"LOGINS_PER_MINUTE": "100000", "FAILURES_PER_ADDRESS": "100000", "FAILURES_PER_ACCOUNT": "100000"}


def main() -> None:
    """Start the suite, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200, help="of each (default 200)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "stack", SETTINGS)
        stack.up()
        try:
            with httpx.Client(base_url=stack.gateway_url, timeout=60) as http:
                measure(stack, http, arguments.trials)
        finally:
            stack.down()


def measure(stack: Stack, http: httpx.Client, trials: int) -> None:
    """Print the medians of two questions whose answers are the same."""
    for name in ("me@example.com", "you@example.com"):
        stack.users("add", name, password=PASSWORD)
    me, you = ("me@example.com", PASSWORD), ("you@example.com", PASSWORD)
    theirs = http.post("/upload", auth=you, files={"file": ("a.mp4", b"\0")}).headers["X-Job-Id"]

    def log_in(name: str) -> httpx.Response:
        return http.post("/login", auth=(name, "the wrong password"))

    def look(job_id: str) -> httpx.Response:
        return http.get(f"/v1/jobs/{job_id}", auth=me)

    compare(
        "login",
        trials,
        wrong=partial(log_in, me[0]),
        unknown=partial(log_in, "nobody@example.com"),
        status=401,
    )
    compare("job", trials, theirs=partial(look, theirs), unknown=partial(look, "0" * 32), status=404)


def compare(title: str, trials: int, *, status: int, **questions: Callable[[], httpx.Response]) -> None:
    """Ask each question so often, in turns, and print how long the answers take."""
    times: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(trials + 5):
        for name, ask in questions.items():
            began = time.perf_counter()
            if ask().status_code != status:
                raise SystemExit(f"{title}, {name}: another answer than {status}")
            times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(seen[5:]) * 1000 for name, seen in times.items()}  # the first warm up
    least, most = min(medians.values()), max(medians.values())
    told = ", ".join(f"{name} {median:.2f} ms" for name, median in medians.items())
    print(f"{title}: median of {trials}: {told}: {most - least:.2f} ms apart ({most / least - 1:.1%})")  # noqa: T201 - what this is for


if __name__ == "__main__":
    main()
