"""A lease is renewed beside the work, and its loss is told."""

import threading
import time
from datetime import timedelta
from typing import Any

from structlog.contextvars import get_contextvars

from chassis import logs
from pipeline.lease import LeaseKeeper
from pipeline.mongodb import StoreUnavailable

SECONDS = 60


class Renewals:
    """Answers renewals, `held` or `lost` or an error, in the order given, the last answer for ever."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.times: list[float] = []
        self.bound: dict[str, Any] = {}
        self.thrice = threading.Event()

    def __call__(self) -> bool:
        self.times.append(time.monotonic())
        self.bound = get_contextvars()
        if len(self.times) == 3:
            self.thrice.set()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer == "held"


def test_it_is_renewed_four_times_in_the_time_that_it_holds() -> None:
    renewals = Renewals("held")
    began = time.monotonic()

    with LeaseKeeper(timedelta(seconds=1), renewals) as keeper:
        assert renewals.thrice.wait(SECONDS)

    assert renewals.times[2] - began >= 0.75
    assert not keeper.lost


def test_a_lease_that_is_lost_is_renewed_no_more_and_cancels_the_work() -> None:
    renewals = Renewals("lost")

    with LeaseKeeper(timedelta(seconds=0.1), renewals) as keeper:
        assert keeper.cancelled.wait(SECONDS)
        keeper._thread.join(SECONDS)

    assert keeper.lost
    assert len(renewals.times) == 1


def test_a_store_that_is_away_is_asked_again_at_the_next_tick() -> None:
    renewals = Renewals(StoreUnavailable("away"), StoreUnavailable("away"), "held")

    with LeaseKeeper(timedelta(seconds=0.1), renewals) as keeper:
        assert renewals.thrice.wait(SECONDS)

    assert not keeper.cancelled.is_set()


def test_it_is_renewed_early_when_there_is_something_to_tell() -> None:
    renewals = Renewals("held")

    with LeaseKeeper(timedelta(hours=1), renewals, early=lambda age: age >= 0):
        assert renewals.thrice.wait(SECONDS)


def test_what_it_logs_is_bound_to_the_work_in_hand() -> None:
    renewals = Renewals("held")

    with logs.bind(job_id="a" * 32), LeaseKeeper(timedelta(seconds=0.1), renewals):
        assert renewals.thrice.wait(SECONDS)

    assert renewals.bound["job_id"] == "a" * 32
