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
PARTS = 5
"""How many times one looks on the way."""
MORE_MIB, MORE_FILES = 8.0, 5
"""What counts as no growth."""
SECONDS_A_JOB = 5.0
KIB_A_MIB = 1024


@dataclass(frozen=True)
class Size:
    """What a process and its children take up."""

    mib: float
    files: int

    def grew_since(self, earlier: "Size", mib: float = MORE_MIB) -> bool:
        """Whether it is larger by more than counts as nothing."""
        return self.mib - earlier.mib > mib or self.files - earlier.files > MORE_FILES

    def __str__(self) -> str:
        return f"{self.mib:.1f} MiB, {self.files} files"


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


def main() -> int:
    """Print a row for each process; return 1 if one grew after a fifth of the jobs."""
    jobs = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        stack = WiredStack(Path(folder) / "stack")
        stack.up()
        try:
            with stack.some_user() as user:
                work(user, WARM_UP)
                samples = [sizes(stack)]
                for _ in range(PARTS):
                    work(user, jobs // PARTS)
                    samples.append(sizes(stack))
        finally:
            stack.down()
    print("| process |", " | ".join(f"{WARM_UP + jobs // PARTS * n} jobs" for n in range(PARTS + 1)), "|")  # noqa: T201 - the result
    print("|---" * (PARTS + 2) + "|")  # noqa: T201 - likewise
    for name in samples[0]:
        print(f"| {name} |", " | ".join(str(sample[name]) for sample in samples), "|")  # noqa: T201 - likewise
    warm, end = samples[1], samples[-1]
    return int(any(end[name].grew_since(warm[name]) for name in end))


if __name__ == "__main__":
    sys.exit(main())
