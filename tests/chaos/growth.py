"""Print how much memory and how many open files each process has before and after many jobs.

`python -m tests.chaos.growth JOBS`.
"""

import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dev.stack import ADMIN_NAMES
from tests.chaos.wired import WiredStack
from tests.e2e.conftest import CLIP, User, wait_for

WARM_UP = 40
CLIENTS = 4
SECONDS_A_JOB = 5.0
KIB_A_MIB = 1024


@dataclass(frozen=True)
class Size:
    """What a process and its children take up."""

    mib: float
    files: int


def sizes(stack: WiredStack) -> Mapping[str, Size]:
    """Return the size of every process of ours."""
    names = [f"{name}{twin}" for name in ADMIN_NAMES for twin in ("", "-2")]
    return {name: _size(_tree(int(stack.ask("getProcessInfo", name)["pid"]))) for name in names}


def work(user: User, jobs: int) -> None:
    """Upload a clip so often, and return when everything is done and mailed."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        accepted = list(clients.map(lambda _: user.upload(CLIP), range(jobs)))
    for job_id in accepted:
        wait_for(
            lambda each=job_id: (user.job(each)["notice"] or {}).get("state") == "sent", SECONDS_A_JOB * jobs
        )


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _tree(int(child)))]


def _size(pids: list[int]) -> Size:
    kib = files = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        kib += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
        files += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Size(kib / KIB_A_MIB, files)


def main() -> None:
    """Print a row for each process."""
    jobs = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        stack = WiredStack(Path(folder) / "stack")
        stack.up()
        try:
            with stack.some_user() as user:
                work(user, WARM_UP)
                before = sizes(stack)
                work(user, jobs)
                after = sizes(stack)
        finally:
            stack.down()
    print(f"| process | after {WARM_UP} jobs | after {jobs} more |\n|---|---|---|")  # noqa: T201 - the result
    for name, size in before.items():
        then, now = (
            f"{size.mib:.1f} MiB, {size.files} files",
            f"{after[name].mib:.1f} MiB, {after[name].files} files",
        )
        print(f"| {name} | {then} | {now} |")  # noqa: T201 - the result


if __name__ == "__main__":
    main()
