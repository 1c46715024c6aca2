"""Keep the lease of the job in hand, with its progress, and say when the work must end."""

import threading
import time
from datetime import timedelta
from types import TracebackType
from typing import Self

from chassis import logs
from pipeline.job import Lease, Phase
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreRefused, StoreUnavailable

RENEWALS = 4
"""How often a lease is renewed in the time that it holds."""
PROGRESS_SECONDS = 1.0
"""The least time between two writes of a job's progress."""
TICK_SECONDS = 0.1

log = logs.get(__name__)


class LeaseKeeper:
    """Renews a lease on a thread of its own for as long as the `with` block lasts.

    `cancelled` is set when the lease is lost, or when the process must stop and the work would
    not end within its grace.
    """

    def __init__(self, jobs: Jobs, lease: Lease, stop: threading.Event, grace: timedelta) -> None:
        self.cancelled = threading.Event()
        self.lost = False
        self._jobs = jobs
        self._lease = lease
        self._stop = stop
        self._every = jobs.timing.lease.total_seconds() / RENEWALS
        self._grace = grace.total_seconds()
        self._began = time.monotonic()
        self._renewed = time.monotonic()
        self._at: tuple[Phase, float] | None = None
        self._fraction = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def progress(self, phase: Phase, fraction: float) -> None:
        """Note how far the work is (0..1); it is stored with the next renewal."""
        self._fraction = fraction
        self._at = (phase, fraction)

    def _keep(self) -> None:
        stopped_at: float | None = None
        while not self._over.wait(TICK_SECONDS) and not self.cancelled.is_set():
            if self._stop.is_set():
                stopped_at = stopped_at or time.monotonic()
                if self._rest() > stopped_at + self._grace - time.monotonic():
                    log.info("the work would outlast the grace period", fraction=self._fraction)
                    self.cancelled.set()
                    return
            age = time.monotonic() - self._renewed
            if age > self._every or (self._at is not None and age > PROGRESS_SECONDS):
                self._renew()

    def _rest(self) -> float:
        """Estimate the seconds of work that are left from those that it took so far."""
        took = time.monotonic() - self._began
        return took * (1 - self._fraction) / self._fraction if self._fraction > 0 else 0.0

    def _renew(self) -> None:
        at, self._at = self._at, None
        phase, fraction = at or (None, None)
        try:
            held = self._jobs.renew(self._lease, progress=fraction, phase=phase)
        except (StoreUnavailable, StoreRefused) as error:
            # Nobody can take the lease over while the store is away; the next tick tries again.
            log.warning("lease not renewed", reason=str(error))
            return
        self._renewed = time.monotonic()
        if not held:
            self.lost = True
            self.cancelled.set()
