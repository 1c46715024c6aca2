"""The messages of the queues, and the order in which a bell is rung."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.broker import BrokerUnavailable
from pipeline.doorbell import Doorbell, Undecodable, ring
from pipeline.job import Bell, Job
from pipeline.jobs import Jobs

TIME = datetime(2026, 1, 2, tzinfo=UTC)
ID = "0123456789abcdef0123456789abcdef"


def job(state: str, *, delayed: bool | None = False) -> Job:
    bell: dict[str, Any] = {"due_at": TIME, "rung_at": None}
    if delayed is not None:
        bell["delayed"] = delayed
    fields: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
    named = {"id": ID, "owner": "me@example.com", "state": state, "request_id": "r1"}
    return Job(**{**fields, **named, "doorbell": {"video": bell, "mp3": bell}})


@dataclass
class Log:
    """Stands for the jobs and the broker, and notes what was asked of them in its order."""

    away: bool = False
    calls: list[str] = field(default_factory=list)

    def publish(self, queue: str, body: bytes) -> None:
        self.calls += [f"publish {queue} {json.loads(body)['job_id']}"]
        if self.away:
            raise BrokerUnavailable("away")

    def end_delay(self, _job: Job, bell: Bell) -> None:
        self.calls += [f"end delay {bell}"]

    def mark_rung(self, _job: Job, bell: Bell) -> None:
        self.calls += [f"mark {bell}"]


def jobs(log: Log) -> Jobs:
    return cast("Jobs", log)


# -- messages -----------------------------------------------------------------------------------


def test_a_message_has_the_keys_that_older_consumers_know() -> None:
    queued, done = (json.loads(Doorbell.of(job(state)).encode()) for state in ("queued", "done"))

    assert queued == {
        "video_fid": ID,
        "mp3_fid": None,
        "username": "me@example.com",
        "job_id": ID,
        "request_id": "r1",
        "v": 1,
    }
    assert done["mp3_fid"] == ID


def test_a_message_about_a_failure_names_no_mp3() -> None:
    assert Doorbell.of(job("failed")).mp3_fid is None


@given(st.text(), st.none() | st.text(), st.text(), st.text())
def test_what_was_encoded_is_decoded(job_id: str, mp3: str | None, username: str, request_id: str) -> None:
    bell = Doorbell(job_id, mp3, username, job_id, request_id)

    assert Doorbell.decode(bell.encode()) == bell


def test_a_message_of_an_older_producer_is_understood() -> None:
    body = json.dumps({"video_fid": ID, "mp3_fid": None, "username": "me@example.com"}).encode()

    assert Doorbell.decode(body) == Doorbell(ID, None, "me@example.com", ID, "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"{}", "neither job_id nor video_fid"),
        (b'{"job_id": 7}', "neither job_id nor video_fid"),
        (b'{"job_id": {"$ne": null}}', "neither job_id nor video_fid"),
        (b'{"job_id": "a", "v": 2}', "version 2; this process knows 1"),
        (b'{"job_id": "a", "v": "1"}', "version '1'"),
    ],
)
def test_a_body_that_is_no_message_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(Undecodable, match=reason):
        Doorbell.decode(body)


# -- ringing ------------------------------------------------------------------------------------


def test_a_bell_counts_as_rung_only_after_the_message_is_safe() -> None:
    log = Log()

    ring(jobs(log), log, job("queued"), "video")

    assert log.calls == [f"publish video {ID}", "mark video"]


def test_a_bell_that_the_broker_did_not_take_stays_due() -> None:
    log = Log(away=True)

    with pytest.raises(BrokerUnavailable):
        ring(jobs(log), log, job("queued"), "video")

    assert log.calls == [f"publish video {ID}"]


def test_a_delay_ends_before_the_bell_can_be_heard() -> None:
    log = Log()

    ring(jobs(log), log, job("done", delayed=True), "mp3")

    assert log.calls == ["end delay mp3", f"publish mp3 {ID}", "mark mp3"]


def test_a_job_of_a_version_that_knew_no_delays_is_rung_for() -> None:
    log = Log()

    ring(jobs(log), log, job("queued", delayed=None), "video")

    assert log.calls == [f"publish video {ID}", "mark video"]
