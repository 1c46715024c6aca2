"""Tell when a job that waits is converted, and when one is done: one look at the queue serves everybody.

The queue is played through as converters will take from it (`pipeline.forecast`), by how long conversions
took here until now.  What is not known is not told.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from flask import current_app

from chassis import logs
from pipeline.broker import BrokerUnavailable
from pipeline.forecast import Running, forecast
from pipeline.job import Job
from pipeline.job_queries import Converting, Waiting
from pipeline.mongodb import StoreRefused, StoreUnavailable, now
from pipeline.speeds import Measured, kind

WINDOW = 1_000
"""How many of the jobs that wait have a place."""
TOLD = 100
FRESH_SECONDS = 1.0
"""How old what is told may be."""
SHARE = 2
"""A job that is missing has the queue looked at anew, as long as that takes less than a third of the time."""
SURE = 0.1
"""From this progress on, a job's own pace tells more than what others took."""
RISE_SECONDS = 60.0
"""By how much later than told a job may end before the log has the reason."""

log = logs.get(__name__)


class Queue(Protocol):
    """Where jobs wait and are converted."""

    def waiting(self, limit: int) -> list[Waiting]:
        """Return jobs that can be claimed, the lowest turn first."""

    def converting(self) -> list[Converting]:
        """Return the jobs that are being converted."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a job: its place in the queue, and when it ends."""

    owner: str
    position: int | None
    ends_at: float | None
    """By the clock of this process."""


@dataclass(frozen=True, slots=True)
class View:
    """The queue as it was at one moment."""

    at: float = float("-inf")
    seen: datetime | None = None
    took: float = 0.0
    converters: int = 0
    jobs: Mapping[str, Expected] = field(default_factory=dict)

    def is_later(self, job: Job) -> bool:
        """Whether the queue was looked at after this was known of a job."""
        return self.seen is not None and job.updated_at < self.seen


class Outlook:
    """Looks at the queue when somebody asks, once a second at the most but for jobs that are new."""

    def __init__(
        self,
        queue: Queue,
        measured: Callable[[], Measured],
        consumers: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._measured = measured
        self._consumers = consumers
        self._clock = clock
        self._view = View()
        self._lock = threading.Lock()
        self._speeds = Measured({})

    def position(self, job: Job) -> int | None:
        """Return the place of a job that waits; 1 is next, `None` is not known."""
        expected = self._of(job) if job.state == "queued" else None
        return None if expected is None else expected.position

    def seconds_left(self, job: Job) -> int | None:
        """Return in how many seconds a job that waits or is being converted is done; `None` is not known."""
        if job.state not in ("queued", "converting"):
            return None
        expected = self._of(job)
        if expected is not None:
            return self._until(expected.ends_at)
        if job.state == "queued":
            return None
        return 0 if self._view.is_later(job) else self._whole(job)

    def places(self, owner: str) -> dict[str, tuple[int, int | None]]:
        """Return the place and the seconds left of an owner's first hundred jobs that wait, by id."""
        found = self._fresh().jobs.items()
        waits = [(job_id, job, job.position) for job_id, job in found if job.owner == owner and job.position]
        return {job_id: (position, self._until(job.ends_at)) for job_id, job, position in waits[:TOLD]}

    def _of(self, job: Job) -> Expected | None:
        view = self._fresh()
        found = view.jobs.get(job.id)
        fits = found is not None and (found.position is None) == (job.state == "converting")
        if not fits and not view.is_later(job) and self._clock() - view.at > view.took * SHARE:
            found = self._looked(view, wait=True).jobs.get(job.id)
        return found

    def _fresh(self) -> View:
        view = self._view
        return view if self._clock() - view.at < FRESH_SECONDS else self._looked(view)

    def _looked(self, old: View, *, wait: bool = False) -> View:
        """Return the view of now; others who ask meanwhile get the one before."""
        if not self._lock.acquire(blocking=wait or old.seen is None):
            return self._view
        try:
            if self._view is old:
                self._view = self._look()
                _explain(old, self._view)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("cannot look at the queue", reason=str(error))
            self._view = View(at=self._clock())
        finally:
            self._lock.release()
        return self._view

    def _look(self) -> View:
        began, seen = self._clock(), now()
        self._speeds = self._measured()
        waiting, converting = self._queue.waiting(WINDOW), self._queue.converting()
        busy = {job.id for job in converting}  # one that was claimed between the two looks is in both
        waiting = [job for job in waiting if job.id not in busy]
        left = {job.id: self._left(job, seen) for job in converting}
        converters = max(len(converting), self._count_converters())
        running = [Running(job.owner, left[job.id] or 0.0) for job in converting]
        places = forecast(waiting, running, converters, lambda job: self._seconds(job) or 0.0)
        jobs = {job.id: Expected(job.owner, None, _plus(began, left[job.id])) for job in converting}
        known = converters > 0 and None not in left.values()
        for job in waiting:
            ends = places[job.id].ends if known and self._seconds(job) is not None else None
            jobs[job.id] = Expected(job.owner, places[job.id].position, _plus(began, ends))
        by_place = dict(sorted(jobs.items(), key=lambda item: item[1].position or 0))
        return View(began, seen, self._clock() - began, converters, by_place)

    def _count_converters(self) -> int:
        try:
            return self._consumers()
        except BrokerUnavailable:
            return 0  # then those count that are at work

    def _until(self, time: float | None) -> int | None:
        return None if time is None else max(round(time - self._clock()), 0)

    def _whole(self, job: Job) -> int | None:
        """Return how long a job takes that has just been claimed."""
        whole = self._speeds.seconds(kind(job.source["filename"], job.options), job.source["size"])
        return None if whole is None else round(whole)

    def _seconds(self, job: Waiting | Converting) -> float | None:
        return self._speeds.seconds(job.kind, job.size)

    def _left(self, job: Converting, time: datetime) -> float | None:
        """Return in how many seconds a job is done that is being converted."""
        whole = self._seconds(job)
        elapsed = 0.0 if job.since is None else max((time - job.since).total_seconds(), 0.0)
        if whole is not None and job.since is not None and job.progress >= SURE:
            return elapsed * (1 - job.progress) / job.progress
        if whole is None:
            return None
        return max(whole - elapsed, whole * (1 - job.progress) * SURE)


def _plus(time: float, seconds: float | None) -> float | None:
    return None if seconds is None else time + seconds


def _explain(old: View, new: View) -> None:
    """Log why jobs end later than was told."""
    rises = [
        later.ends_at - told.ends_at
        for job_id, told in old.jobs.items()
        if told.ends_at is not None
        and (later := new.jobs.get(job_id)) is not None
        and later.ends_at is not None
    ]
    if max(rises, default=0.0) <= RISE_SECONDS:
        return
    come = len(new.jobs.keys() - old.jobs.keys())
    if new.converters < old.converters:
        reason = f"{new.converters} converters instead of {old.converters}"
    elif come:
        reason = f"{come} jobs have come whose turn may be before"
    else:
        reason = "conversions take longer than those before"
    late = sum(rise > RISE_SECONDS for rise in rises)
    log.info("jobs end later than was told", reason=reason, jobs=late, seconds=round(max(rises)))


def the_outlook() -> Outlook:
    """Return the outlook of the application that answers now."""
    outlook: Outlook = current_app.extensions["outlook"]
    return outlook
