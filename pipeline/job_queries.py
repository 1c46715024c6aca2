"""Look jobs up: one by its id, or those that something is due for, the longest due first.

Long, because every question stands beside the others: each has to fit one of the indexes.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pipeline.deletions import Deletions
from pipeline.job import Bell, Job, State
from pipeline.mongodb import Client, Document, now, translated
from pipeline.speeds import kind
from pipeline.timing import DEFAULT, Timing

OVER: tuple[State, ...] = ("done", "failed", "canceled")
"""The states in which nothing more happens to a job by itself until its files expire."""
QUICK_TRIES = 3
"""A mail that was tried so often waits for its lease: if it kills its sender, the others have their turn."""
CURSOR = re.compile(r"([0-9]{1,14})\.([0-9a-f]{32})")


class InvalidCursor(ValueError):
    """The text is no cursor that a page ended with."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an owner takes up now."""

    active_jobs: int
    jobs_today: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a job decides when it is claimed, and how long it takes."""

    id: str
    owner: str
    turn: int
    created_at: datetime
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class Converting:
    """A job that is being converted, by whom, since when, and how far it is."""

    id: str
    owner: str
    holder: str
    since: datetime | None
    """Not known of a claim by an older converter."""
    progress: float
    kind: str
    size: int


class JobQueries:
    """The collection `jobs.jobs`, to read; every method raises `StoreUnavailable` when MongoDB is away."""

    def __init__(self, client: Client, timing: Timing = DEFAULT) -> None:
        self.timing = timing
        self._jobs = client["jobs"]["jobs"]
        self.deletions = Deletions(client)

    def ensure_indexes(self) -> None:
        """Create the indexes that the look-ups below are answered by; again is harmless."""
        self.deletions.ensure_indexes()
        with translated():
            self._jobs.create_index([("owner", 1), ("created_at", -1)])
            self._jobs.create_index([("owner", 1), ("updated_at", 1)])
            self._jobs.create_index([("created_at", -1)])
            self._jobs.create_index([("state", 1), ("created_at", 1)])
            self._jobs.create_index(
                [("state", 1), ("doorbell.video.due_at", 1), ("turn", 1), ("created_at", 1)]
            )
            self._jobs.create_index([("owner", 1), ("state", 1), ("turn", 1)])
            self._jobs.create_index([("state", 1), ("ended_at", 1)])
            self._jobs.create_index([("state", 1), ("source.kept", 1), ("ended_at", 1)])
            self._jobs.create_index("notice.state")
            self._jobs.create_index("doorbell.video.due_at")
            self._jobs.create_index("doorbell.mp3.due_at")
            self._jobs.create_index("events.at")

    def find(self, job_id: str, owner: str) -> Job | None:
        """Return the owner's job; somebody else's is `None`, as an unknown one is."""
        return self._find_one({"_id": job_id, "owner": owner})

    def get(self, job_id: str) -> Job | None:
        """Return a job for the suite's own processes, whoever owns it."""
        return self._find_one({"_id": job_id})

    def among(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Return those of these jobs that exist, by id."""
        with translated():
            found = self._jobs.find({"_id": {"$in": list(job_ids)}})
            return {document["_id"]: Job.of(document) for document in found}

    def versions(self, job_ids: Sequence[str]) -> dict[str, int]:
        """Return the versions of those of these jobs that exist."""
        with translated():
            found = self._jobs.find({"_id": {"$in": list(job_ids)}}, {"version": 1})
            return {document["_id"]: document["version"] for document in found}

    def versions_since(self, owners: Collection[str], time: datetime) -> dict[str, int]:
        """Return the versions of these owners' jobs that changed since a time, oldest change first."""
        query: Document = {"owner": {"$in": list(owners)}, "updated_at": {"$gte": time}}
        with translated():
            found = self._jobs.find(query, {"version": 1}).sort("updated_at", 1)
            return {document["_id"]: document["version"] for document in found}

    def count(self, state: State) -> int:
        """Return how many jobs are in a state."""
        with translated():
            return self._jobs.count_documents({"state": state})

    def oldest(self, state: State) -> Job | None:
        """Return the job in a state whose upload began first."""
        return next(iter(self._find({"state": state}, "created_at", 1)), None)

    def usage(self, owner: str) -> Usage:
        """Return how many jobs an owner has under way, began in the last 24 hours, and keeps bytes of."""
        active = {"$in": ["$state", ["uploading", "queued", "converting"]]}
        today = {"$gte": ["$created_at", now() - timedelta(days=1)]}
        video = {"$cond": ["$source.kept", {"$ifNull": ["$source.size", 0]}, 0]}
        made = {"$add": [{"$ifNull": [f"$result.{name}", 0]} for name in ("size", "parts_size")]}
        mp3 = {"$cond": [{"$eq": ["$state", "done"]}, made, 0]}
        sums = {
            "active_jobs": {"$sum": {"$cond": [active, 1, 0]}},
            "jobs_today": {"$sum": {"$cond": [today, 1, 0]}},
            "stored_bytes": {"$sum": {"$add": [video, mp3]}},
        }
        with translated():
            found = list(
                self._jobs.aggregate([{"$match": {"owner": owner}}, {"$group": {"_id": None, **sums}}])
            )
        return Usage(**{name: int(found[0][name]) if found else 0 for name in sums})

    def due(self, bell: Bell, limit: int) -> list[Job]:
        """Return jobs whose bell should have rung by now."""
        field = f"doorbell.{bell}.due_at"
        return self._find({field: {"$lte": now()}}, field, limit)

    def rung(self, bell: Bell) -> int:
        """Return for how many jobs a bell was rung that nobody has answered yet."""
        with translated():
            return self._jobs.count_documents(_rung(bell))

    def unanswered(self, bell: Bell, patience: timedelta, limit: int) -> list[Job]:
        """Return jobs whose bell was rung over `patience` ago and that nobody took up, oldest first."""
        rung_at = f"doorbell.{bell}.rung_at"
        return self._find({**_rung(bell), rung_at: {"$lt": now() - patience}}, rung_at, limit)

    def waiting(self, limit: int) -> list[Waiting]:
        """Return jobs that can be claimed, the lowest turn first.

        Those whose message is still to be sent are not among them: each message stands for one of these.
        """
        wanted = {**_KIND_AND_SIZE, "turn": 1, "created_at": 1}
        with translated():
            found = self._jobs.find(_rung("video"), wanted).sort([("turn", 1), ("created_at", 1)])
            return [
                Waiting(
                    document["_id"],
                    document["owner"],
                    document.get("turn", 0),
                    document["created_at"],
                    *_kind_and_size(document),
                )
                for document in found.limit(limit)
            ]

    def last_turn(self, owner: str) -> int | None:
        """Return the turn of the last of an owner's jobs that wait; `None` if none does."""
        with translated():
            found = self._jobs.find({"owner": owner, "state": "queued"}, {"turn": 1}).sort("turn", -1)
            return next((document.get("turn", 0) for document in found.limit(1)), None)

    def converting(self) -> list[Converting]:
        """Return the jobs that are being converted."""
        with translated():
            found = self._jobs.find({"state": "converting"}, {**_KIND_AND_SIZE, "lease": 1, "progress": 1})
            return [
                Converting(
                    document["_id"],
                    document["owner"],
                    document["lease"]["holder"],
                    document["lease"].get("since"),
                    document["progress"],
                    *_kind_and_size(document),
                )
                for document in found
            ]

    def abandoned(self, limit: int) -> list[Job]:
        """Return jobs whose converter let its lease end."""
        return self._find(self._lapsed(now()), "lease.until", limit)

    def unsent(self, limit: int) -> list[Job]:
        """Return jobs whose mail was being sent by a process that is gone."""
        return self._find(self._notice_lapsed(now()), "notice.until", limit)

    def being_sent(self, host: str, limit: int) -> list[Job]:
        """Return jobs whose mail is being sent by a process of this host, which may be dead by now."""
        sending = {"notice.state": "sending", "notice.sender.host": host}
        return self._find({**sending, "notice.tries": {"$lt": QUICK_TRIES}}, "notice.until", limit)

    def eventful(self, limit: int) -> list[Job]:
        """Return jobs with events that deliveries are still to be made of."""
        return self._find({"events.at": {"$lte": now()}}, "events.at", limit)

    def stale_uploads(self, age: timedelta, limit: int) -> list[Job]:
        """Return uploads that began over `age` ago and never ended, without the resumable ones."""
        begun = {"state": "uploading", "created_at": {"$lt": now() - age}}
        return self._find({**begun, "resumable": {"$ne": True}}, "created_at", limit)

    def ended(
        self, states: Sequence[State], age: timedelta, limit: int, *, source_kept: bool | None = None
    ) -> list[Job]:
        """Return jobs in one of `states` that ended over `age` ago, narrowed to those whose video is kept."""
        query: Document = {"state": {"$in": list(states)}, "ended_at": {"$lt": now() - age}}
        if source_kept is not None:
            query["source.kept"] = source_kept
        return self._find(query, "ended_at", limit)

    def page(  # noqa: PLR0913 - one argument for each thing a list can be narrowed by
        self,
        owner: str | None,
        *,
        limit: int = 20,
        state: State | None = None,
        text: str | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> list[Job]:
        """Return an owner's jobs, the newest first.

        Args:
            owner: whose; `None` for everybody's, which only administrators see.
            limit: how many at the most.
            state: only those in this state.
            text: only those with this in their file's name, in capitals or not.
            before: the cursor of a job; only older ones.
            after: the cursor of a job; only newer ones, those next to it.

        Raises:
            InvalidCursor: `before` or `after` is none.
        """
        query: Document = {} if owner is None else {"owner": owner}
        if state is not None:
            query["state"] = state
        if text is not None:
            query["source.filename"] = {"$regex": re.escape(text), "$options": "i"}
        if before is not None:
            query |= beyond(before, "$lt")
        if after is not None:
            query |= beyond(after, "$gt")
        direction = -1 if after is None else 1
        order = [("created_at", direction), ("_id", direction)]
        with translated():
            page = [Job.of(document) for document in self._jobs.find(query).sort(order).limit(limit)]
        return page if after is None else page[::-1]

    def _lapsed(self, time: datetime) -> Document:
        """Match a job whose converter let its lease end, whatever clock it went by."""
        return {"state": "converting", "lease.until": {"$lt": time - self.timing.clock_skew}}

    def _notice_lapsed(self, time: datetime) -> Document:
        """Match a job whose mail a process began to send and never recorded."""
        return {"notice.state": "sending", "notice.until": {"$lt": time - self.timing.clock_skew}}

    def _find_one(self, query: Document) -> Job | None:
        with translated():
            document = self._jobs.find_one(query)
        return None if document is None else Job.of(document)

    def _find(self, query: Document, oldest: str, limit: int) -> list[Job]:
        with translated():
            return [Job.of(document) for document in self._jobs.find(query).sort(oldest, 1).limit(limit)]


_KIND_AND_SIZE = {"owner": 1, "source": 1, "options": 1}


def _kind_and_size(document: Document) -> tuple[str, int]:
    source = document["source"]
    return kind(source["filename"], document["options"]), source["size"] or 0


def _rung(bell: Bell) -> Document:
    waiting: Document = {"state": "queued"} if bell == "video" else {"notice.state": "pending"}
    return {**waiting, f"doorbell.{bell}.due_at": None}


class Created(Protocol):
    """What a list is sorted by."""

    @property
    def id(self) -> str:
        """32 hexadecimal characters."""

    @property
    def created_at(self) -> datetime:
        """In UTC."""


def cursor(entry: Created) -> str:
    """Return the place of a job, or an upload, in its owner's list, for `page`."""
    return f"{round(entry.created_at.timestamp() * 1000)}.{entry.id}"


def beyond(text: str, comparison: str) -> Document:
    """Match what was created before (`$lt`) or after (`$gt`) the place that a cursor names.

    Raises:
        InvalidCursor: the text is none.
    """
    found = CURSOR.fullmatch(text)
    if found is None:
        raise InvalidCursor(f"{text[:50]!r} is no cursor")
    time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(found[1]))
    same_time = {"created_at": time, "_id": {comparison: found[2]}}
    return {"$or": [{"created_at": {comparison: time}}, same_time]}
