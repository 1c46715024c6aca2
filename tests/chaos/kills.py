"""Kill every process of the suite, again and again, under load: `python -m tests.chaos.kills`.

Chance, by its seed, says whom and when; MongoDB is one of them.  At the end the ledger is printed, and
the exit status is 1 if a promise was broken: then the seed is a bug.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dev.stack import RANGE
from dev.waiting import WORD_SECONDS
from tests.chaos.grants import Grants
from tests.chaos.ledger import Books, Event, Ledger, settle
from tests.chaos.load import Load, videos
from tests.chaos.suite import PROCESSES, ChaosStack
from tests.chaos.toxics import (
    Bandwidth,
    Down,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from tests.chaos.wired import WIRES
from tests.e2e.conftest import PASSWORD
from tests.leaks import handed_out

FIRST_PORT = 26_000
HANDS = 3
"""How many processes are looked for and killed at the same time."""
LOGIN_EVERY = 5
LONGEST_PAUSE = 0.8
READY_SECONDS = 10.0
"""Who is not ready by then is killed all the same."""
VICTIMS = (*PROCESSES, "mongodb")
WORKERS = ("gateway", "gateway-2", "auth", "auth-2")
"""Processes that work in children, which die alone too."""
FROZEN_SECONDS = 7.0
"""Longer than a lease and what clocks may differ by."""
FREEZES = 0.1
"""The part of processes that are stopped and go on again, in place of a kill."""
TOXICS: tuple[Toxic, ...] = (
    Latency(0.2, 0.1),
    Down(),
    Bandwidth(50_000),
    SlowClose(1.0),
    Timeout(),
    ResetPeer(0.3),
    Slicer(300, 200, 0.002),
    LimitData(30_000),
)
TOXIC_SECONDS = (0.5, 3.0)


@dataclass
class Killer:
    """Kills what chance picks, when it is ready and in the middle of something."""

    stack: ChaosStack
    chance: random.Random
    kills: list[Event] = field(default_factory=list)
    freezes: list[Event] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def act(self) -> None:
        """Kill or freeze one process, or kill the worker of one."""
        with self._turn:
            name = self.chance.choice(VICTIMS)
            worker = name in WORKERS and self.chance.random() < 0.5
            freeze, pause = self.chance.random() < FREEZES, self.chance.uniform(0, LONGEST_PAUSE)
        self._wait_until_ready(name)
        time.sleep(pause)
        pid = self.stack.pid(name)
        for victim in filter(None, self.stack.workers(name) if worker else [pid]):
            if freeze:
                self._freeze(name, victim)
            else:
                self.kills.append(Event("kill", f"{name}'s worker" if worker else name, time.time()))
                _signal(victim, signal.SIGKILL)

    def _freeze(self, name: str, pid: int) -> None:
        self.freezes.append(Event("freeze", name, time.time()))
        _signal(pid, signal.SIGSTOP)
        thaw = threading.Timer(FROZEN_SECONDS, _signal, (pid, signal.SIGCONT))
        thaw.daemon = True
        thaw.start()

    def _wait_until_ready(self, name: str) -> None:
        program, deadline = self.stack.program(name), time.monotonic() + READY_SECONDS
        while not program.ready() and time.monotonic() < deadline:
            time.sleep(0.05)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended
        os.kill(pid, number)


class Poisoner(threading.Thread):
    """Switches one toxic after another on, on a wire that chance picks."""

    def __init__(self, stack: ChaosStack, chance: random.Random) -> None:
        super().__init__(name="poisoner", daemon=True)
        self.events: list[Event] = []
        self._stack, self._chance = stack, chance
        self._over = threading.Event()

    def run(self) -> None:
        """Go on until `stop`."""
        while not self._over.is_set():
            wire, toxic = self._chance.choice(WIRES), self._chance.choice(TOXICS)
            seconds, pause = self._chance.uniform(*TOXIC_SECONDS), self._chance.uniform(*TOXIC_SECONDS)
            self.events.append(Event(type(toxic).__name__, wire, time.time()))
            with self._stack.wires[wire].on(toxic):
                self._over.wait(seconds)
            self._over.wait(pause)

    def stop(self) -> None:
        """Switch the last one off."""
        self._over.set()
        self.join()


@dataclass(frozen=True)
class Size:
    """How much is done in a run; it ends after so many minutes, however far it came."""

    uploads: int
    kills: int
    minutes: float
    toxics: bool


class Run:
    """Spreads uploads over kills."""

    def __init__(self, stack: ChaosStack, seed: int, size: Size) -> None:
        self._stack, self._seed, self._size = stack, seed, size
        media = videos(stack.folder)
        self._load = Load(stack, media, seed)
        self._grants = Grants(stack, stack.user("grants@example.com"), media["short"])
        self._killer = Killer(stack, random.Random(seed))  # noqa: S311 - repeatable, not secret
        self._poisoner = Poisoner(stack, random.Random(seed))  # noqa: S311 - likewise
        self._began = time.monotonic()
        self._turn = threading.Lock()

    def ledger(self) -> Ledger:
        """Do it, wait until all is quiet, and return what came of it."""
        with self._telling():
            return self._ledger()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say now and then how far it is."""
        over = threading.Event()

        def tell() -> None:
            while not over.wait(WORD_SECONDS):
                done = f"{len(self._killer.kills)} kills, {len(self._load.attempts)} uploads"
                sys.stderr.write(f"  … {done} ({time.monotonic() - self._began:.0f} s)\n")

        teller = threading.Thread(target=tell, name="teller", daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()

    def _ledger(self) -> Ledger:
        if self._size.toxics:
            self._poisoner.start()
        try:
            with ThreadPoolExecutor(HANDS, "killer") as pool:
                for hand in [pool.submit(self._go_on) for _ in range(HANDS)]:
                    hand.result()
            self._load.wait()
        finally:
            if self._size.toxics:
                self._poisoner.stop()
            self._load.close()
        self._stack.up()
        settle(self._stack, self._load.attempts)
        events = [*self._killer.kills, *self._killer.freezes, *self._poisoner.events]
        books = Books(self._stack, self._load.attempts, events)
        ledger = books.ledger(self._seed, time.monotonic() - self._began)
        ledger.broken_grants = self._grants.broken()
        ledger.logins, ledger.logins_refused = self._load.logins, self._load.logins_refused
        return ledger

    def _go_on(self) -> None:
        while (kills := len(self._killer.kills)) < self._size.kills:
            if time.monotonic() - self._began > self._size.minutes * 60:
                return
            with self._turn:
                due = self._size.uploads * (kills + 1) // self._size.kills
                self._load.upload(due - len(self._load.attempts))
                if kills % LOGIN_EVERY == 0:
                    self._load.log_in()
                    self._load.do(self._grants.change)
            self._killer.act()


def main() -> int:
    """Run once and print the ledger."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=20.0, help="after so many it ends anyway")
    parser.add_argument("--toxics", action="store_true", help="make the wires misbehave too")
    parser.add_argument("--ledger", type=Path, help="where to keep the ledger as JSON")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)  # noqa: T201 - the way to run it again
    with started() as stack:
        size = Size(asked.uploads, asked.kills, asked.minutes, asked.toxics)
        ledger = Run(stack, asked.seed, size).ledger()
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
    """Run a suite; its folder stays where something went wrong, and nothing of it runs on.

    Raises:
        BrokenPromise: a log tells what lets somebody in.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    folder = Path(tempfile.mkdtemp(prefix="chaos"))
    stack = ChaosStack(folder / "stack", settings)
    try:
        stack.up(FIRST_PORT + os.getpid() % 90 * 2 * RANGE)
        handed_out.add_files(stack.secrets)
        handed_out.add("the users' password", PASSWORD)
        yield stack
    finally:
        stack.down()
    if told := handed_out.found_in(stack.folder / "logs"):
        raise BrokenPromise("\n".join(told))
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
