"""The lease in hand is kept, and its loss ends the work."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from converter import lease as module
from converter.lease import WorkKeeper
from pipeline.job import Lease
from pipeline.lease import TICK_SECONDS
from pipeline.mongodb import StoreUnavailable
from pipeline.timing import Timing

LEASE = Lease("a" * 32, 1)


class Renewals:
    """Answers renewals, `held` or `lost` or an error, in the order given, the last answer for ever."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.calls: list[dict[str, Any]] = []
        self.timing = Timing()

    def renew(self, lease: Lease, **progress: Any) -> bool:
        assert lease == LEASE
        self.calls.append(progress)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer == "held"


def keeper(jobs: Renewals, stop: threading.Event | None = None, grace: float = 10) -> WorkKeeper:
    return WorkKeeper(jobs, LEASE, stop or threading.Event(), timedelta(seconds=grace))  # type: ignore[arg-type]


def wait_for(fact: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_progress_is_stored_with_the_renewal() -> None:
    jobs = Renewals("held")

    with keeper(jobs) as kept:
        kept.progress("converting", 0.25)
        wait_for(lambda: jobs.calls)

    assert jobs.calls == [{"progress": 0.25, "phase": "converting"}]


def test_progress_is_written_once_a_second_at_most() -> None:
    jobs = Renewals("held")
    began = time.monotonic()

    with keeper(jobs) as kept:
        while len(jobs.calls) < 2:
            kept.progress("converting", (time.monotonic() - began) / 10)
            time.sleep(0.01)

    assert time.monotonic() - began >= 2 * module.PROGRESS_SECONDS


def test_a_renewal_that_matches_nothing_cancels_the_work() -> None:
    with keeper(Renewals("lost")) as kept:
        kept.progress("converting", 0.1)
        wait_for(kept.cancelled.is_set)

    assert kept.lost


def test_an_outage_of_the_store_does_not_cancel_the_work() -> None:
    jobs = Renewals(StoreUnavailable("away"), "held")

    with keeper(jobs) as kept:
        for fraction in (0.1, 0.2):
            calls = len(jobs.calls)
            kept.progress("converting", fraction)
            wait_for(lambda calls=calls: len(jobs.calls) > calls)

    assert not kept.cancelled.is_set()
    assert not kept.lost


def test_a_stop_cancels_work_that_would_outlast_the_grace() -> None:
    stop = threading.Event()

    with keeper(Renewals("held"), stop, grace=0.5) as kept:
        time.sleep(0.2)
        kept.progress("converting", 0.01)
        stop.set()
        wait_for(kept.cancelled.is_set)

    assert not kept.lost


def test_a_stop_lets_work_end_that_fits_into_the_grace() -> None:
    stop = threading.Event()

    with keeper(Renewals("held"), stop, grace=60) as kept:
        kept.progress("converting", 0.9)
        stop.set()
        time.sleep(4 * TICK_SECONDS)

    assert not kept.cancelled.is_set()


def test_a_stop_cancels_work_of_unknown_length_when_the_grace_is_over() -> None:
    stop = threading.Event()
    stop.set()

    with keeper(Renewals("held"), stop, grace=0.3) as kept:
        wait_for(kept.cancelled.is_set)

    assert not kept.lost
