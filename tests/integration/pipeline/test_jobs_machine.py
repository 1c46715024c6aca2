"""One job, many holders and any order of events: what hypothesis may try and must never see.

The clock is moved by ending leases in the document; everything else goes through `Jobs`.
Four rules with many ways each, not a rule for each way: hypothesis leaves out rules at random, and
runs without a claim tell nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline import mongodb
from pipeline.job import Job, Lease
from pipeline.jobs import MAX_ATTEMPTS, Jobs
from pipeline.mongodb import Client, now
from pipeline.timing import Timing

OWNER = "me@example.com"
OVER = {"done", "failed", "canceled"}
ERROR = {"code": "not_media", "message": "It is no video.", "hint": "Upload one.", "retryable": False}
TIMING = Timing(retry_delay=timedelta(hours=1))
PAST = timedelta(hours=1)

T = TypeVar("T")
Way = Literal["finish", "fail", "give_back", "retry_later"]
ENDS: dict[Way, str] = {"finish": "done", "fail": "failed", "give_back": "queued", "retry_later": "queued"}
holders = st.sampled_from(["c1", "c2", "c3"])
ages = st.sampled_from([0, 0, 0, 1, 2, 3])
"""Which of the things that were read is used: mostly the newest, often enough an outdated one."""


class OneJob(RuleBasedStateMachine):
    """A job, everything that anybody ever read of it, and what must be true of each change."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.documents = client["jobs"]["jobs"]
        self.jobs = Jobs(client, TIMING)
        self.leases: list[Lease] = []
        self.mails: list[Job] = []
        self.sent: Counter[int] = Counter()
        self.token = 0

    @initialize(done=st.booleans())
    def upload(self, *, done: bool) -> None:
        """Begin with a job that waits, or with one whose mail is due."""
        begun = self.jobs.begin_upload(
            OWNER, filename="talk.mp4", content_type="video/mp4", options={}, request_id="r"
        )
        self.id = begun.id
        queued = self.jobs.queue(begun.id, size=3, sha256="00", options={})
        assert queued is not None
        assert self.jobs.queue(begun.id, size=3, sha256="00", options={}) is None
        assert not self.jobs.discard(begun.id)
        self.copies = [queued]
        self.now = self.read()
        if done:
            self.claim("c1")
            self.end("finish", 0)

    def read(self) -> dict[str, Any]:
        document: dict[str, Any] | None = self.documents.find_one({"_id": self.id})
        assert document is not None
        return document

    def happens(self, transition: Callable[[], T]) -> T:
        """Make a transition happen, and check what is true of every one."""
        before, happened = self.now, transition()
        self.now = self.read()
        if happened:
            assert self.now["version"] == before["version"] + 1
        else:
            assert self.now == before
        if before["state"] in OVER:
            assert self.now["state"] in {before["state"], "queued", "expired"}
        if before["state"] == "expired":
            assert self.now["state"] == "expired"
        return happened

    @invariant()
    def the_token_only_rises(self) -> None:
        token = self.now["lease"]["token"]
        assert token >= self.token
        self.token = token

    @invariant()
    def an_outcome_owes_exactly_one_mail(self) -> None:
        if self.now["state"] in {"done", "failed"}:
            assert self.now["notice"]["state"] in {"pending", "sending", "sent", "undeliverable"}
        assert all(times <= 1 for times in self.sent.values())

    @invariant()
    def only_a_success_has_a_result(self) -> None:
        assert (self.now["result"] is not None) <= (self.now["state"] in {"done", "expired"})

    @invariant()
    def a_job_that_is_queued_has_a_bell_that_rang_or_will(self) -> None:
        bell = self.now["doorbell"]["video"]
        if self.now["state"] == "queued":
            assert bell["due_at"] is not None or bell["rung_at"] is not None

    @rule(way=st.sampled_from(["claim", "late claim", "renew", *ENDS]), holder=holders, age=ages)
    def convert(self, way: Any, holder: str, age: int) -> None:
        if way == "late claim":
            self.time_passes()
        if "claim" in way:
            self.claim(holder)
        elif self.leases and way == "renew":
            lease = older(self.leases, age)
            held = self.held(lease)
            assert self.happens(lambda: self.jobs.renew(lease, progress=0.5, phase="converting")) == held
        elif self.leases:
            self.end(way, age)

    def claim(self, holder: str) -> None:
        before = self.now
        converting = before["state"] == "converting"
        lapsed = converting and before["lease"]["until"] < now() - TIMING.clock_skew
        own = converting and before["lease"]["holder"] == holder
        waiting = before["state"] == "queued" and not before["doorbell"]["video"]["delayed"]
        claimable, worn_out = waiting or lapsed or own, before["attempt"] >= MAX_ATTEMPTS

        job = self.jobs.claim(self.id, holder)

        self.happens(lambda: job or (claimable and worn_out))
        assert (job is not None) == (claimable and not worn_out)
        if claimable and worn_out:
            assert (self.now["state"], self.now["error"]["code"]) == ("failed", "converter_crashed")
        if job is not None:
            assert job.claimed.token == before["lease"]["token"] + 1
            self.leases.append(job.claimed)

    def held(self, lease: Lease) -> bool:
        """Tell whether a lease is the one and only that may still end the job."""
        return bool(self.now["state"] == "converting" and self.now["lease"]["token"] == lease.token)

    def end(self, way: Way, age: int) -> None:
        lease = older(self.leases, age)
        held = self.held(lease)
        result = {"blob": lease.blob_id, "size": 3, "complete": True}
        ways: dict[Way, Callable[[], Job | None]] = {
            "finish": lambda: self.jobs.finish(lease, result),
            "fail": lambda: self.jobs.fail(lease, ERROR),
            "give_back": lambda: self.jobs.give_back(lease),
            "retry_later": lambda: self.jobs.retry_later(lease, self.now["attempt"]),
        }
        job = self.happens(ways[way])
        assert (job is not None) == held
        if job is not None:
            assert job.state == ENDS[way]

    @rule(
        way=st.sampled_from(["claim", "late claim", "late claim", "sent", "delayed", "undeliverable"]),
        age=ages,
    )
    def mail(self, way: str, age: int) -> None:
        if way == "late claim":
            self.time_passes()
        if "claim" in way:
            before = self.now["notice"]
            claimed = self.happens(lambda: self.jobs.claim_notice(self.id))
            if claimed is not None:
                assert before["state"] in {"pending", "sending"}
                assert self.now["notice"]["token"] == before["token"] + 1
                self.mails.append(claimed)
        elif self.mails:
            self.record(way, older(self.mails, age))

    def record(self, way: str, job: Job) -> None:
        mine, owed = job.notice or {}, self.now["notice"] or {}
        current = owed.get("state") == "sending" and (owed["run"], owed["token"]) == (
            mine["run"],
            mine["token"],
        )
        ways: dict[str, Callable[[], bool]] = {
            "sent": lambda: self.jobs.notice_sent(job),
            "delayed": lambda: self.jobs.notice_delayed(job, now()),
            "undeliverable": lambda: self.jobs.notice_undeliverable(job, "no such user"),
        }
        recorded = self.happens(ways[way])
        assert recorded == current
        if recorded:
            self.sent[mine["run"]] += way == "sent"

    @rule(
        way=st.sampled_from(["time", "look", "look", "take back", "ring again", "ring"]),
        bell=st.sampled_from(["video", "mp3"]),
        age=ages,
    )
    def reconcile(self, way: str, bell: Any, age: int) -> None:
        job = older(self.copies, age)
        if way == "time":
            self.time_passes()
        elif way == "look":
            self.look()
        elif way == "take back":
            for repair in (self.jobs.take_back, self.jobs.take_back_notice):
                version = self.now["version"]
                assert self.happens(partial(repair, job)) is None or version == job.version
        elif way == "ring again":
            version = self.now["version"]
            again = self.happens(lambda: self.jobs.ring_again(job, bell))
            assert (again is not None) == (version == job.version)
        else:
            for step in (self.jobs.end_delay, self.jobs.mark_rung):
                self.happens(partial(step, job, bell))

    def time_passes(self) -> None:
        for found, lease in (("converting", "lease"), ("sending", "notice")):
            state = "state" if lease == "lease" else "notice.state"
            self.documents.update_one(
                {"_id": self.id, state: found}, {"$set": {f"{lease}.until": now() - PAST}}
            )
        self.now = self.read()

    def look(self) -> None:
        job = self.jobs.get(self.id)
        assert job is not None
        self.copies.append(job)

    @precondition(lambda self: self.now["state"] != "expired")
    @rule(way=st.sampled_from(["cancel", "retry", "retry", "release", "expire"]), age=ages)
    def give_up(self, way: str, age: int) -> None:
        state, kept = self.now["state"], self.now["source"]["kept"]
        copy = older(self.copies, age)
        current = copy.version == self.now["version"]
        ways: dict[str, tuple[Callable[[], Job | None], bool]] = {
            "cancel": (lambda: self.jobs.cancel(self.id, OWNER), state in {"queued", "converting"}),
            "retry": (lambda: self.jobs.retry(self.id, OWNER), state in OVER and kept),
            "release": (lambda: self.jobs.release_source(copy), current and state == "done" and kept),
            "expire": (lambda: self.jobs.expire(copy), current and state in OVER),
        }
        transition, possible = ways[way]
        assert (self.happens(transition) is not None) == possible


def older(things: Sequence[T], age: int) -> T:
    """Return the thing that is so many places older than the newest."""
    return things[max(len(things) - 1 - age, 0)]


def test_no_order_of_events_breaks_a_promise(mongodb_url: str) -> None:
    with mongodb.connect(mongodb_url) as client:
        client.drop_database("jobs")

        def machine() -> OneJob:
            return OneJob(client)

        run_state_machine_as_test(
            machine,  # type: ignore[arg-type]  # a factory will do, says its documentation
            settings=settings(
                max_examples=100,
                stateful_step_count=50,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
