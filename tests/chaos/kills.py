"""Kill every process of the suite, again and again, under load: `python -m tests.chaos.kills`.

Chance, by its seed, says whom and when.  At the end the ledger is printed, and the exit status is 1 if
a promise was broken: then the seed is a bug.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dev.stack import RANGE
from tests.chaos.ledger import Books, Kill, Ledger, settle
from tests.chaos.load import Load, videos
from tests.chaos.suite import PROCESSES, RESPAWN_SECONDS, ChaosStack
from tests.e2e.conftest import wait_for

FIRST_PORT = 26_000
LONGEST_PAUSE = 1.0
WORKERS = ("gateway", "gateway-2", "auth", "auth-2")
"""Processes that work in children, which die alone too."""


@dataclass
class Killer:
    """Kills what chance picks, when it is ready and in the middle of something."""

    stack: ChaosStack
    chance: random.Random
    kills: list[Kill] = field(default_factory=list)

    def kill(self) -> None:
        """Kill one process, or the worker of one."""
        name = self.chance.choice(PROCESSES)
        worker = name in WORKERS and self.chance.random() < 0.5
        pause = self.chance.uniform(0, LONGEST_PAUSE)
        program = self.stack.program(name)
        wait_for(program.ready, RESPAWN_SECONDS)
        time.sleep(pause)
        pids = self.stack.workers(name) if worker else [self.stack.pid(name)]
        for pid in filter(None, pids):
            self.kills.append(Kill("worker of" if worker else "process", name, time.time()))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def run(stack: ChaosStack, *, seed: int, uploads: int, kills: int) -> Ledger:
    """Spread the uploads over the kills, wait until all is quiet, and return what came of it."""
    began = time.monotonic()
    load = Load(stack, videos(stack.folder), seed)
    killer = Killer(stack, random.Random(seed))  # noqa: S311 - repeatable, not secret
    try:
        while len(killer.kills) < kills:
            load.upload(uploads * (len(killer.kills) + 1) // kills - len(load.attempts))
            if len(killer.kills) % 5 == 0:
                load.log_in()
            killer.kill()
        load.wait()
    finally:
        load.close()
    stack.up()
    settle(stack, load.attempts)
    return Books(stack, load.attempts, killer.kills).ledger(seed, time.monotonic() - began)


def main() -> int:
    """Run once and print the ledger."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--ledger", type=Path, help="where to keep the ledger as JSON")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)  # noqa: T201 - the way to run it again
    with started() as stack:
        ledger = run(stack, seed=asked.seed, uploads=asked.uploads, kills=asked.kills)
        if asked.ledger:
            ledger.write(asked.ledger)
        print(ledger.as_text())  # noqa: T201 - the result
        if ledger.violations:
            raise BrokenPromise(f"its logs lie in {stack.folder / 'logs'}")
    return 0


class BrokenPromise(Exception):
    """The ledger has violations."""


@contextmanager
def started(settings: Mapping[str, str] | None = None) -> Iterator[ChaosStack]:
    """Run a suite; its folder stays where something went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="chaos"))
    stack = ChaosStack(folder / "stack", settings)
    stack.up(FIRST_PORT + os.getpid() % 90 * 2 * RANGE)
    try:
        yield stack
    finally:
        stack.down()
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
