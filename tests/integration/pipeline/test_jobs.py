"""The transitions of the job document, on a real store."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from chassis.instance import Instance
from pipeline import mongodb
from pipeline.job import Job
from pipeline.job_queries import QUICK_TRIES, InvalidCursor, cursor
from pipeline.jobs import MAX_ATTEMPTS, Jobs
from pipeline.mongodb import Client, now
from pipeline.timing import DEFAULT

OWNER = "me@example.com"
RESULT = {"blob": "x.1", "size": 3, "sha256": "00", "duration": 1.0, "complete": True, "warnings": []}
ERROR = {"code": "not_media", "message": "It is no video.", "hint": "Upload one.", "retryable": False}


@pytest.fixture
def client(mongodb_url: str) -> Iterator[Client]:
    with mongodb.connect(mongodb_url) as client:
        client.drop_database("jobs")
        yield client


@pytest.fixture
def jobs(client: Client) -> Jobs:
    jobs = Jobs(client)
    jobs.ensure_indexes()
    return jobs


def upload(jobs: Jobs, owner: str = OWNER, filename: str = "talk.mp4") -> Job:
    return jobs.begin_upload(owner, filename=filename, content_type="video/mp4", options={}, request_id="r")


def queued(jobs: Jobs, owner: str = OWNER, filename: str = "talk.mp4") -> Job:
    return some(jobs.queue(upload(jobs, owner, filename).id, size=3, sha256="00", options={}))


def claimed(jobs: Jobs, holder: str = "c1") -> Job:
    return some(jobs.claim(queued(jobs).id, holder))


def done(jobs: Jobs) -> Job:
    return some(jobs.finish(claimed(jobs).claimed, RESULT))


def failed(jobs: Jobs) -> Job:
    return some(jobs.fail(claimed(jobs).claimed, ERROR))


def some(job: Job | None) -> Job:
    assert job is not None
    return job


def stored(jobs: Jobs, job: Job) -> Job:
    return some(jobs.get(job.id))


def backdate(client: Client, job: Job, by: timedelta, *fields: str) -> None:
    """Move times of a stored job into the past, as if that long had gone by."""
    document: Any = client["jobs"]["jobs"].find_one({"_id": job.id})
    moved = {}
    for field in fields:
        value = document
        for part in field.split("."):
            value = value[part]
        moved[field] = value - by
    client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": moved})


def note(job: Job) -> Any:
    assert job.notice is not None
    return job.notice


# -- upload -------------------------------------------------------------------------------------


def test_what_begin_upload_returns_is_what_is_stored(jobs: Jobs) -> None:
    job = upload(jobs)

    assert stored(jobs, job) == job
    assert (job.state, job.version, job.attempt) == ("uploading", 1, 0)


def test_an_upload_that_is_stored_is_queued_with_its_bell_due(jobs: Jobs) -> None:
    job = queued(jobs)

    assert (job.state, job.version, job.source["size"], job.source["sha256"]) == ("queued", 2, 3, "00")
    assert job.doorbell["video"]["due_at"] is not None
    assert [due.id for due in jobs.due("video", 10)] == [job.id]


def test_an_upload_is_queued_once(jobs: Jobs) -> None:
    job = queued(jobs)

    assert jobs.queue(job.id, size=3, sha256="00", options={}) is None


def test_only_an_upload_can_be_discarded(jobs: Jobs) -> None:
    unfinished, finished = upload(jobs), queued(jobs)

    assert jobs.discard(unfinished.id)
    assert not jobs.discard(finished.id)
    assert jobs.get(unfinished.id) is None
    assert jobs.get(finished.id) is not None


def test_a_field_of_a_newer_version_is_no_obstacle(jobs: Jobs, client: Client) -> None:
    job = queued(jobs)
    client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": {"colour": "blue"}})

    assert stored(jobs, job).id == job.id


# -- conversion ---------------------------------------------------------------------------------


def test_of_sixteen_that_claim_a_job_one_gets_it(jobs: Jobs) -> None:
    for _ in range(10):
        job = queued(jobs)

        with ThreadPoolExecutor(16) as pool:
            claims = [pool.submit(jobs.claim, job.id, f"c{n}") for n in range(16)]

        winners = [claim.result() for claim in claims if claim.result() is not None]
        assert len(winners) == 1
        assert (stored(jobs, job).attempt, stored(jobs, job).lease["token"]) == (1, 1)


def test_a_claim_whose_answer_was_lost_can_be_made_again_by_its_holder(jobs: Jobs) -> None:
    first = claimed(jobs, "c1")

    assert jobs.claim(first.id, "c2") is None
    assert some(jobs.claim(first.id, "c1")).lease["token"] == 2


def test_a_lease_is_taken_over_after_its_end_and_the_skew_of_clocks(jobs: Jobs, client: Client) -> None:
    job = claimed(jobs, "c1")
    backdate(client, job, DEFAULT.lease + DEFAULT.clock_skew - timedelta(seconds=5), "lease.until")
    assert jobs.claim(job.id, "c2") is None

    backdate(client, job, timedelta(seconds=6), "lease.until")

    assert some(jobs.claim(job.id, "c2")).claimed.token == 2


def test_the_holder_of_an_older_lease_changes_nothing(jobs: Jobs, client: Client) -> None:
    old = claimed(jobs, "c1").claimed
    backdate(client, stored(jobs, claimed(jobs)), timedelta(0), "lease.until")
    backdate(client, some(jobs.get(old.job_id)), timedelta(hours=1), "lease.until")
    new = some(jobs.claim(old.job_id, "c2"))

    outcomes = [
        jobs.renew(old, progress=0.9),
        jobs.describe(old, {"duration": 9}),
        jobs.finish(old, RESULT),
        jobs.fail(old, ERROR),
        jobs.give_back(old),
        jobs.retry_later(old, 1),
    ]

    assert not any(outcomes)
    assert jobs.get(old.job_id) == new


def test_a_renewal_prolongs_the_lease_and_stores_the_progress(jobs: Jobs, client: Client) -> None:
    job = claimed(jobs)
    backdate(client, job, timedelta(seconds=40), "lease.until")

    assert jobs.renew(job.claimed, progress=0.5, phase="converting")

    after = stored(jobs, job)
    assert (after.progress, after.phase) == (0.5, "converting")
    assert after.lease["until"] > now() + DEFAULT.lease - timedelta(seconds=5)


def test_what_the_probe_found_is_stored(jobs: Jobs) -> None:
    job = claimed(jobs)

    assert jobs.describe(job.claimed, {"duration": 5.3})

    assert stored(jobs, job).media == {"duration": 5.3}


def test_a_finished_job_owes_one_mail(jobs: Jobs) -> None:
    job = done(jobs)

    assert (job.state, job.progress, job.phase, job.result) == ("done", 1.0, None, RESULT)
    assert (note(job)["state"], note(job)["run"], note(job)["tries"]) == ("pending", 1, 0)
    assert job.ended_at is not None
    assert [due.id for due in jobs.due("mp3", 10)] == [job.id]
    assert jobs.finish(job.claimed, RESULT) is None
    assert jobs.claim(job.id, "c2") is None


def test_a_failed_job_owes_one_mail(jobs: Jobs) -> None:
    job = failed(jobs)

    assert (job.state, job.error, note(job)["state"]) == ("failed", ERROR, "pending")
    assert jobs.claim(job.id, "c2") is None


def test_a_job_given_back_loses_no_attempt_and_its_bell_is_due(jobs: Jobs) -> None:
    job = some(jobs.give_back(claimed(jobs).claimed))

    assert (job.state, job.attempt, job.lease["token"]) == ("queued", 0, 1)
    assert [due.id for due in jobs.due("video", 10)] == [job.id]


def test_a_job_given_back_with_a_delay_has_no_bell_due_yet(jobs: Jobs) -> None:
    job = some(jobs.give_back(claimed(jobs).claimed, delay=timedelta(minutes=1)))

    assert job.state == "queued"
    assert jobs.due("video", 10) == []


def test_a_bug_of_ours_counts_the_attempt_and_waits_longer_each_time(jobs: Jobs) -> None:
    first = some(jobs.retry_later(claimed(jobs).claimed, 1))
    jobs.end_delay(first, "video")
    second = some(jobs.retry_later(some(jobs.claim(first.id, "c")).claimed, 2))

    waits = [some_time(job.doorbell["video"]["due_at"]) - job.updated_at for job in (first, second)]
    assert [round(wait.total_seconds()) for wait in waits] == [10, 20]
    assert second.attempt == 2


def test_a_delayed_job_is_not_claimed_before_its_bell_rings(jobs: Jobs) -> None:
    delayed = [
        some(jobs.retry_later(claimed(jobs).claimed, 1)),
        some(jobs.give_back(claimed(jobs).claimed, delay=timedelta(seconds=1))),
    ]

    for job in delayed:
        assert jobs.claim(job.id, "c2") is None
        assert stored(jobs, job) == job

        assert jobs.end_delay(job, "video")

        assert some(jobs.claim(job.id, "c2")).state == "converting"


def test_a_job_that_is_given_back_at_once_can_be_claimed_at_once(jobs: Jobs) -> None:
    job = some(jobs.give_back(claimed(jobs).claimed))

    assert jobs.claim(job.id, "c2") is not None


def test_a_delay_ends_with_the_owners_wish(jobs: Jobs) -> None:
    job = some(jobs.retry_later(claimed(jobs).claimed, 1))
    jobs.cancel(job.id, OWNER)
    jobs.retry(job.id, OWNER)

    assert jobs.claim(job.id, "c2") is not None


def test_a_job_of_a_version_that_knew_no_delays_can_be_claimed(jobs: Jobs, client: Client) -> None:
    job = queued(jobs)
    client["jobs"]["jobs"].update_one({"_id": job.id}, {"$unset": {"doorbell.video.delayed": ""}})

    assert jobs.claim(job.id, "c1") is not None


def some_time(value: Any) -> Any:
    assert value is not None
    return value


def test_a_job_that_kills_its_converter_fails_at_the_fourth_claim(jobs: Jobs, client: Client) -> None:
    job = queued(jobs)
    for _ in range(MAX_ATTEMPTS):
        job = some(jobs.claim(job.id, "c"))
        backdate(client, job, timedelta(hours=1), "lease.until")

    assert jobs.claim(job.id, "another") is None

    after = stored(jobs, job)
    assert after.state == "failed"
    assert after.error is not None
    assert after.error["code"] == "converter_crashed"
    assert (note(after)["state"], note(after)["run"]) == ("pending", 3)


def test_a_live_lease_of_the_last_attempt_does_not_fail_the_job(jobs: Jobs) -> None:
    job = queued(jobs)
    for _ in range(MAX_ATTEMPTS):
        job = some(jobs.claim(job.id, "c"))

    assert jobs.claim(job.id, "another") is None

    assert stored(jobs, job).state == "converting"


def test_an_ended_lease_is_taken_back_once(jobs: Jobs, client: Client) -> None:
    job = claimed(jobs)
    backdate(client, job, timedelta(hours=1), "lease.until")
    [found] = jobs.abandoned(10)

    with ThreadPoolExecutor(8) as pool:
        taken = [pool.submit(jobs.take_back, found) for _ in range(8)]

    assert len([one for one in taken if one.result() is not None]) == 1
    after = stored(jobs, job)
    assert (after.state, after.attempt) == ("queued", 1)
    assert jobs.abandoned(10) == []
    assert [due.id for due in jobs.due("video", 10)] == [job.id]


def test_a_lease_renewed_in_the_meantime_is_not_taken_back(jobs: Jobs, client: Client) -> None:
    job = claimed(jobs)
    backdate(client, job, timedelta(hours=1), "lease.until")
    [found] = jobs.abandoned(10)
    jobs.renew(job.claimed)

    assert jobs.take_back(found) is None


# -- the owner's wishes -------------------------------------------------------------------------


def test_a_queued_and_a_converting_job_can_be_canceled_by_their_owner_alone(jobs: Jobs) -> None:
    waiting, working = queued(jobs), claimed(jobs)

    assert jobs.cancel(waiting.id, "other@example.com") is None
    assert some(jobs.cancel(waiting.id, OWNER)).state == "canceled"
    assert some(jobs.cancel(working.id, OWNER)).state == "canceled"


def test_a_canceled_job_rings_no_bell_and_owes_no_mail(jobs: Jobs) -> None:
    job = some(jobs.cancel(queued(jobs).id, OWNER))

    assert job.notice is None
    assert jobs.due("video", 10) == []
    assert jobs.claim(job.id, "c") is None


def test_canceling_takes_the_lease_away(jobs: Jobs) -> None:
    job = claimed(jobs)
    jobs.cancel(job.id, OWNER)

    assert not jobs.renew(job.claimed)
    assert jobs.finish(job.claimed, RESULT) is None


def test_a_job_that_is_over_cannot_be_canceled(jobs: Jobs) -> None:
    for job in (done(jobs), failed(jobs), upload(jobs)):
        assert jobs.cancel(job.id, OWNER) is None
        assert stored(jobs, job) == job


def test_a_job_that_is_over_can_be_retried_with_new_options(jobs: Jobs) -> None:
    for job in (done(jobs), failed(jobs), some(jobs.cancel(queued(jobs).id, OWNER))):
        again = some(jobs.retry(job.id, OWNER, {"quality": "V0"}))

        assert (again.state, again.attempt, again.options) == ("queued", 0, {"quality": "V0"})
        assert (again.result, again.error, again.notice, again.ended_at) == (None, None, None, None)
        assert again.id in [due.id for due in jobs.due("video", 10)]
        assert again.id not in [due.id for due in jobs.due("mp3", 10)]


def test_a_retry_without_options_keeps_them(jobs: Jobs) -> None:
    job = some(jobs.queue(upload(jobs).id, size=1, sha256="0", options={"quality": "V5"}))
    jobs.cancel(job.id, OWNER)

    assert some(jobs.retry(job.id, OWNER)).options == {"quality": "V5"}


def test_a_stranger_cannot_retry_nor_delete_a_job(jobs: Jobs) -> None:
    job = failed(jobs)

    assert jobs.retry(job.id, "other@example.com") is None
    assert jobs.delete(job.id, "other@example.com") is None


def test_a_job_at_work_can_neither_be_retried_nor_deleted(jobs: Jobs) -> None:
    for job in (upload(jobs), queued(jobs), claimed(jobs)):
        assert jobs.retry(job.id, OWNER) is None
        assert jobs.delete(job.id, OWNER) is None


def test_a_deleted_job_is_returned_and_gone(jobs: Jobs) -> None:
    untold = done(jobs)
    [event] = untold.events

    assert jobs.delete(untold.id, OWNER) is None  # webhooks are told first
    assert jobs.mark_spread(untold, event["id"])
    job = some(jobs.get(untold.id))
    assert jobs.delete(job.id, OWNER) == job
    assert jobs.get(job.id) is None
    assert jobs.delete(job.id, OWNER) is None


def test_each_outcome_of_a_retried_job_has_a_mail_of_its_own(jobs: Jobs) -> None:
    first = failed(jobs)
    jobs.retry(first.id, OWNER)

    second = some(jobs.finish(some(jobs.claim(first.id, "c")).claimed, RESULT))

    assert note(first)["run"] != note(second)["run"]


# -- notice -------------------------------------------------------------------------------------


def test_of_sixteen_that_want_to_send_a_mail_one_may(jobs: Jobs) -> None:
    job = done(jobs)

    with ThreadPoolExecutor(16) as pool:
        claims = [pool.submit(jobs.claim_notice, job.id) for _ in range(16)]

    assert len([claim for claim in claims if claim.result() is not None]) == 1
    assert note(stored(jobs, job))["tries"] == 1


def test_a_sent_mail_is_sent_no_more(jobs: Jobs) -> None:
    job = some(jobs.claim_notice(done(jobs).id))

    assert jobs.notice_sent(job)

    assert note(stored(jobs, job))["state"] == "sent"
    assert jobs.claim_notice(job.id) is None
    assert not jobs.notice_sent(job)


def test_a_mail_put_off_rings_when_it_is_due(jobs: Jobs, client: Client) -> None:
    job = some(jobs.claim_notice(done(jobs).id))
    jobs.notice_delayed(job, now() + timedelta(minutes=1))
    assert jobs.due("mp3", 10) == []

    backdate(client, job, timedelta(minutes=2), "doorbell.mp3.due_at")

    assert [due.id for due in jobs.due("mp3", 10)] == [job.id]
    assert jobs.claim_notice(job.id) is None
    assert jobs.end_delay(stored(jobs, job), "mp3")
    assert note(some(jobs.claim_notice(job.id)))["tries"] == 2


def test_an_attempt_that_was_not_the_mails_fault_is_not_counted(jobs: Jobs) -> None:
    job = some(jobs.claim_notice(done(jobs).id))

    jobs.notice_delayed(job, now(), counted=False)
    jobs.end_delay(stored(jobs, job), "mp3")

    assert note(some(jobs.claim_notice(job.id)))["tries"] == 1


def test_a_mail_given_up_keeps_the_servers_words(jobs: Jobs) -> None:
    job = some(jobs.claim_notice(failed(jobs).id))

    assert jobs.notice_undeliverable(job, "550 no such user")

    after = note(stored(jobs, job))
    assert (after["state"], after["reason"]) == ("undeliverable", "550 no such user")
    assert jobs.claim_notice(job.id) is None


def test_a_sender_that_was_too_slow_records_nothing(jobs: Jobs, client: Client) -> None:
    slow = some(jobs.claim_notice(done(jobs).id))
    backdate(client, slow, DEFAULT.mail_lease + DEFAULT.clock_skew, "notice.until")
    quick = some(jobs.claim_notice(slow.id))

    assert not jobs.notice_sent(slow)
    assert not jobs.notice_delayed(slow, now())
    assert not jobs.notice_undeliverable(slow, "no")
    assert stored(jobs, quick) == quick


def test_a_slow_sender_of_an_uncounted_attempt_records_nothing_either(jobs: Jobs) -> None:
    slow = some(jobs.claim_notice(done(jobs).id))
    jobs.notice_delayed(slow, now(), counted=False)
    jobs.end_delay(stored(jobs, slow), "mp3")
    quick = some(jobs.claim_notice(slow.id))

    assert note(quick)["tries"] == note(slow)["tries"]
    assert not jobs.notice_sent(slow)


def test_a_mail_of_a_sender_that_is_gone_is_due_again(jobs: Jobs, client: Client) -> None:
    job = some(jobs.claim_notice(done(jobs).id))
    assert jobs.unsent(10) == []
    backdate(client, job, timedelta(hours=1), "notice.until")
    [found] = jobs.unsent(10)

    assert some(jobs.take_back_notice(found)).notice is not None
    assert jobs.take_back_notice(found) is None

    assert note(stored(jobs, job))["state"] == "pending"
    assert [due.id for due in jobs.due("mp3", 10)] == [job.id]


# -- doorbells ----------------------------------------------------------------------------------


def test_a_rung_bell_is_due_no_more(jobs: Jobs) -> None:
    job = queued(jobs)

    assert jobs.mark_rung(job, "video")
    assert not jobs.mark_rung(job, "video")

    assert jobs.due("video", 10) == []
    assert stored(jobs, job).doorbell["video"]["rung_at"] is not None


def test_a_bell_that_became_due_since_it_was_read_stays_due(jobs: Jobs) -> None:
    read = queued(jobs)
    later = some(jobs.give_back(some(jobs.claim(read.id, "c")).claimed, delay=timedelta(seconds=1)))

    assert not jobs.mark_rung(read, "video")

    assert stored(jobs, read).doorbell["video"] == later.doorbell["video"]


def test_a_bell_that_nobody_answers_is_found_after_a_while(jobs: Jobs, client: Client) -> None:
    waiting, told = queued(jobs), done(jobs)
    jobs.mark_rung(waiting, "video")
    jobs.mark_rung(told, "mp3")
    jobs.mark_rung(stored(jobs, told), "video")
    assert jobs.unanswered("video", timedelta(seconds=30), 10) == []

    backdate(client, waiting, timedelta(minutes=1), "doorbell.video.rung_at")
    backdate(client, told, timedelta(minutes=1), "doorbell.mp3.rung_at", "doorbell.video.rung_at")

    assert [job.id for job in jobs.unanswered("video", timedelta(seconds=30), 10)] == [waiting.id]
    assert [job.id for job in jobs.unanswered("mp3", timedelta(seconds=30), 10)] == [told.id]


def test_a_bell_is_rung_again_only_for_a_job_that_did_not_change(jobs: Jobs) -> None:
    job = queued(jobs)
    jobs.mark_rung(job, "video")
    read = stored(jobs, job)

    assert jobs.ring_again(read, "video") is not None
    assert jobs.ring_again(read, "video") is None


# -- retention ----------------------------------------------------------------------------------


def test_a_done_job_whose_video_is_given_up_cannot_be_retried(jobs: Jobs) -> None:
    job = done(jobs)

    assert some(jobs.release_source(job)).source["kept"] is False

    assert jobs.release_source(job) is None
    assert jobs.retry(job.id, OWNER) is None


def test_a_job_retried_in_the_meantime_keeps_its_video(jobs: Jobs) -> None:
    read = done(jobs)
    jobs.retry(read.id, OWNER)

    assert jobs.release_source(read) is None
    assert jobs.expire(read) is None
    assert stored(jobs, read).source["kept"] is True


def test_a_job_that_is_over_expires_and_is_forgotten(jobs: Jobs) -> None:
    for job in (done(jobs), failed(jobs), some(jobs.cancel(queued(jobs).id, OWNER))):
        assert not jobs.forget(job)

        expired = some(jobs.expire(job))

        assert (expired.state, expired.source["kept"]) == ("expired", False)
        assert jobs.retry(job.id, OWNER) is None
        assert jobs.forget(expired)
        assert jobs.get(job.id) is None


def test_a_job_at_work_does_not_expire(jobs: Jobs) -> None:
    for job in (upload(jobs), queued(jobs), claimed(jobs)):
        assert jobs.expire(job) is None


def test_jobs_are_found_by_how_long_ago_they_ended(jobs: Jobs, client: Client) -> None:
    old, young, other = done(jobs), done(jobs), failed(jobs)
    backdate(client, old, timedelta(days=2), "ended_at")
    backdate(client, other, timedelta(days=2), "ended_at")

    found = jobs.ended(("done",), timedelta(days=1), 10)

    assert [job.id for job in found] == [old.id]
    assert young.id not in found
    assert jobs.ended(("done",), timedelta(days=1), 10, source_kept=False) == []
    assert len(jobs.ended(("done", "failed"), timedelta(days=1), 10, source_kept=True)) == 2


def test_uploads_that_never_end_are_found(jobs: Jobs, client: Client) -> None:
    old, _young, finished = upload(jobs), upload(jobs), queued(jobs)
    for job in (old, finished):
        backdate(client, job, timedelta(days=2), "created_at")

    assert [job.id for job in jobs.stale_uploads(timedelta(days=1), 10)] == [old.id]


# -- an owner's list ----------------------------------------------------------------------------


def test_a_strangers_job_is_found_no_more_than_an_unknown_one(jobs: Jobs) -> None:
    job = queued(jobs)

    assert jobs.find(job.id, OWNER) == job
    assert jobs.find(job.id, "other@example.com") is None
    assert jobs.find("0" * 32, OWNER) is None


def test_an_owner_pages_through_jobs_in_both_directions(jobs: Jobs) -> None:
    newest_first = [queued(jobs).id for _ in range(7)][::-1]
    newest_first = [job.id for job in jobs.page(OWNER, limit=10)]
    queued(jobs, "other@example.com")

    first = jobs.page(OWNER, limit=3)
    second = jobs.page(OWNER, limit=3, before=cursor(first[-1]))
    third = jobs.page(OWNER, limit=3, before=cursor(second[-1]))
    back = jobs.page(OWNER, limit=2, after=cursor(second[-1]))

    assert [job.id for job in first + second + third] == newest_first
    assert [job.id for job in back] == newest_first[3:5]


def test_jobs_made_in_the_same_millisecond_are_paged_through_once(jobs: Jobs, client: Client) -> None:
    made = {queued(jobs).id for _ in range(5)}
    client["jobs"]["jobs"].update_many({}, {"$set": {"created_at": now()}})

    seen: list[str] = []
    before = None
    while page := jobs.page(OWNER, limit=2, before=before):
        seen += [job.id for job in page]
        before = cursor(page[-1])

    assert len(seen) == 5
    assert set(seen) == made


def test_a_list_is_narrowed_by_state_and_by_a_part_of_the_files_name(jobs: Jobs) -> None:
    talk, other = queued(jobs, filename="My Talk (1).mp4"), queued(jobs, filename="walk.mp4")
    jobs.cancel(other.id, OWNER)

    assert [job.id for job in jobs.page(OWNER, state="queued")] == [talk.id]
    assert [job.id for job in jobs.page(OWNER, text="talk (1)")] == [talk.id]
    assert [job.id for job in jobs.page(OWNER, text=".*")] == []


@pytest.mark.parametrize("text", ["", "x", "1e3.abc", "9" * 30 + ".a"])
def test_a_text_that_is_no_cursor_is_refused(jobs: Jobs, text: str) -> None:
    with pytest.raises(InvalidCursor):
        jobs.page(OWNER, before=text)


def test_jobs_are_counted_by_state_and_the_oldest_is_found(jobs: Jobs) -> None:
    first = queued(jobs)
    queued(jobs, "other@example.com")
    upload(jobs)

    assert (jobs.count("queued"), jobs.count("uploading"), jobs.count("done")) == (2, 1, 0)
    assert some(jobs.oldest("queued")).id == first.id
    assert jobs.oldest("done") is None


def test_the_mail_of_an_operators_word_is_not_that_of_an_earlier_run(jobs: Jobs) -> None:
    earlier = done(jobs)
    again = some(jobs.retry(earlier.id, OWNER))

    given_up = some(jobs.give_up(again, ERROR))

    assert given_up.notice is not None
    assert given_up.notice["run"] != (earlier.notice or {})["run"]


def test_an_owner_changes_a_job_only_as_they_saw_it(jobs: Jobs) -> None:
    waiting, over = queued(jobs), done(jobs)

    assert jobs.cancel(waiting.id, OWNER, waiting.version - 1) is None
    assert jobs.retry(over.id, OWNER, None, over.version + 1) is None
    assert jobs.delete(over.id, OWNER, over.version + 1) is None
    assert (jobs.get(waiting.id), jobs.get(over.id)) == (waiting, over)
    assert some(jobs.cancel(waiting.id, OWNER, waiting.version)).state == "canceled"
    assert some(jobs.retry(over.id, OWNER, None, over.version)).state == "queued"


def test_a_mail_is_taken_back_from_a_sender_that_is_known_to_be_dead(jobs: Jobs, client: Client) -> None:
    with closing(Instance.begin()) as instance:
        sender = Jobs(client, sender=instance)
        held, renewed = (some(sender.claim_notice(done(jobs).id)) for _ in range(2))
        sender.renew_notice(renewed)

        assert {job.id for job in jobs.being_sent(instance.host, 10)} == {held.id, renewed.id}
        assert jobs.being_sent("another host", 10) == []
        assert (jobs.unsent(10), jobs.take_back_notice(held)) == ([], None)
        assert jobs.take_back_notice(renewed, dead=True) is None  # as it was read, it is no more
        assert note(some(jobs.take_back_notice(held, dead=True)))["state"] == "pending"
        assert not sender.notice_sent(held)


def test_a_mail_that_was_tried_often_waits_for_its_lease(jobs: Jobs, client: Client) -> None:
    with closing(Instance.begin()) as instance:
        sender, job_id = Jobs(client, sender=instance), done(jobs).id
        for _ in range(QUICK_TRIES - 1):
            assert jobs.take_back_notice(some(sender.claim_notice(job_id)), dead=True) is not None
        sender.claim_notice(job_id)

        assert jobs.being_sent(instance.host, 10) == []
