"""The job document: the truth about every upload, and the only code that writes it.

Each transition is one method and one compare-and-set on one document: it names the states it
starts from, and where it finds another it changes nothing and returns `None` (or `False`).
docs/reliability.md draws the states; `job_document` has the values that transitions share, and
`doorbell` rings what they leave due.  Long, because every transition stands here and nowhere else.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from chassis.crashpoint import crashpoints
from chassis.instance import Instance
from pipeline.job import Bell, Job, Lease, Phase
from pipeline.job_document import due, due_as_in, event, in_time, new, outcome, queued_again, sending
from pipeline.job_queries import OVER, JobQueries
from pipeline.mongodb import Client, Document, now, translated
from pipeline.timing import DEFAULT, Timing
from pipeline.turns import Turns

MAX_ATTEMPTS = 3
"""How often a job is claimed before it counts as the one that kills its converter."""


class Jobs(JobQueries):
    """The transitions.

    Every method raises `StoreUnavailable` when MongoDB is away.  Those that an owner asks for change
    nothing if the job has another `version` than the one given.
    """

    def __init__(self, client: Client, timing: Timing = DEFAULT, sender: Instance | None = None) -> None:
        """Claims of mails bear the name of `sender`, so that it is known when they were a dead one's."""
        super().__init__(client, timing)
        self._turns = Turns(client)
        self._sender = sender

    @crashpoints
    def begin_upload(  # noqa: PLR0913 - one argument for each thing that is known when an upload begins
        self,
        owner: str,
        *,
        filename: str,
        content_type: str,
        options: Mapping[str, Any],
        request_id: str,
        upload_id: str | None = None,
    ) -> Job:
        """Create a job in `uploading`, so that what an abandoned upload leaves can be found.

        `upload_id` is that of a resumable upload, and the job's.
        """
        document = new(
            owner,
            filename=filename,
            content_type=content_type,
            options=options,
            request_id=request_id,
            upload_id=upload_id,
        )
        with translated():
            self._jobs.insert_one(document)
        return Job.of(document)

    @crashpoints
    def queue(self, job_id: str, *, size: int, sha256: str, options: Mapping[str, Any]) -> Job | None:
        """`uploading` → `queued`, once the video is stored: from here on the job is acknowledged."""
        job = self.get(job_id)
        if job is None or job.state != "uploading":
            return None
        return self._change(
            {"_id": job_id, "state": "uploading"},
            {
                "state": "queued",
                "source.size": size,
                "source.sha256": sha256,
                "options": dict(options),
                "turn": self._next_turn(job.owner),
                **due("video", now()),
            },
        )

    @crashpoints
    def discard(self, job_id: str) -> bool:
        """Delete a job whose upload came to nothing; only `uploading` ones can be."""
        return self._remove({"_id": job_id, "state": "uploading"}) is not None

    @crashpoints
    def cancel(self, job_id: str, owner: str, version: int | None = None) -> Job | None:
        """`queued` or `converting` → `canceled`; the converter learns it when it renews its lease."""
        return self._change(
            {**_own(job_id, owner, version), "state": {"$in": ["queued", "converting"]}},
            {
                "state": "canceled",
                "ended_at": now(),
                "phase": None,
                "doorbell.video.due_at": None,
            },
            event=event("canceled"),
        )

    @crashpoints
    def retry(
        self,
        job_id: str,
        owner: str,
        options: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> Job | None:
        """`done`, `failed` or `canceled` → `queued` while the video is kept, with new options if given.

        A mail that is still owed for the earlier outcome is owed no more.
        """
        again = {
            "state": "queued",
            "ended_at": None,
            "attempt": 0,
            "progress": 0.0,
            "result": None,
            "error": None,
            "notice": None,
            "doorbell.mp3.due_at": None,
            "turn": self._next_turn(owner),
            **due("video", now()),
        }
        if options is not None:
            again["options"] = dict(options)
        return self._change(
            {**_own(job_id, owner, version), "state": {"$in": list(OVER)}, "source.kept": True}, again
        )

    @crashpoints
    def delete(self, job_id: str, owner: str, version: int | None = None) -> Job | None:
        """Delete a job that is over and return what it was; its blobs are unwanted from then on.

        Webhooks are told first: while an event is left, nothing is deleted.
        """
        over = {"state": {"$in": [*OVER, "expired"]}, "events.0": {"$exists": False}}
        return self._remove({**_own(job_id, owner, version), **over})

    @crashpoints
    def claim(self, job_id: str, holder: str) -> Job | None:
        """`queued`, or `converting` under a lease that ended → `converting` under a new lease.

        A delayed job is not claimed before its bell was rung, whoever else rings.
        A job that was claimed `MAX_ATTEMPTS` times fails here as the one that kills its converter.
        A holder works on one job at a time: what it finds under its own name is a claim whose answer
        was lost.
        """
        time = now()
        own = {"state": "converting", "lease.holder": holder}
        claimable = {
            "_id": job_id,
            "$or": [{"state": "queued", **in_time("video")}, self._lapsed(time), own],
        }
        job = self._change(
            {**claimable, "attempt": {"$lt": MAX_ATTEMPTS}},
            {
                "state": "converting",
                "lease.holder": holder,
                "lease.since": time,
                "lease.until": time + self.timing.lease,
                "progress": 0.0,
                "phase": "probing",
                "doorbell.video.due_at": None,
            },
            add={"attempt": 1, "lease.token": 1},
        )
        if job is None:
            worn_out = self._find_one({**claimable, "attempt": {"$gte": MAX_ATTEMPTS}})
            if worn_out is not None:
                unchanged = {"_id": job_id, "version": worn_out.version}
                self._fail(unchanged, CONVERTER_CRASHED, worn_out.claimed)
        return job

    @crashpoints
    def renew(self, lease: Lease, *, progress: float | None = None, phase: Phase | None = None) -> bool:
        """Prolong a lease, with the progress so far; `False` says that it is lost."""
        values: Document = {"lease.until": now() + self.timing.lease}
        if progress is not None:
            values["progress"] = progress
        if phase is not None:
            values["phase"] = phase
        return self._change(_held(lease), values) is not None

    @crashpoints
    def describe(self, lease: Lease, media: Mapping[str, Any]) -> bool:
        """Store what the probe found."""
        return self._change(_held(lease), {"media": dict(media)}) is not None

    @crashpoints
    def finish(self, lease: Lease, result: Mapping[str, Any]) -> Job | None:
        """`converting` → `done`, with the mail due; the holder of an older lease changes nothing."""
        values = {"state": "done", "result": dict(result), "progress": 1.0}
        kind = "done" if result["complete"] else "partial"
        return self._change(_held(lease), {**values, **outcome(lease)}, event=event(kind, result=result))

    @crashpoints
    def fail(self, lease: Lease, error: Mapping[str, Any]) -> Job | None:
        """`converting` → `failed`, with the mail due. `error` is {code, message, hint, retryable, log}."""
        return self._fail(_held(lease), error, lease)

    @crashpoints
    def give_up(self, job: Job, error: Mapping[str, Any]) -> Job | None:
        """`queued` or `converting` → `failed` by an operator's word, with the mail due.

        It counts as a claim of its own, so that its mail is not taken for that of an earlier run.
        """
        own = Lease(job.id, job.claimed.token + 1)
        found = {"_id": job.id, "version": job.version, "state": {"$in": ["queued", "converting"]}}
        failed = {"state": "failed", "error": dict(error), "doorbell.video.due_at": None}
        return self._change(
            found, {**failed, **outcome(own)}, add={"lease.token": 1}, event=event("failed", error=error)
        )

    @crashpoints
    def give_back(self, lease: Lease, *, delay: timedelta = timedelta(0)) -> Job | None:
        """`converting` → `queued`; the attempt is not counted, nothing was wrong with the job."""
        return self._change(_held(lease), queued_again(delay), add={"attempt": -1})

    @crashpoints
    def retry_later(self, lease: Lease, attempt: int) -> Job | None:
        """`converting` → `queued` after a delay, the attempt counted: something of ours went wrong."""
        return self._change(_held(lease), queued_again(self.timing.retry_delay * attempt))

    @crashpoints
    def take_back(self, job: Job) -> Job | None:
        """`converting` → `queued` from a converter that let its lease end; the attempt is counted."""
        found = {"_id": job.id, "version": job.version, **self._lapsed(now())}
        return self._change(found, queued_again(timedelta(0)))

    @crashpoints
    def claim_notice(self, job_id: str) -> Job | None:
        """Take the right to send the mail that is pending, or whose sender let its right end, for a while.

        A mail that was put off is not sent before its bell was rung, whoever else rings.
        """
        time = now()
        return self._change(
            {
                "_id": job_id,
                "$or": [{"notice.state": "pending", **in_time("mp3")}, self._notice_lapsed(time)],
            },
            {
                "notice.state": "sending",
                "notice.until": time + self.timing.mail_lease,
                "notice.sender": self._sender and {"host": self._sender.host, "name": self._sender.name},
                "doorbell.mp3.due_at": None,
            },
            add={"notice.tries": 1, "notice.token": 1},
        )

    @crashpoints
    def renew_notice(self, job: Job) -> bool:
        """Prolong the right to send the mail; `False` says that it is lost."""
        return self._change(sending(job), {"notice.until": now() + self.timing.mail_lease}) is not None

    @crashpoints
    def notice_sent(self, job: Job) -> bool:
        """Record that the mail server took the mail; `job` is what `claim_notice` returned."""
        return self._change(sending(job), {"notice.state": "sent", "notice.until": None}) is not None

    @crashpoints
    def notice_delayed(self, job: Job, due_at: datetime, *, counted: bool = True) -> bool:
        """Put the mail off until `due_at`; an attempt that was no fault of the mail's is not counted."""
        values = {"notice.state": "pending", "notice.until": None, **due("mp3", due_at, delayed=True)}
        return self._change(sending(job), values, add={} if counted else {"notice.tries": -1}) is not None

    @crashpoints
    def notice_undeliverable(self, job: Job, reason: str) -> bool:
        """Give the mail up, with the mail server's words."""
        values = {"notice.state": "undeliverable", "notice.until": None, "notice.reason": reason}
        return self._change(sending(job), values) is not None

    @crashpoints
    def take_back_notice(self, job: Job, *, dead: bool = False) -> Job | None:
        """Make a mail due again whose sender let its right end, or is known to be `dead`."""
        time = now()
        gone = {"notice.state": "sending"} if dead else self._notice_lapsed(time)
        return self._change(
            {"_id": job.id, "version": job.version, **gone},
            {"notice.state": "pending", "notice.until": None, **due("mp3", time)},
        )

    @crashpoints
    def mark_spread(self, job: Job, event_id: str) -> bool:
        """Note that deliveries were made of an event; nothing else of the job has changed by that."""
        with translated():
            done = self._jobs.update_one({"_id": job.id}, {"$pull": {"events": {"id": event_id}}})
        return done.modified_count == 1

    @crashpoints
    def end_delay(self, job: Job, bell: Bell) -> bool:
        """Let the job be taken up again: the bell that was delayed in `job` is about to ring.

        Who rings decides that by its own clock, so that who answers need not ask another one.
        """
        return self._change(due_as_in(job, bell), {f"doorbell.{bell}.delayed": False}) is not None

    @crashpoints
    def mark_rung(self, job: Job, bell: Bell) -> bool:
        """Note that the bell that was due in `job` was rung; one that became due since then stays due."""
        rung = {f"doorbell.{bell}.due_at": None, f"doorbell.{bell}.rung_at": now()}
        return self._change(due_as_in(job, bell), rung) is not None

    @crashpoints
    def ring_again(self, job: Job, bell: Bell) -> Job | None:
        """Make a bell due whose ringing nobody answered, unless somebody changed the job meanwhile."""
        return self._change({"_id": job.id, "version": job.version}, due(bell, now()))

    @crashpoints
    def release_source(self, job: Job) -> Job | None:
        """Give up a done job's video: from here on it is unwanted, and the job cannot be retried."""
        return self._change(
            {"_id": job.id, "version": job.version, "state": "done", "source.kept": True},
            {"source.kept": False},
        )

    @crashpoints
    def expire(self, job: Job) -> Job | None:
        """`done`, `failed` or `canceled` → `expired`: both its files are unwanted from here on."""
        return self._change(
            {"_id": job.id, "version": job.version, "state": {"$in": list(OVER)}},
            {"state": "expired", "source.kept": False},
        )

    @crashpoints
    def forget(self, job: Job) -> bool:
        """Delete an expired job's document."""
        return self._remove({"_id": job.id, "state": "expired"}) is not None

    def _next_turn(self, owner: str) -> int:
        return self._turns.after(owner, self.last_turn(owner))

    def _fail(self, found: Document, error: Mapping[str, Any], lease: Lease) -> Job | None:
        failed = {"state": "failed", "error": dict(error), **outcome(lease)}
        return self._change(found, failed, event=event("failed", error=error))

    def _change(
        self,
        found: Document,
        values: Document,
        add: Document | None = None,
        *,
        event: Document | None = None,
    ) -> Job | None:
        update = {
            "$set": {**values, "updated_at": now()},
            "$inc": {"version": 1, **(add or {})},
            **({} if event is None else {"$push": {"events": event}}),
        }
        with translated():
            document = self._jobs.find_one_and_update(found, update, return_document=ReturnDocument.AFTER)
        return None if document is None else Job.of(document)

    def _remove(self, found: Document) -> Job | None:
        job = self._find_one(found)
        if job is None:
            return None
        self.deletions.note(job.id, job.owner)
        with translated():
            document = self._jobs.find_one_and_delete(found)
        return None if document is None else Job.of(document)


CONVERTER_CRASHED: Mapping[str, Any] = {
    "code": "converter_crashed",
    "message": f"The conversion was started {MAX_ATTEMPTS} times and never finished.",
    "hint": "Export the video again with another program and upload that copy.",
    "retryable": True,
}


def _own(job_id: str, owner: str, version: int | None) -> Document:
    found: Document = {"_id": job_id, "owner": owner}
    return found if version is None else found | {"version": version}


def _held(lease: Lease) -> Document:
    return {"_id": lease.job_id, "state": "converting", "lease.token": lease.token}
