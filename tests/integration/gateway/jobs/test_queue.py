"""A job's place in the queue, and when it is done, as its owner is told."""

import httpx
import pytest

from pipeline.job import Job
from pipeline.speeds import Speeds
from tests.integration.gateway.conftest import Stores, some, wait_until
from tests.integration.gateway.jobs.test_events import listening


def waits(stores: Stores, owner: str = "me@example.com") -> Job:
    """Return a job that waits for a converter, its message sent."""
    job = stores.queued(owner)
    assert stores.jobs.mark_rung(job, "video")
    return some(stores.jobs.get(job.id))


def told(client: httpx.Client, job: Job) -> tuple[int | None, int | None]:
    document = client.get(f"/v1/jobs/{job.id}").json()
    return document["queue"] and document["queue"]["position"], document["eta_seconds"]


def test_owners_are_told_their_places_in_the_order_of_turns(
    me: httpx.Client, other: httpx.Client, stores: Stores
) -> None:
    first, second = waits(stores), waits(stores)
    theirs = waits(stores, "other@example.com")

    wait_until(lambda: told(me, second) == (3, None))

    assert [told(me, first), told(other, theirs)] == [(1, None), (2, None)]
    listed = {job["id"]: job["queue"] for job in me.get("/v1/jobs").json()["jobs"]}
    assert listed == {first.id: {"position": 1}, second.id: {"position": 3}}


def test_a_time_is_told_once_three_conversions_were_measured(me: httpx.Client, stores: Stores) -> None:
    running, job = waits(stores), waits(stores)
    stores.jobs.claim(running.id, "c")
    wait_until(lambda: told(me, job) == (1, None))
    for _ in range(3):
        Speeds(stores.client).note("mp4", 3, 100.0)

    wait_until(lambda: told(me, job)[1] is not None)

    [(position, seconds), (none, left)] = told(me, job), told(me, running)
    assert (position, none) == (1, None)
    assert seconds == pytest.approx(200, abs=30)
    assert left == pytest.approx(100, abs=30)


def test_a_job_whose_message_is_not_sent_has_no_place_yet(me: httpx.Client, stores: Stores) -> None:
    assert told(me, stores.queued()) == (None, None)


def test_a_job_that_is_over_has_no_place(me: httpx.Client, stores: Stores) -> None:
    assert told(me, stores.finished(waits(stores))) == (None, None)


def test_a_queued_job_is_told_anew_to_who_knows_its_version(me: httpx.Client, stores: Stores) -> None:
    job = waits(stores)
    known = me.get(f"/v1/jobs/{job.id}").headers["ETag"]

    assert me.get(f"/v1/jobs/{job.id}", headers={"If-None-Match": known}).status_code == 200


def test_who_follows_his_jobs_is_told_of_another_place(me: httpx.Client, stores: Stores) -> None:
    first, second = waits(stores), waits(stores)
    wait_until(lambda: told(me, second)[0] == 2)

    with listening(me) as mine:
        stores.jobs.claim(first.id, "c")
        event = mine.until("queue")[-1][1]

    assert event == {"jobs": [{"id": second.id, "queue": {"position": 1}, "eta_seconds": None}]}


def test_who_follows_one_job_is_told_of_another_place(me: httpx.Client, stores: Stores) -> None:
    first, second = waits(stores), waits(stores)
    wait_until(lambda: told(me, second)[0] == 2)

    with me.stream("GET", f"/v1/jobs/{second.id}/events") as answer:
        lines = answer.iter_lines()
        assert any(line == "event: state" for line in lines)
        stores.jobs.claim(first.id, "c")
        assert any(line == "event: queue" for line in lines)
        assert '"position": 1' in next(lines)
