"""What the reconciler tells Prometheus of the jobs."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import REGISTRY

from gateway.upkeep.gauges import EVERY_SECONDS, Gauges
from pipeline.job import State
from pipeline.mongodb import now


@dataclass
class Upload:
    created_at: datetime


@dataclass
class Store:
    counted: dict[str, int]
    waiting: Any = None
    asked: list[str] = field(default_factory=list)

    def count(self, state: State) -> int:
        self.asked.append(state)
        return self.counted.get(state, 0)

    def oldest(self, state: State) -> Any:
        return self.waiting if state == "queued" else None


def test_every_state_is_told_also_one_without_jobs() -> None:
    Gauges(Store({"queued": 3, "done": 7})).refresh()

    told = {s: REGISTRY.get_sample_value("jobs", {"state": s}) for s in ("queued", "done", "failed")}
    assert told == {"queued": 3, "done": 7, "failed": 0}


def test_the_age_is_that_of_the_oldest_job_that_waits() -> None:
    store = Store({}, Upload(now() - timedelta(hours=1)))
    Gauges(store).refresh()

    age = REGISTRY.get_sample_value("oldest_queued_job_seconds")
    assert age is not None
    assert 3600 <= age < 3660

    store.waiting = None
    Gauges(store).refresh()
    assert REGISTRY.get_sample_value("oldest_queued_job_seconds") == 0


def test_the_store_is_not_counted_more_often_than_twice_a_minute() -> None:
    time = [0.0]
    store = Store({})
    gauges = Gauges(store, clock=lambda: time[0])

    gauges.refresh()
    once = len(store.asked)
    gauges.refresh()
    assert len(store.asked) == once

    time[0] = EVERY_SECONDS
    gauges.refresh()
    assert len(store.asked) == 2 * once
