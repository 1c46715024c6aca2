"""Tell all who follow their jobs and uploads what changes: one look at the store serves this process.

Changes are found by the time that their writer put into them, and writers' clocks may stand apart: so
each look goes back by `clock_skew`, and what was told already is known by its version.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from chassis import logs
from pipeline.deletions import KEPT, Deletion
from pipeline.job import Job
from pipeline.mongodb import StoreRefused, StoreUnavailable, now
from pipeline.upload_store import Upload

LOOK_SECONDS = 0.25
"""How often the store is asked while anybody follows."""
GONE = -1
"""In place of the version of a job that is deleted."""

Known = dict[str, int | str]
"""By id: the version of a job, or how far an upload was."""

log = logs.get(__name__)


class TooLongAgo(Exception):
    """Deletions from then are forgotten: whoever was away for so long lists their jobs again."""


class Deletions(Protocol):
    """Where deletions are noted."""

    def since(self, owners: Collection[str], time: datetime) -> list[Deletion]:
        """Return those of these owners since a time."""


class Store(Protocol):
    """What is asked for changes."""

    @property
    def deletions(self) -> Deletions:
        """Those that were noted."""

    def versions_since(self, owners: Collection[str], time: datetime) -> Mapping[str, int]:
        """Return the versions of these owners' jobs that changed since a time."""

    def among(self, job_ids: list[str]) -> Mapping[str, Job]:
        """Return those of these jobs that exist."""


class Uploads(Protocol):
    """Where resumable uploads are asked for that are no jobs yet."""

    def changed_since(self, owners: Collection[str], time: datetime) -> list[Upload]:
        """Return these owners' uploads that changed since a time."""


@dataclass(slots=True)
class Change:
    """A job or an upload that has changed, or what is left of one that is gone.

    An upload has the id of the job that it becomes, so one id is one row to whoever follows.
    """

    id: str
    owner: str
    at: datetime
    subject: Job | Upload | None
    text: str | None = None
    """What it is told by; whoever tells it first makes it for all."""


@dataclass(slots=True, eq=False)
class Follower:
    """One stream of one owner's changes; of a job that changes often only the latest version waits."""

    owner: str
    _waiting: dict[str, Change] = field(default_factory=dict)
    _awake: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, seconds: float) -> list[Change]:
        """Return what changed since the last call, as soon as there is anything or the time is over."""
        self._awake.wait(seconds)
        self._awake.clear()
        with self._lock:
            taken, self._waiting = self._waiting, {}
        return list(taken.values())

    def tell(self, changes: Collection[Change]) -> None:
        """Let these be taken; from the thread that looks."""
        with self._lock:
            self._waiting |= {change.id: change for change in changes}
        self._awake.set()

    def wake(self) -> None:
        """End its waiting."""
        self._awake.set()


class Changes:
    """Who follows whose jobs in this process, and the thread that looks for all of them."""

    def __init__(
        self, store: Store, uploads: Uploads, clock_skew: timedelta, stopping: threading.Event
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._skew = clock_skew
        self._stopping = stopping
        self._followers: dict[str, set[Follower]] = {}
        self._known: Known = {}
        """What was told, of what the next look may find again."""
        self._primed: Known = {}
        """What the next look need not tell: it was so before anybody followed."""
        self.looked_at = now()
        """All that changed until then is told."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether the process is asked to end."""
        return self._stopping.is_set()

    def since(self, owner: str, time: datetime) -> list[Change]:
        """Return what changed of an owner's since a time that a change told of, or a little before.

        Raises:
            TooLongAgo: nobody knows any more.
            StoreUnavailable: MongoDB is away.
        """
        if time < now() - KEPT + self._skew:
            raise TooLongAgo(f"{time} is over {KEPT} ago")
        return self._find([owner], time - self._skew, {})[0]

    @contextmanager
    def follow(self, owner: str) -> Iterator[Follower]:
        """Have changes of an owner's jobs told that happen within the block."""
        follower = Follower(owner)
        primed = {} if owner in self._followers else self._before(owner)
        with self._lock:
            self._primed |= primed
            self._followers.setdefault(owner, set()).add(follower)
            if self._thread is None:
                self._known, self.looked_at = {}, now()
                self._thread = threading.Thread(target=self._look_on, name="changes", daemon=True)
                self._thread.start()
        try:
            yield follower
        finally:
            with self._lock:
                self._followers[owner].discard(follower)
                if not self._followers[owner]:
                    del self._followers[owner]

    def _before(self, owner: str) -> Known:
        """Return what a first look would find, and what is no news to anybody."""
        try:
            return self._find([owner], now() - self._skew, {})[1]
        except (StoreUnavailable, StoreRefused):
            return {}  # then it is told, which does no harm

    def _look_on(self) -> None:
        while True:
            with self._lock:
                owners = list(self._followers)
                self._known, self._primed = self._known | self._primed, {}
                if not owners or self.stopping:
                    self._thread = None
                    for followers in self._followers.values():
                        for follower in followers:
                            follower.wake()
                    return
            try:
                self._look(owners)
            except (StoreUnavailable, StoreRefused) as error:
                log.warning("cannot look for changed jobs", reason=str(error))
            except Exception:
                log.exception("unhandled exception while looking for changed jobs")
            self._stopping.wait(LOOK_SECONDS)

    def _look(self, owners: list[str]) -> None:
        began = now()
        changes, self._known = self._find(owners, self.looked_at - self._skew, self._known)
        self.looked_at = began
        by_owner: dict[str, list[Change]] = {}
        for change in changes:
            by_owner.setdefault(change.owner, []).append(change)
        with self._lock:
            for owner, of_owner in by_owner.items():
                for follower in self._followers.get(owner, ()):
                    follower.tell(of_owner)

    def _find(self, owners: list[str], time: datetime, known: Known) -> tuple[list[Change], Known]:
        """Return what is not known yet, and all that will be: the next look finds most of it again."""
        changes, seen = self._changed_jobs(owners, time, known)
        for upload in self._uploads.changed_since(owners, time):
            key, version = f"upload {upload.id}", f"{upload.state} {upload.offset} of {upload.length}"
            seen[key] = version
            if known.get(key) != version and upload.state != "queued":  # then it is a job
                subject = None if upload.state == "terminated" else upload
                changes.append(Change(upload.id, upload.owner, upload.updated_at, subject))
        return changes, seen

    def _changed_jobs(self, owners: list[str], time: datetime, known: Known) -> tuple[list[Change], Known]:
        versions = dict(self._store.versions_since(owners, time))
        deletions = {deletion.job_id: deletion for deletion in self._store.deletions.since(owners, time)}
        new = [job_id for job_id, version in versions.items() if known.get(job_id) != version]
        noted = [job_id for job_id in deletions if known.get(job_id) != GONE]
        jobs = self._store.among([*new, *noted]) if new or noted else {}
        changes = [
            Change(job.id, job.owner, job.updated_at, job) for job_id in new if (job := jobs.get(job_id))
        ]
        gone = [deletions[job_id] for job_id in noted if job_id not in jobs]
        changes += [Change(deletion.job_id, deletion.owner, deletion.at, None) for deletion in gone]
        seen: Known = {**versions, **{job_id: jobs[job_id].version for job_id in new if job_id in jobs}}
        return changes, seen | {job_id: GONE for job_id in deletions if job_id not in jobs}
