"""Let each process die at each of its crash points: `python -m tests.chaos.crashpoints`.

Before and after every durable write and every send, at the first and at the second time that the
process comes by.  At the end the ledger is printed; the exit status is 1 if a promise was broken, or if
a point was never reached, as one of docs/reports/crash-points.md is that no lane has.
"""

import argparse
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx

from dev.services import CLONE
from pipeline.mongodb import StoreUnavailable
from tests.chaos.kills import WORKERS, BrokenPromise, started
from tests.chaos.lanes import Lane, Lanes, Point
from tests.chaos.ledger import Books, Event, settle
from tests.chaos.load import Load, videos
from tests.chaos.stage import Overtaken
from tests.chaos.suite import ChaosStack

TABLE = CLONE / "docs" / "reports" / "crash-points.md"
REACH_SECONDS = 120.0
"""How long a process is made to come by a point."""
LOOK_SECONDS = 1.0
"""How long it is watched after each exercise."""
Step = tuple[str, Point]


class Runner:
    """Runs one lane."""

    def __init__(self, stack: ChaosStack, lane: Lane, wanted: re.Pattern[str]) -> None:
        self._stack, self._lane = stack, lane
        self._steps: list[Step] = []
        for point in lane.points:
            for place in ("before", "after"):
                steps = [(f"{place} {point.function}:{hit}", point) for hit in point.hits]
                self._steps += [step for step in steps if wanted.search(f"{lane.process} {step[0]}")]
        self.events: list[Event] = []
        self.unreached: list[str] = []

    @property
    def deaths(self) -> int:
        """How often the process died at a point."""
        return sum(event.what == "kill" for event in self.events)

    def run(self) -> None:
        """Die everywhere, each time in a process that was started for it."""
        name = self._lane.process
        for step in self._steps:
            where, point = step
            self._stack.once(name, {"CRASHPOINT": where, **point.settings}, before=point.before)
            pid = self._restart()
            if self._exercise(step, pid):
                self.events.append(Event("kill", name, time.time()))
                if self._stack.pid(name) != pid:
                    self._stack.respawned(name, pid)  # who starts now is not the one for the next step
            else:
                self.unreached.append(f"{name} {where}")
                print(f"never reached: {self.unreached[-1]}", flush=True)  # noqa: T201 - while it is there to be looked at
        if self._steps:
            self._restart()  # a worker alone may have died: its master would make the next one the same

    def _restart(self) -> int:
        self.events.append(Event("restart", self._lane.process, time.time()))
        return self._stack.restart(self._lane.process)

    def _exercise(self, step: Step, pid: int) -> bool:
        """Make the process come by the point until it, or its worker, is no more."""
        mortals, deadline = {pid}, time.monotonic() + REACH_SECONDS
        while time.monotonic() < deadline:
            if self._lane.process in WORKERS:
                mortals |= set(self._stack.workers(self._lane.process))
            with suppress(Overtaken, StoreUnavailable, OSError, httpx.HTTPError):  # or the process is gone
                step[1].exercise()
            look = time.monotonic() + LOOK_SECONDS
            while time.monotonic() < look:
                if any(self._stack.ended(mortal, 0) for mortal in mortals):
                    return True
                time.sleep(0.02)
        return False


def without_lane(lanes: Sequence[Lane]) -> list[str]:
    """Return the functions of the table that no lane comes by."""
    table = re.findall(r"^\| `[\w.]+` \| `([\w.]+)` \|", TABLE.read_text(), re.MULTILINE)
    reached = {point.function for lane in lanes for point in lane.points}
    return [f"{function}: no lane" for function in table if function not in reached]


def main() -> int:
    """Run every lane at the same time and print the ledger of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.crashpoints", description=__doc__)
    parser.add_argument("points", nargs="?", type=re.compile, default="", help="those that match only")
    parser.add_argument("--ledger", type=Path, help="where to keep the ledger as JSON")
    asked = parser.parse_args()
    began = time.monotonic()
    with started() as stack:
        media = videos(stack.folder)
        load = Load(stack, media, seed=0)
        lanes = Lanes(stack, load, media)
        runners = [Runner(stack, lane, asked.points) for lane in lanes.all()]
        with ThreadPoolExecutor(len(runners)) as pool:
            for running in [pool.submit(runner.run) for runner in runners]:
                running.result()
        load.wait()
        load.close()
        stack.up()
        lanes.clear_up()
        settle(stack, load.attempts)
        events = [event for runner in runners for event in runner.events]
        ledger = Books(stack, load.attempts, events).ledger(0, time.monotonic() - began)
        unreached = [where for runner in runners for where in runner.unreached]
        if not asked.points:
            unreached += without_lane(lanes.all())
        if asked.ledger:
            ledger.write(asked.ledger)
        print(ledger.as_text())  # noqa: T201 - the result
        print(f"{sum(runner.deaths for runner in runners)} deaths, {len(unreached)} points never reached")  # noqa: T201 - likewise
        if ledger.violations or unreached:
            raise BrokenPromise(f"its logs lie in {stack.folder / 'logs'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
