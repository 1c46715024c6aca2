"""Tell Prometheus how many jobs are in each state, and how long the oldest one has been waiting.

Counting has its price in a large store, so it is done twice a minute, however often it is asked for.
"""

import time
from collections.abc import Callable
from typing import Protocol, get_args

from prometheus_client import Gauge

from pipeline.job import Job, State
from pipeline.mongodb import now

EVERY_SECONDS = 30.0

jobs_by_state = Gauge("jobs", "Jobs in each state.", ["state"])
oldest = Gauge("oldest_queued_job_seconds", "Seconds since the upload of the oldest job that waits.")


class Counts(Protocol):
    """The job store, as far as it counts."""

    def count(self, state: State) -> int:
        """Return how many jobs are in a state."""

    def oldest(self, state: State) -> Job | None:
        """Return the job in a state whose upload began first."""


class Gauges:
    """The gauges of one reconciler."""

    def __init__(self, jobs: Counts, clock: Callable[[], float] = time.monotonic) -> None:
        self._jobs = jobs
        self._clock = clock
        self._due_at = clock()

    def refresh(self) -> None:
        """Count again, if that is due.

        Raises:
            StoreUnavailable: MongoDB is away.
        """
        if self._clock() < self._due_at:
            return
        for state in get_args(State):
            jobs_by_state.labels(state).set(self._jobs.count(state))
        first = self._jobs.oldest("queued")
        oldest.set(0 if first is None else (now() - first.created_at).total_seconds())
        self._due_at = self._clock() + EVERY_SECONDS
