"""Wait for a job to change: one look at the store serves everyone who waits in this process."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from chassis import logs
from pipeline.job import Job
from pipeline.job_queries import OVER
from pipeline.mongodb import StoreRefused, StoreUnavailable

LOOK_SECONDS = 0.25
"""How often the store is asked while anybody waits."""
GONE = 0
"""In place of the version of a job that is deleted."""

ENDS = (*OVER, "expired")

Versions = Callable[[Sequence[str]], Mapping[str, int]]
"""Returns the versions of the jobs that still exist."""

Look = Callable[[], Job]
"""Reads a job anew."""

log = logs.get(__name__)


class Watch:
    """`places` requests may wait at the same time, so that others are answered meanwhile."""

    def __init__(self, versions: Versions, places: int, stopping: threading.Event) -> None:
        self._versions = versions
        self._places = threading.BoundedSemaphore(places)
        self._stopping = stopping
        self._waiting: Counter[str] = Counter()
        self._known: Mapping[str, int] = {}
        self._looked = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether the process is asked to end."""
        return self._stopping.is_set()

    def take_place(self) -> Callable[[], None] | None:
        """Return a function that gives the place back, or `None` when there is none."""
        if not self._places.acquire(blocking=False):
            return None
        return self._places.release

    def for_another_state(self, job: Job, seconds: float, look: Look) -> Job:
        """Return the job when it is in another state, or when the time is over."""
        state = job.state
        return self._until(job, seconds, look, lambda now: now.state != state)

    def for_the_end(self, job: Job, seconds: float, look: Look) -> Job:
        """Return the job when it is over, or when the time is."""
        return self._until(job, seconds, look, lambda now: now.state in ENDS)

    def _until(self, job: Job, seconds: float, look: Look, reached: Callable[[Job], bool]) -> Job:
        deadline = time.monotonic() + seconds
        give_back = self.take_place()
        if give_back is None:
            return job
        try:
            while not reached(job) and (left := deadline - time.monotonic()) > 0:
                if not self.wait(job.id, job.version, left):
                    break
                job = look()
        finally:
            give_back()
        return job

    def wait(self, job_id: str, version: int, seconds: float) -> bool:
        """Return whether the job has another version than this one within so many seconds.

        A job that is gone has changed; a process that stops ends all waiting.
        """
        deadline = time.monotonic() + seconds
        with self._looked:
            self._waiting[job_id] += 1
            self._look_around()
            try:
                while True:
                    left = deadline - time.monotonic()
                    if left <= 0 or self._stopping.is_set():
                        return False
                    self._looked.wait(min(left, 1.0))
                    known = self._known.get(job_id, version)
                    if known > version or known == GONE:
                        return True
            finally:
                self._waiting[job_id] -= 1
                if not self._waiting[job_id]:
                    del self._waiting[job_id]

    def _look_around(self) -> None:
        """Start looking if nobody looks; called with the lock held."""
        if self._thread is None:
            self._known = {}
            self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        while True:
            with self._looked:
                wanted = list(self._waiting)
                if not wanted:
                    self._thread = None
                    return
            try:
                found = self._versions(wanted)
                known = {job_id: found.get(job_id, GONE) for job_id in wanted}
            except (StoreUnavailable, StoreRefused) as error:
                log.warning("cannot read whether jobs have changed", reason=str(error))
                known = {}
            with self._looked:
                self._known = known
                self._looked.notify_all()
            self._stopping.wait(LOOK_SECONDS)
            if self._stopping.is_set():
                with self._looked:
                    self._thread = None
                    self._looked.notify_all()
                return
