"""Wait for a job to change: one look at the store serves everyone who waits in this process."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chassis import logs
from pipeline.job import Job
from pipeline.job_queries import OVER
from pipeline.mongodb import StoreRefused, StoreUnavailable

LOOK_SECONDS = 0.25
"""How often the store is asked while anybody waits."""
LOOK_AT_ONCE = 500
"""How many jobs one question to the store is about."""
CLIENT_SECONDS = 2.0
"""How often who waits looks whether the client is still there."""
GONE = 0
"""In place of the version of a job that is deleted."""

ENDS = (*OVER, "expired")

Versions = Callable[[Sequence[str]], Mapping[str, int]]
"""Returns the versions of the jobs that still exist."""

Look = Callable[[], Job]
"""Reads a job again."""

log = logs.get(__name__)


@dataclass(eq=False, slots=True)
class _Waiter:
    version: int
    changed: threading.Event = field(default_factory=threading.Event)


class Watch:
    """Wakes those whose job has changed, and nobody else, however many wait."""

    def __init__(
        self, versions: Versions, stopping: threading.Event, client_left: Callable[[], bool] = lambda: False
    ) -> None:
        self._versions = versions
        self._stopping = stopping
        self._client_left = client_left
        self._waiting: dict[str, set[_Waiter]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether the process is asked to end."""
        return self._stopping.is_set()

    def for_another_state(self, job: Job, seconds: float, look: Look) -> Job:
        """Return the job when it is in another state, or when the time is over."""
        state = job.state
        return self._until(job, seconds, look, lambda now: now.state != state)

    def for_the_end(self, job: Job, seconds: float, look: Look) -> Job:
        """Return the job when it is over, or when the time is."""
        return self._until(job, seconds, look, lambda now: now.state in ENDS)

    def _until(self, job: Job, seconds: float, look: Look, reached: Callable[[Job], bool]) -> Job:
        deadline = time.monotonic() + seconds
        while not reached(job) and (left := deadline - time.monotonic()) > 0:
            if not self.wait(job.id, job.version, left):
                break
            job = look()
        return job

    def wait(self, job_id: str, version: int, seconds: float) -> bool:
        """Return whether the job has another version than this one within so many seconds.

        A job that is gone has changed; a process that stops, and a client that leaves, end the waiting.
        """
        deadline = time.monotonic() + seconds
        waiter = _Waiter(version)
        self._add(job_id, waiter)
        try:
            while (left := deadline - time.monotonic()) > 0 and not self.stopping:
                if waiter.changed.wait(min(left, CLIENT_SECONDS)):
                    return not self.stopping
                if self._client_left():
                    return False
            return False
        finally:
            self._remove(job_id, waiter)

    def _add(self, job_id: str, waiter: _Waiter) -> None:
        with self._lock:
            self._waiting.setdefault(job_id, set()).add(waiter)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
                self._thread.start()

    def _remove(self, job_id: str, waiter: _Waiter) -> None:
        with self._lock:
            self._waiting[job_id].discard(waiter)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def _look(self) -> None:
        while True:
            with self._lock:
                wanted = list(self._waiting)
                if not wanted:
                    self._thread = None
                    return
            for start in range(0, len(wanted), LOOK_AT_ONCE):
                self._wake(wanted[start : start + LOOK_AT_ONCE])
            self._stopping.wait(LOOK_SECONDS)

    def _wake(self, wanted: Sequence[str]) -> None:
        """Wake those whose job has changed; everybody when the process stops."""
        try:
            known = {} if self.stopping else self._versions(wanted)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("cannot read whether jobs have changed", reason=str(error))
            return
        with self._lock:
            for job_id in wanted:
                version = known.get(job_id, GONE)
                for waiter in self._waiting.get(job_id, ()):
                    if version > waiter.version or version == GONE:
                        waiter.changed.set()
