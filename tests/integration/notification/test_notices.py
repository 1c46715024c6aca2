"""What becomes of the one mail that an outcome owes, on a real store."""

import threading
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from prometheus_client import REGISTRY

from notification.mails import Writer
from notification.notices import GIVE_UP_AFTER, LOGIN_PAUSE, LONGEST_WAIT, Notices
from notification.smtp import LoginRefused, MailRefused, MailUnavailable
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreRefused, StoreUnavailable, now
from pipeline.timing import DEFAULT, Timing
from tests.integration.notification.conftest import Store, some

WRITER = Writer(mail_from="mp3@example.org", public_url="http://mp3converter.com")
AWAY = MailUnavailable("421 closing down")
SECOND = timedelta(seconds=1)


class Post:
    """A mail server that answers as it is told, and takes everything when it is told nothing more."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.taken: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.taken.append(message)


class Shaky(Jobs):
    """A store that is away for the first records of what became of a mail."""

    def __init__(self, store: Store, *troubles: Exception, then: Callable[[], None] = lambda: None) -> None:
        super().__init__(store.client)
        self.troubles = list(troubles)
        self.then = then

    def notice_sent(self, job: Job) -> bool:
        self._trouble()
        return super().notice_sent(job)

    def notice_delayed(self, job: Job, due_at: Any, *, counted: bool = True) -> bool:
        self._trouble()
        return super().notice_delayed(job, due_at, counted=counted)

    def _trouble(self) -> None:
        if self.troubles:
            trouble = self.troubles.pop(0)
            if not self.troubles:
                self.then()
            raise trouble


def notices(jobs: Jobs, post: Post, stop: threading.Event | None = None, writer: Writer = WRITER) -> Notices:
    return Notices(jobs, writer, post, stop or threading.Event())


def stopped() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


# -- mails that go out --------------------------------------------------------------------------


def test_an_outcome_is_mailed_once_however_often_the_bell_rings(store: Store) -> None:
    post = Post()
    for job in (store.done(), store.failed()):
        for _ in range(3):
            notices(store.jobs, post).look_at(job.id)

        assert store.notice(job)["state"] == "sent"

    assert [mail["Subject"] for mail in post.taken] == [
        "MP3 Download",
        "MP3 Download: your video could not be converted",
    ]
    assert [mail["To"] for mail in post.taken] == ["me@example.com"] * 2


def test_what_went_out_is_counted(store: Store) -> None:
    before = metric("mails_total", outcome="sent")

    notices(store.jobs, Post()).look_at(store.done().id)

    assert metric("mails_total", outcome="sent") == before + 1


def test_a_job_that_owes_no_mail_gets_none(store: Store) -> None:
    post, canceled = Post(), store.claimed()
    store.jobs.cancel(canceled.id, canceled.owner)

    for job_id in ("unknown", store.claimed().id, canceled.id):
        notices(store.jobs, post).look_at(job_id)

    assert post.asked == 0


def test_the_mail_of_an_outcome_that_is_no_more_is_not_sent(store: Store) -> None:
    post, job = Post(), store.failed()
    store.jobs.retry(job.id, job.owner)

    notices(store.jobs, post).look_at(job.id)

    assert post.asked == 0


# -- mails that must wait -----------------------------------------------------------------------


def test_a_mail_that_is_not_taken_now_waits_longer_each_time(store: Store) -> None:
    job, post = store.done(), Post(*[AWAY] * 4)
    waits = []

    for _ in range(4):
        notices(store.jobs, post).look_at(job.id)
        waits.append(round(store.wait_for(job) / SECOND))
        assert store.notice(job)["state"] == "pending"
        store.ring(job)
    notices(store.jobs, post).look_at(job.id)

    assert waits == [10, 20, 40, 80]
    assert (store.notice(job)["state"], store.notice(job)["tries"], len(post.taken)) == ("sent", 5, 1)


def test_no_wait_is_longer_than_the_longest(store: Store) -> None:
    job = store.done()
    store.set(job, notice__tries=5000)

    notices(store.jobs, Post(AWAY)).look_at(job.id)

    assert round(store.wait_for(job) / SECOND) == LONGEST_WAIT.total_seconds()


def test_a_bell_that_rings_too_early_does_not_shorten_the_wait(store: Store) -> None:
    job, post = store.done(), Post(AWAY)
    notices(store.jobs, post).look_at(job.id)

    notices(store.jobs, post).look_at(job.id)

    assert (post.asked, store.notice(job)["tries"]) == (1, 1)


def test_after_a_day_of_trying_a_mail_is_given_up_with_the_servers_last_words(store: Store) -> None:
    job = store.done()
    store.set(job, notice__since=now() - GIVE_UP_AFTER - SECOND)

    notices(store.jobs, Post(AWAY)).look_at(job.id)

    notice = store.notice(job)
    assert notice["state"] == "undeliverable"
    assert notice["reason"] == "no success within 24 hours; at last: 421 closing down"


def test_just_before_the_day_is_over_a_mail_is_tried_again(store: Store) -> None:
    job = store.done()
    store.set(job, notice__since=now() - GIVE_UP_AFTER + timedelta(minutes=1))

    notices(store.jobs, Post(AWAY)).look_at(job.id)

    assert store.notice(job)["state"] == "pending"


# -- mails that are refused ---------------------------------------------------------------------


def test_a_mail_that_is_refused_for_good_is_not_tried_again(store: Store) -> None:
    job, post = store.done(), Post(MailRefused("550 no such user"))

    notices(store.jobs, post).look_at(job.id)
    notices(store.jobs, post).look_at(job.id)

    assert (store.notice(job)["state"], store.notice(job)["reason"]) == ("undeliverable", "550 no such user")
    assert post.asked == 1


def test_a_refused_login_costs_nobody_a_try_and_raises_the_alarm_until_it_is_mended(store: Store) -> None:
    job, post = store.done(), Post(LoginRefused("535 no"), LoginRefused("535 no"))

    for _ in range(2):
        notices(store.jobs, post, stopped()).look_at(job.id)
        assert (store.notice(job)["state"], store.notice(job)["tries"]) == ("pending", 0)
        assert round(store.wait_for(job) / SECOND) == LOGIN_PAUSE.total_seconds()
        assert metric("smtp_login_refused") == 1
        store.ring(job)

    notices(store.jobs, post, stopped()).look_at(job.id)
    assert (store.notice(job)["state"], store.notice(job)["tries"]) == ("sent", 1)
    assert metric("smtp_login_refused") == 0


def test_a_refused_login_gives_no_mail_up_however_long_it_lasts(store: Store) -> None:
    job = store.done()
    store.set(job, notice__since=now() - 10 * GIVE_UP_AFTER)

    notices(store.jobs, Post(LoginRefused("535 no")), stopped()).look_at(job.id)

    assert store.notice(job)["state"] == "pending"


def test_a_refused_login_lets_everybodys_mail_wait_until_the_process_should_end(store: Store) -> None:
    job, stop = store.done(), threading.Event()
    looking = notices(store.jobs, Post(LoginRefused("535 no")), stop)
    thread = threading.Thread(target=looking.look_at, args=(job.id,))
    thread.start()

    thread.join(2)
    assert thread.is_alive()
    stop.set()

    thread.join(60)
    assert not thread.is_alive()


# -- bugs ---------------------------------------------------------------------------------------


class Buggy(Writer):
    def write(self, job: Job) -> EmailMessage:
        raise KeyError(job.id)


def test_a_mail_that_a_bug_keeps_from_being_written_is_put_off_and_in_the_end_given_up(store: Store) -> None:
    job, post = store.done(), Post()
    writer = Buggy(mail_from="a@b.org", public_url="http://h")

    notices(store.jobs, post, writer=writer).look_at(job.id)
    assert (store.notice(job)["state"], store.notice(job)["tries"]) == ("pending", 1)
    store.ring(job)
    store.set(job, notice__since=now() - GIVE_UP_AFTER - SECOND)
    notices(store.jobs, post, writer=writer).look_at(job.id)

    assert store.notice(job)["state"] == "undeliverable"
    assert "KeyError" in store.notice(job)["reason"]
    assert post.asked == 0


def test_a_mail_to_somebody_who_has_no_address_stops_nobody_elses(store: Store) -> None:
    post, nobody, somebody = Post(), store.done(owner="no address, at all"), store.done()

    for job in (nobody, somebody):
        notices(store.jobs, post).look_at(job.id)

    assert [mail["To"] for mail in post.taken] == ["me@example.com"]
    assert store.notice(nobody)["state"] == "pending"


# -- the store is away --------------------------------------------------------------------------


class Away(Jobs):
    def claim_notice(self, job_id: str) -> Job | None:
        raise StoreUnavailable(job_id)


def test_without_the_store_nothing_is_sent(store: Store) -> None:
    job, post = store.done(), Post()

    with pytest.raises(StoreUnavailable):
        notices(Away(store.client), post).look_at(job.id)

    assert post.asked == 0


@pytest.mark.parametrize("trouble", [StoreUnavailable("away"), StoreRefused("disk full")])
def test_a_mail_that_is_out_is_recorded_when_the_store_is_back(store: Store, trouble: Exception) -> None:
    job, post = store.done(), Post()

    notices(Shaky(store, trouble, trouble), post).look_at(job.id)

    assert (store.notice(job)["state"], len(post.taken)) == ("sent", 1)


def test_a_mail_that_is_out_is_recorded_even_when_the_process_should_end(store: Store) -> None:
    job, post, stop = store.done(), Post(), threading.Event()
    shaky = Shaky(store, StoreUnavailable("away"), StoreUnavailable("away"), then=stop.set)

    notices(shaky, post, stop).look_at(job.id)

    assert (store.notice(job)["state"], len(post.taken)) == ("sent", 1)


def test_what_became_of_a_mail_that_is_not_out_does_not_keep_the_process_from_ending(store: Store) -> None:
    job = store.done()
    shaky = Shaky(store, *[StoreUnavailable("away")] * 1000)

    notices(shaky, Post(AWAY), stopped()).look_at(job.id)

    assert store.notice(job)["state"] == "sending"
    assert len(shaky.troubles) == 999


def test_a_delay_is_recorded_when_the_store_is_back(store: Store) -> None:
    job = store.done()

    notices(Shaky(store, StoreUnavailable("away")), Post(AWAY)).look_at(job.id)

    assert store.notice(job)["state"] == "pending"


# -- two senders --------------------------------------------------------------------------------


def test_of_many_senders_at_once_one_sends(store: Store) -> None:
    job, post = store.done(), Post()
    threads = [threading.Thread(target=notices(store.jobs, post).look_at, args=(job.id,)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (post.asked, store.notice(job)["tries"]) == (1, 1)


def test_a_slow_mail_server_costs_the_sender_its_right_as_little_as_a_store_that_is_away(
    store: Store,
) -> None:
    job = store.done()
    jobs = Reluctant(store, Timing(mail_lease=4 * SECOND, clock_skew=timedelta(0)))
    others: list[Job | None] = []

    class Slow(Post):
        def send(self, message: EmailMessage) -> None:
            super().send(message)
            untils = {store.notice(job)["until"]}
            while len(untils) <= 2 and not any(others):  # 2 renewals
                untils.add(store.notice(job)["until"])
                others.append(jobs.claim_notice(job.id))

    notices(jobs, Slow()).look_at(job.id)

    assert set(others) == {None}
    assert jobs.refused == 1
    assert (store.notice(job)["state"], store.notice(job)["token"]) == ("sent", 1)


class Reluctant(Jobs):
    """A store that is away for the first renewal."""

    refused = 0

    def __init__(self, store: Store, timing: Timing) -> None:
        super().__init__(store.client, timing)

    def renew_notice(self, job: Job) -> bool:
        if not self.refused:
            self.refused += 1
            raise StoreUnavailable("away")
        return super().renew_notice(job)


def test_a_sender_that_slept_through_its_right_changes_nothing(store: Store) -> None:
    job = store.done()

    class Slow(Post):
        def send(self, message: EmailMessage) -> None:
            super().send(message)
            store.set(job, notice__until=now() - DEFAULT.clock_skew - SECOND)
            some(store.jobs.claim_notice(job.id))  # another sender takes over

    notices(store.jobs, Slow()).look_at(job.id)

    assert (store.notice(job)["state"], store.notice(job)["token"]) == ("sending", 2)
