"""Keep the lease of the job in hand, with its progress, and say when the work must end."""

import threading
import time
from datetime import timedelta

from chassis import logs
from pipeline.job import Lease, Phase
from pipeline.jobs import Jobs
from pipeline.lease import LeaseKeeper

PROGRESS_SECONDS = 1.0
"""The least time between two writes of a job's progress."""

log = logs.get(__name__)


class WorkKeeper(LeaseKeeper):
    """Keeps a job's lease, and cancels the work if the process must stop and it would outlast the grace."""

    def __init__(self, jobs: Jobs, lease: Lease, stop: threading.Event, grace: timedelta) -> None:
        super().__init__(jobs.timing.lease, self._renew_with_progress, self._look)
        self._jobs = jobs
        self._lease = lease
        self._stop = stop
        self._grace = grace.total_seconds()
        self._began = time.monotonic()
        self._stopped_at: float | None = None
        self._at: tuple[Phase, float] | None = None
        self._fraction = 0.0

    def progress(self, phase: Phase, fraction: float) -> None:
        """Note how far the work is (0..1); it is stored with the next renewal."""
        self._fraction = fraction
        self._at = (phase, fraction)

    def _look(self, age: float) -> bool:
        """Cancel the work if it is time to; tell whether there is progress to store."""
        if self._stop.is_set():
            self._stopped_at = self._stopped_at or time.monotonic()
            if self._rest() > self._stopped_at + self._grace - time.monotonic():
                log.info("the work would outlast the grace period", fraction=self._fraction)
                self.cancelled.set()
                return False
        return self._at is not None and age > PROGRESS_SECONDS

    def _rest(self) -> float:
        """Estimate the seconds of work that are left from those that it took so far."""
        took = time.monotonic() - self._began
        return took * (1 - self._fraction) / self._fraction if self._fraction > 0 else 0.0

    def _renew_with_progress(self) -> bool:
        at, self._at = self._at, None
        phase, fraction = at or (None, None)
        return self._jobs.renew(self._lease, progress=fraction, phase=phase)
