"""One job, many holders and any order of events: what hypothesis may try and must never see.

The clock is moved by ending leases in the document; everything else goes through `Jobs`.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from chassis import mongodb
from chassis.job import Job, Lease
from chassis.jobs import MAX_ATTEMPTS, Jobs
from chassis.mongodb import Client, now
from chassis.timing import Timing

OWNER = "me@example.com"
OVER = {"done", "failed", "canceled"}
ERROR = {"code": "not_media", "message": "It is no video.", "hint": "Upload one.", "retryable": False}
TIMING = Timing(retry_delay=timedelta(hours=1))
PAST = timedelta(hours=1)

holders = st.sampled_from(["c1", "c2", "c3"])


class OneJob(RuleBasedStateMachine):
    """A job, everything that anybody ever read of it, and what must be true of each change."""

    leases = Bundle("leases")
    copies = Bundle("copies")
    mails = Bundle("mails")

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.documents = client["jobs"]["jobs"]
        self.jobs = Jobs(client, TIMING)
        self.sent: Counter[int] = Counter()

    @initialize(target=copies, over=st.booleans())
    def upload(self, *, over: bool) -> Job:
        """Begin with a job that waits, or with one whose mail is due."""
        begun = self.jobs.begin_upload(
            OWNER, filename="talk.mp4", content_type="video/mp4", options={}, request_id="r"
        )
        self.id = begun.id
        self.token = 0
        queued = self.jobs.queue(begun.id, size=3, sha256="00", options={})
        assert queued is not None
        assert self.jobs.queue(begun.id, size=3, sha256="00", options={}) is None
        if not over:
            return queued
        claimed = self.jobs.claim(begun.id, "c1")
        assert claimed is not None
        failed = self.jobs.fail(claimed.claimed, ERROR)
        assert failed is not None
        return failed

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] | None = self.documents.find_one({"_id": self.id})
        assert document is not None
        return document

    def changed(self, before: dict[str, Any], happened: object) -> dict[str, Any]:
        """Check what is true of every transition, and return the document as it is now."""
        after = self.document()
        if happened:
            assert after["version"] == before["version"] + 1
        else:
            assert after == before
        if before["state"] in OVER:
            assert after["state"] in {before["state"], "queued", "expired"}
        if before["state"] == "expired":
            assert after["state"] == "expired"
        return after

    @invariant()
    def the_token_only_rises(self) -> None:
        token = self.document()["lease"]["token"]
        assert token >= self.token
        self.token = token

    @invariant()
    def an_outcome_owes_exactly_one_mail(self) -> None:
        document = self.document()
        if document["state"] in {"done", "failed"}:
            assert document["notice"]["state"] in {"pending", "sending", "sent", "undeliverable"}
        assert all(times <= 1 for times in self.sent.values())

    @invariant()
    def only_a_success_has_a_result(self) -> None:
        document = self.document()
        assert (document["result"] is not None) <= (document["state"] in {"done", "expired"})

    @rule(target=leases, holder=holders)
    def claim(self, holder: str) -> Lease | MultipleResults[Lease]:
        before = self.document()
        lapsed = before["state"] == "converting" and before["lease"]["until"] < now() - TIMING.clock_skew
        own = before["state"] == "converting" and before["lease"]["holder"] == holder
        waiting = before["state"] == "queued" and not before["doorbell"]["video"].get("delayed")
        claimable, worn_out = waiting or lapsed or own, before["attempt"] >= MAX_ATTEMPTS

        job = self.jobs.claim(self.id, holder)

        after = self.changed(before, job or (claimable and worn_out))
        assert (job is not None) == (claimable and not worn_out)
        if claimable and worn_out:
            assert (after["state"], after["error"]["code"]) == ("failed", "converter_crashed")
        if job is None:
            return multiple()
        assert job.claimed.token == before["lease"]["token"] + 1
        return job.claimed

    def held(self, before: dict[str, Any], lease: Lease) -> bool:
        return before["state"] == "converting" and before["lease"]["token"] == lease.token

    @rule(lease=leases)
    def renew(self, lease: Lease) -> None:
        before = self.document()
        held = self.jobs.renew(lease, progress=0.5, phase="converting")
        self.changed(before, held)
        assert held == self.held(before, lease)

    @rule(lease=leases, way=st.sampled_from(["finish", "fail", "give_back", "retry_later"]))
    def end(self, lease: Lease, way: str) -> None:
        before = self.document()
        calls: dict[str, Any] = {
            "finish": lambda: self.jobs.finish(lease, {"blob": lease.blob_id, "size": 3}),
            "fail": lambda: self.jobs.fail(lease, ERROR),
            "give_back": lambda: self.jobs.give_back(lease),
            "retry_later": lambda: self.jobs.retry_later(lease, before["attempt"]),
        }
        job = calls[way]()
        after = self.changed(before, job)
        assert (job is not None) == self.held(before, lease)
        if job is not None:
            ends = {"finish": "done", "fail": "failed", "give_back": "queued", "retry_later": "queued"}
            assert after["state"] == ends[way]

    @rule(target=copies)
    def look(self) -> Job:
        job = self.jobs.get(self.id)
        assert job is not None
        return job

    @rule()
    def cancel(self) -> None:
        before = self.document()
        job = self.jobs.cancel(self.id, OWNER)
        self.changed(before, job)
        assert (job is not None) == (before["state"] in {"queued", "converting"})

    @rule()
    def retry(self) -> None:
        before = self.document()
        job = self.jobs.retry(self.id, OWNER)
        self.changed(before, job)
        assert (job is not None) == (before["state"] in OVER and before["source"]["kept"])

    @rule()
    def time_passes(self) -> None:
        self.documents.update_one(
            {"_id": self.id, "state": "converting"}, {"$set": {"lease.until": now() - PAST}}
        )
        self.documents.update_one(
            {"_id": self.id, "notice.state": "sending"}, {"$set": {"notice.until": now() - PAST}}
        )

    @rule(job=copies)
    def reconcile(self, job: Job) -> None:
        for repair in (self.jobs.take_back, self.jobs.take_back_notice):
            before = self.document()
            mended = repair(job)
            self.changed(before, mended)
            assert mended is None or before["version"] == job.version

    @rule(job=copies, bell=st.sampled_from(["video", "mp3"]))
    def ring(self, job: Job, bell: Any) -> None:
        for step in (self.jobs.end_delay, self.jobs.mark_rung):
            before = self.document()
            self.changed(before, step(job, bell))

    @rule(job=copies)
    def give_files_up(self, job: Job) -> None:
        for step in (self.jobs.release_source, self.jobs.expire):
            before = self.document()
            self.changed(before, step(job))

    @rule(target=mails)
    def claim_notice(self) -> Job | MultipleResults[Job]:
        before = self.document()
        job = self.jobs.claim_notice(self.id)
        after = self.changed(before, job)
        if job is None:
            return multiple()
        assert before["notice"]["state"] in {"pending", "sending"}
        assert after["notice"]["token"] == before["notice"]["token"] + 1
        return job

    @rule(job=mails, way=st.sampled_from(["sent", "delayed", "undeliverable"]))
    def notice(self, job: Job, way: str) -> None:
        before = self.document()
        calls: dict[str, Any] = {
            "sent": lambda: self.jobs.notice_sent(job),
            "delayed": lambda: self.jobs.notice_delayed(job, now()),
            "undeliverable": lambda: self.jobs.notice_undeliverable(job, "no such user"),
        }
        recorded = calls[way]()
        self.changed(before, recorded)
        if recorded:
            mine = job.notice or {}
            assert (before["notice"]["run"], before["notice"]["token"]) == (mine["run"], mine["token"])
            self.sent[mine["run"]] += way == "sent"


def test_no_order_of_events_breaks_a_promise(mongodb_url: str) -> None:
    with mongodb.connect(mongodb_url) as client:
        client.drop_database("jobs")
        run_state_machine_as_test(
            lambda: OneJob(client),
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
