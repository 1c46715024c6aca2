"""The job document: the truth about every upload, and the only code that writes it.

Each transition is one function and one compare-and-set on one document: it names the states it
starts from, and where it finds another it changes nothing and returns `None` (or `False`).
docs/architecture.md draws the states; `doorbell` rings what a transition leaves due.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import uuid4

from pymongo import ReturnDocument

from chassis.mongodb import Client, Document, now, translated

State = Literal["uploading", "queued", "converting", "done", "failed", "canceled", "expired"]
Bell = Literal["video", "mp3"]
Phase = Literal["probing", "converting", "storing"]

MAX_ATTEMPTS = 3
"""How often a job is claimed before it counts as the one that kills its converter."""
LEASE = timedelta(seconds=60)
CLOCK_SKEW = timedelta(seconds=30)
"""How far two machines' clocks may stand apart: a lease is taken over only this long after its end."""
RETRY_DELAY = timedelta(seconds=10)
"""How long a job that met a bug of ours waits, times the attempts so far."""
MAIL_LEASE = timedelta(seconds=120)
"""How long one attempt to send a mail may take before another process may try."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job; `token` rises with every claim and fences off earlier holders."""

    job_id: str
    token: int

    @property
    def blob_id(self) -> str:
        """The id of the MP3 that this claim stores."""
        return f"{self.job_id}.{self.token}"


@dataclass(frozen=True, slots=True)
class Job:
    """One job document as it was read; the nested mappings are as docs/architecture.md lists them."""

    id: str
    owner: str
    state: State
    version: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    attempt: int
    request_id: str
    source: Mapping[str, Any]
    options: Mapping[str, Any]
    media: Mapping[str, Any] | None
    progress: float
    phase: Phase | None
    lease: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    doorbell: Mapping[str, Mapping[str, datetime | None]]
    notice: Mapping[str, Any] | None

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the job that a stored document describes."""
        fields = dict(document)
        return cls(id=fields.pop("_id"), **fields)

    @property
    def claimed(self) -> Lease:
        """The lease of the claim that this document was read by."""
        return Lease(self.id, self.lease["token"])


class Jobs:
    """The collection `jobs.jobs`.

    Every method raises `StoreUnavailable` when MongoDB is away.
    """

    def __init__(self, client: Client) -> None:
        self._jobs = client["jobs"]["jobs"]

    def ensure_indexes(self) -> None:
        """Create the indexes that the look-ups below are answered by; again is harmless."""
        with translated():
            self._jobs.create_index([("owner", 1), ("created_at", -1)])
            self._jobs.create_index([("state", 1), ("updated_at", 1)])
            self._jobs.create_index("doorbell.video.due_at")
            self._jobs.create_index("doorbell.mp3.due_at")

    # -- upload ---------------------------------------------------------------------------------

    def begin_upload(
        self, owner: str, *, filename: str, content_type: str, options: Mapping[str, Any], request_id: str
    ) -> Job:
        """Create a job in `uploading`, so that what an abandoned upload leaves can be found."""
        time = now()
        document: Document = {
            "_id": uuid4().hex,
            "owner": owner,
            "state": "uploading",
            "version": 1,
            "created_at": time,
            "updated_at": time,
            "expires_at": None,
            "attempt": 0,
            "request_id": request_id,
            "source": {"filename": filename, "size": None, "sha256": None, "content_type": content_type},
            "options": dict(options),
            "media": None,
            "progress": 0.0,
            "phase": None,
            "lease": {"token": 0, "holder": None, "until": None},
            "result": None,
            "error": None,
            "doorbell": {
                "video": {"due_at": None, "rung_at": None},
                "mp3": {"due_at": None, "rung_at": None},
            },
            "notice": None,
        }
        with translated():
            self._jobs.insert_one(document)
        return Job.of(document)

    def queue(self, job_id: str, *, size: int, sha256: str, options: Mapping[str, Any]) -> Job | None:
        """`uploading` → `queued`, once the video is stored: from here on the job is acknowledged."""
        return self._change(
            {"_id": job_id, "state": "uploading"},
            {
                "state": "queued",
                "source.size": size,
                "source.sha256": sha256,
                "options": dict(options),
                **_due("video", now()),
            },
        )

    def discard(self, job_id: str) -> bool:
        """Delete a job whose upload came to nothing; only `uploading` ones can be."""
        with translated():
            return self._jobs.delete_one({"_id": job_id, "state": "uploading"}).deleted_count == 1

    # -- conversion -----------------------------------------------------------------------------

    def claim(self, job_id: str, holder: str) -> Job | None:
        """`queued`, or `converting` under a lease that ended → `converting` under a new lease.

        A job that was claimed `MAX_ATTEMPTS` times fails here as the one that kills its converter.
        A holder works on one job at a time: what it finds under its own name is a claim whose answer
        was lost.
        """
        time = now()
        own = {"state": "converting", "lease.holder": holder}
        claimable = [{"state": "queued"}, _abandoned(time), own]
        job = self._change(
            {"_id": job_id, "attempt": {"$lt": MAX_ATTEMPTS}, "$or": claimable},
            {
                "state": "converting",
                "lease.holder": holder,
                "lease.until": time + LEASE,
                "progress": 0.0,
                "phase": "probing",
            },
            add={"attempt": 1, "lease.token": 1},
        )
        if job is None:
            self._fail(
                {"_id": job_id, "attempt": {"$gte": MAX_ATTEMPTS}, "$or": claimable}, CONVERTER_CRASHED
            )
        return job

    def renew(self, lease: Lease, *, progress: float | None = None, phase: Phase | None = None) -> bool:
        """Prolong a lease, with the progress so far; `False` says that it is lost."""
        values: Document = {"lease.until": now() + LEASE}
        if progress is not None:
            values["progress"] = progress
        if phase is not None:
            values["phase"] = phase
        return self._change(_held(lease), values) is not None

    def describe(self, lease: Lease, media: Mapping[str, Any]) -> bool:
        """Store what the probe found."""
        return self._change(_held(lease), {"media": dict(media)}) is not None

    def finish(self, lease: Lease, result: Mapping[str, Any]) -> Job | None:
        """`converting` → `done`, with the mail due; the holder of an older lease changes nothing."""
        return self._change(
            _held(lease),
            {
                "state": "done",
                "result": dict(result),
                "progress": 1.0,
                "phase": None,
                **_outcome(lease.token),
            },
        )

    def fail(self, lease: Lease, error: Mapping[str, Any]) -> Job | None:
        """`converting` → `failed`, with the mail due. `error` is {code, message, hint, retryable}."""
        return self._fail(_held(lease), error, token=lease.token)

    def give_back(self, lease: Lease, *, delay: timedelta = timedelta(0)) -> Job | None:
        """`converting` → `queued`; the attempt is not counted, nothing was wrong with the job."""
        return self._change(
            _held(lease),
            {
                "state": "queued",
                "lease.until": None,
                "phase": None,
                "progress": 0.0,
                **_due("video", now() + delay),
            },
            add={"attempt": -1},
        )

    def retry_later(self, lease: Lease, attempt: int) -> Job | None:
        """`converting` → `queued` after a delay, the attempt counted: something of ours went wrong."""
        return self._change(
            _held(lease),
            {
                "state": "queued",
                "lease.until": None,
                "phase": None,
                "progress": 0.0,
                **_due("video", now() + RETRY_DELAY * attempt),
            },
        )

    # -- notice ---------------------------------------------------------------------------------

    def claim_notice(self, job_id: str) -> Job | None:
        """Take the right to send the mail that is pending, or whose sender is gone, for `MAIL_LEASE`."""
        time = now()
        return self._change(
            {
                "_id": job_id,
                "$or": [
                    {"notice.state": "pending"},
                    {"notice.state": "sending", "notice.until": {"$lt": time - CLOCK_SKEW}},
                ],
            },
            {"notice.state": "sending", "notice.until": time + MAIL_LEASE},
            add={"notice.tries": 1},
        )

    def notice_sent(self, job_id: str, tries: int) -> bool:
        """Record that the mail server took the mail at the `tries`th attempt."""
        return (
            self._change(_sending(job_id, tries), {"notice.state": "sent", "notice.until": None}) is not None
        )

    def notice_delayed(self, job_id: str, tries: int, due_at: datetime, *, counted: bool = True) -> bool:
        """Put the mail off until `due_at`; an attempt that was no fault of the mail's is not counted."""
        return (
            self._change(
                _sending(job_id, tries),
                {"notice.state": "pending", "notice.until": None, **_due("mp3", due_at)},
                add={} if counted else {"notice.tries": -1},
            )
            is not None
        )

    def notice_undeliverable(self, job_id: str, tries: int, reason: str) -> bool:
        """Give the mail up, with the mail server's words."""
        return (
            self._change(
                _sending(job_id, tries),
                {"notice.state": "undeliverable", "notice.until": None, "notice.reason": reason},
            )
            is not None
        )

    # -- doorbells ------------------------------------------------------------------------------

    def mark_rung(self, job: Job, bell: Bell) -> bool:
        """Note that the bell that was due in `job` was rung; one that became due since then stays due."""
        return (
            self._change(
                {"_id": job.id, f"doorbell.{bell}.due_at": job.doorbell[bell]["due_at"]},
                {f"doorbell.{bell}.due_at": None, f"doorbell.{bell}.rung_at": now()},
            )
            is not None
        )

    def ring_again(self, job: Job, bell: Bell) -> Job | None:
        """Make a bell due whose ringing nobody answered, unless somebody changed the job meanwhile."""
        return self._change({"_id": job.id, "version": job.version}, _due(bell, now()))

    # -- look-ups -------------------------------------------------------------------------------

    def find(self, job_id: str, owner: str) -> Job | None:
        """Return the owner's job; somebody else's is `None`, as an unknown one is."""
        return self._find_one({"_id": job_id, "owner": owner})

    def get(self, job_id: str) -> Job | None:
        """Return a job for the suite's own processes, whoever owns it."""
        return self._find_one({"_id": job_id})

    def due(self, bell: Bell, limit: int) -> Iterator[Job]:
        """Yield jobs whose bell should have rung by now, the longest due first."""
        field = f"doorbell.{bell}.due_at"
        return self._find({field: {"$lte": now()}}, field, limit)

    def unanswered(self, bell: Bell, patience: timedelta, limit: int) -> Iterator[Job]:
        """Yield jobs whose bell was rung over `patience` ago and that nobody took up."""
        waiting: Document = {"state": "queued"} if bell == "video" else {"notice.state": "pending"}
        rung = {f"doorbell.{bell}.due_at": None, f"doorbell.{bell}.rung_at": {"$lt": now() - patience}}
        return self._find({**waiting, **rung}, f"doorbell.{bell}.rung_at", limit)

    def abandoned(self, limit: int) -> Iterator[Job]:
        """Yield jobs whose converter let its lease end."""
        return self._find({**_abandoned(now()), "doorbell.video.due_at": None}, "lease.until", limit)

    def unsent(self, limit: int) -> Iterator[Job]:
        """Yield jobs whose mail was being sent by a process that is gone."""
        overdue = {"notice.state": "sending", "notice.until": {"$lt": now() - CLOCK_SKEW}}
        return self._find({**overdue, "doorbell.mp3.due_at": None}, "notice.until", limit)

    def stale_uploads(self, age: timedelta, limit: int) -> Iterator[Job]:
        """Yield uploads that began over `age` ago and never ended."""
        return self._find({"state": "uploading", "created_at": {"$lt": now() - age}}, "created_at", limit)

    # -- the one way to write -------------------------------------------------------------------

    def _fail(self, found: Document, error: Mapping[str, Any], token: int | None = None) -> Job | None:
        notice = _outcome(token if token is not None else "crashed")
        return self._change(found, {"state": "failed", "error": dict(error), "phase": None, **notice})

    def _change(self, found: Document, values: Document, add: Document | None = None) -> Job | None:
        update = {
            "$set": {**values, "updated_at": now()},
            "$inc": {"version": 1, **(add or {})},
        }
        with translated():
            document = self._jobs.find_one_and_update(found, update, return_document=ReturnDocument.AFTER)
        return None if document is None else Job.of(document)

    def _find_one(self, query: Document) -> Job | None:
        with translated():
            document = self._jobs.find_one(query)
        return None if document is None else Job.of(document)

    def _find(self, query: Document, oldest: str, limit: int) -> Iterator[Job]:
        with translated():
            documents = list(self._jobs.find(query).sort(oldest, 1).limit(limit))
        return (Job.of(document) for document in documents)


CONVERTER_CRASHED: Mapping[str, Any] = {
    "code": "converter_crashed",
    "message": f"The conversion was begun {MAX_ATTEMPTS} times and never came to an end.",
    "hint": "Save the video anew with another program and upload it again.",
    "retryable": True,
}


def _held(lease: Lease) -> Document:
    return {"_id": lease.job_id, "state": "converting", "lease.token": lease.token}


def _abandoned(time: datetime) -> Document:
    return {"state": "converting", "lease.until": {"$lt": time - CLOCK_SKEW}}


def _sending(job_id: str, tries: int) -> Document:
    return {"_id": job_id, "notice.state": "sending", "notice.tries": tries}


def _due(bell: Bell, time: datetime) -> Document:
    return {f"doorbell.{bell}.due_at": time}


def _outcome(run: int | str) -> Document:
    """The one mail that an outcome owes; `run` makes its Message-ID the same however often it is sent."""
    time = now()
    notice = {"state": "pending", "since": time, "tries": 0, "until": None, "run": run, "reason": None}
    return {"notice": notice, **_due("mp3", time)}
