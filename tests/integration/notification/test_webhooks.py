"""What becomes of what is due to webhooks, on a real store, by a clock that the test moves."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from notification.mails import PauseWriter
from notification.notices import Notices
from notification.outbound import Answer, Unreachable
from notification.webhooks import AT_ONCE, WAITS, Sender, Webhooks
from pipeline.deliveries import Deliveries, Delivery, spread
from pipeline.endpoints import EVENTS, PAUSE_AFTER, TURN, Endpoint, Endpoints
from pipeline.job import Job
from pipeline.mongodb import StoreUnavailable
from tests.integration.notification.conftest import Store, some

ME, URL = "me@example.com", "https://hooks.example/mp3"
SECOND = timedelta(seconds=1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, by: timedelta) -> None:
        self.time += by


class Receiver:
    """Answers as it is told, and 200 when it is told nothing more."""

    def __init__(self, *answers: int | Answer | Exception) -> None:
        self.answers = list(answers)
        self.heard: list[tuple[str, bytes, dict[str, str]]] = []

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        self.heard.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(answer, "told", None)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, _, headers in self.heard]


class Mailbox:
    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        self.taken.append(message)


class Suite:
    """The webhooks of a store, and the time that they go by."""

    def __init__(self, store: Store, receiver: Receiver | None = None) -> None:
        self.store, self.clock, self.mailbox = store, Clock(), Mailbox()
        self.endpoints = Endpoints(store.client, clock=self.clock)
        self.deliveries = Deliveries(store.client, self.clock)
        self.receiver = receiver or Receiver()
        for one in (self.endpoints, self.deliveries):
            one.ensure_indexes()

    def webhooks(self, receiver: Receiver | None = None) -> Webhooks:
        writer = PauseWriter(mail_from="mp3@example.org", public_url="http://mp3converter.com")
        notices = Notices(self.endpoints, writer, self.mailbox, threading.Event())
        return Webhooks(
            self.store.jobs,
            self.endpoints,
            self.deliveries,
            receiver or self.receiver,
            notices,
            self.clock,
            lambda _low, _high: 1.0,
        )

    def add(self, url: str = URL, events: tuple[str, ...] = EVENTS, owner: str = ME) -> Endpoint:
        return self.endpoints.add(owner, url, list(events))

    def deliver(self) -> None:
        """One round of a sender."""
        webhooks = self.webhooks()
        webhooks.spread()
        for endpoint_id in self.deliveries.endpoints_due():
            webhooks.serve(endpoint_id)
        webhooks.tell()

    def all(self, endpoint: Endpoint) -> list[Delivery]:
        return self.deliveries.page(endpoint, state=None, limit=100)

    def now(self, endpoint: Endpoint) -> Endpoint:
        found = self.endpoints.get(endpoint.id)
        assert found is not None
        return found


@pytest.fixture
def suite(store: Store) -> Suite:
    return Suite(store)


def canceled(store: Store) -> Job:
    job = store.claimed()
    return some(store.jobs.cancel(job.id, job.owner))


def partial(store: Store) -> Job:
    lease = store.claimed().claimed
    result = {"blob": lease.blob_id, "size": 1, "sha256": "00", "duration": 1.0, "complete": False}
    return some(store.jobs.finish(lease, {**result, "warnings": [{"code": "cut", "message": "It is cut."}]}))


OUTCOMES: dict[str, Callable[[Store], Job]] = {
    "job.done": lambda store: store.done(),
    "job.partial": partial,
    "job.failed": lambda store: store.failed(),
    "job.canceled": canceled,
}


# -- what is sent -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OUTCOMES)
def test_an_outcome_is_told_once_and_verified_by_a_foreign_library(suite: Suite, kind: str) -> None:
    endpoint, job = suite.add(), OUTCOMES[kind](suite.store)

    for _ in range(3):
        suite.deliver()

    [(url, body, headers)] = suite.receiver.heard
    suite.clock.time = datetime.now(UTC)
    assert url == URL
    told = json.loads(body)
    assert told["type"] == kind
    assert (told["data"]["id"], told["data"]["filename"]) == (job.id, "talk.mp4")
    assert ("mp3" in told["data"]["links"]) == (kind in ("job.done", "job.partial"))
    assert len(body) < 20_000
    secret = endpoint.secrets[0]["secret"]
    fresh = suite.webhooks()._post(endpoint, suite.all(endpoint)[0])
    assert fresh.status == 200
    assert Webhook(secret).verify(body, suite.receiver.heard[-1][2])["type"] == kind
    assert suite.receiver.heard[-1][2]["webhook-id"] == headers["webhook-id"]
    assert b"blob" not in body


def test_both_secrets_verify_for_a_day_after_a_rotation(suite: Suite) -> None:
    suite.clock.time = datetime.now(UTC)
    old = suite.add()
    new = suite.endpoints.rotate(old)
    assert new is not None
    suite.store.done()
    suite.deliver()
    [(_, body, headers)] = suite.receiver.heard

    for endpoint in (old, new):
        assert Webhook(endpoint.secrets[0]["secret"]).verify(body, headers)["type"] == "job.done"
    assert new.signing(suite.clock.time + timedelta(hours=25)) == [new.secrets[0]["secret"]]


def test_nobody_is_told_of_what_they_did_not_ask_for_or_do_not_own(suite: Suite) -> None:
    failures, others = suite.add(events=("job.failed",)), suite.add(owner="other@example.com")
    suite.store.done()
    suite.store.failed()

    suite.deliver()

    assert [delivery.type for delivery in suite.all(failures)] == ["job.failed"]
    assert suite.all(others) == []


def test_a_callback_is_told_of_its_own_job_alone(suite: Suite) -> None:
    job = suite.store.claimed()
    suite.store.set(job, options__callback_url="https://callback.example/x")
    suite.store.failed()
    suite.store.jobs.cancel(job.id, job.owner)

    suite.deliver()

    [(url, body, headers)] = suite.receiver.heard
    assert (url, json.loads(body)["data"]["id"]) == ("https://callback.example/x", job.id)
    secret = suite.endpoints.callbacks(ME).secrets[0]["secret"]
    suite.clock.time = datetime.now(UTC)
    suite.webhooks()._post(suite.endpoints.callbacks(ME), suite.all(suite.endpoints.callbacks(ME))[0])
    assert Webhook(secret).verify(body, suite.receiver.heard[-1][2])
    assert headers["webhook-id"]


def test_an_outcome_is_told_though_the_job_was_run_again_at_once(suite: Suite) -> None:
    endpoint, job = suite.add(), suite.store.failed()
    suite.store.jobs.retry(job.id, job.owner)
    suite.store.jobs.cancel(job.id, job.owner)

    suite.deliver()

    assert sorted(delivery.type for delivery in suite.all(endpoint)) == ["job.canceled", "job.failed"]
    failed = next(d for d in suite.all(endpoint) if d.type == "job.failed")
    assert json.loads(failed.body)["data"]["error"]["code"] == "no_audio_track"


def test_a_job_is_not_deleted_before_webhooks_can_be_told(suite: Suite) -> None:
    endpoint, job = suite.add(), suite.store.failed()

    assert suite.store.jobs.delete(job.id, job.owner) is None
    spread(suite.store.now(job), suite.store.jobs, suite.endpoints, suite.deliveries)
    assert suite.store.jobs.delete(job.id, job.owner) is not None

    suite.deliver()
    assert len(suite.receiver.heard) == len(suite.all(endpoint)) == 1


def test_an_event_is_spread_anew_by_who_finds_it_and_makes_no_second_delivery(suite: Suite) -> None:
    endpoint, job = suite.add(), suite.store.done()
    for _ in range(3):  # as processes that died before they noted it
        spread(job, suite.store.jobs, suite.endpoints, suite.deliveries)

    suite.deliver()

    assert len(suite.receiver.heard) == len(suite.all(endpoint)) == 1
    assert suite.store.now(job).events == []


# -- when it is sent again ----------------------------------------------------------------------


def test_a_failure_is_tried_again_by_the_schedule_to_the_second_and_then_given_up(suite: Suite) -> None:
    suite.receiver.answers = [500] * 20
    endpoint, began = suite.add(), suite.clock.time
    suite.store.done()
    suite.deliver()
    waits = []
    for _ in WAITS:
        [delivery] = suite.all(endpoint)
        assert delivery.due_at is not None
        waits.append(delivery.due_at - suite.clock.time)
        suite.clock.time = delivery.due_at - SECOND
        suite.deliver()
        heard = len(suite.receiver.heard)
        suite.clock.move(SECOND)
        suite.deliver()
        assert len(suite.receiver.heard) == heard + 1

    [delivery] = suite.all(endpoint)
    seconds = [round(wait / SECOND) for wait in waits]
    assert seconds == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert (delivery.state, delivery.tries, len(delivery.attempts)) == ("failed", 10, 10)
    assert len(set(suite.receiver.ids)) == 1
    assert suite.clock.time - began == sum(WAITS, timedelta(0))


def test_the_waits_are_spread_by_chance_between_half_and_one_and_a_half(suite: Suite) -> None:
    asked: list[tuple[float, float]] = []
    suite.receiver.answers = [503]
    endpoint = suite.add()
    suite.store.done()
    webhooks = suite.webhooks()

    def chance(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    own = Webhooks(*(getattr(webhooks, name) for name in Webhooks.__slots__[:-1]), chance)
    own.spread()
    own.serve(endpoint.id)

    [delivery] = suite.all(endpoint)
    assert asked == [(0.5, 1.5)]
    assert delivery.due_at == suite.clock.time + timedelta(seconds=2.5)


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503, 999])
def test_whatever_is_not_2xx_is_a_failure(suite: Suite, status: int) -> None:
    suite.receiver.answers = [status]
    endpoint = suite.add()
    suite.store.done()

    suite.deliver()

    [delivery] = suite.all(endpoint)
    assert (delivery.state, delivery.attempts[0]["status"]) == ("pending", status)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(suite: Suite, status: int) -> None:
    suite.receiver.answers = [status]
    endpoint = suite.add()
    suite.store.done()

    suite.deliver()

    [delivery] = suite.all(endpoint)
    assert (delivery.state, delivery.due_at, delivery.attempts[0]["answer"]) == ("delivered", None, "told")


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120), ("0", 5), ("999999999", 86400), ("-1", 5), ("soon", 5), ("9" * 50, 5), ("", 5),
        ("date", 600), ("Fri, 31 Dec 1999 23:59:59 GMT", 5), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_time_has_it(
    suite: Suite, status: int, retry_after: str, seconds: int
) -> None:
    if retry_after == "date":
        retry_after = format_datetime(suite.clock.time + timedelta(seconds=600), usegmt=True)
    suite.receiver.answers = [Answer(status, "", retry_after)]
    endpoint = suite.add()
    suite.store.done()
    suite.store.failed()

    suite.deliver()

    tried = next(delivery for delivery in suite.all(endpoint) if delivery.tries)
    assert tried.due_at == suite.clock.time + timedelta(seconds=seconds)
    suite.deliver()
    assert len(suite.receiver.heard) == (1 if seconds > 5 else 2)  # the endpoint rests, not one delivery


def test_a_receiver_that_flaps_for_an_hour_hears_of_everything(suite: Suite) -> None:
    endpoint = suite.add()
    down = timedelta(minutes=7)
    for minute in range(60):
        if minute % 6 == 0:
            suite.store.done()
        away = (minute // 7) % 2 == 0
        suite.receiver.answers = [Unreachable("reset")] * 50 if away else []
        for _ in range(12):
            suite.deliver()
            suite.clock.move(timedelta(seconds=5))
    suite.receiver.answers = []
    for _ in range(40):
        suite.clock.move(down)
        suite.deliver()

    assert {delivery.state for delivery in suite.all(endpoint)} == {"delivered"}
    assert len(suite.all(endpoint)) == 10
    assert suite.now(endpoint).failing_since is None


def test_an_unreachable_receiver_is_recorded_in_words(suite: Suite) -> None:
    suite.receiver.answers = [Unreachable("hooks.example has an address that is not public")]
    endpoint = suite.add()
    suite.store.done()

    suite.deliver()

    [attempt] = suite.all(endpoint)[0].attempts
    assert (attempt["status"], attempt["error"]) == (None, "hooks.example has an address that is not public")


# -- pauses -------------------------------------------------------------------------------------


def test_gone_ends_it_at_once_and_its_owner_is_told(suite: Suite) -> None:
    suite.receiver.answers = [410]
    endpoint = suite.add()
    for _ in range(3):
        suite.store.done()

    for _ in range(3):
        suite.deliver()

    paused = suite.now(endpoint).paused
    assert paused is not None
    assert paused["reason"] == "gone"
    assert len(suite.receiver.heard) == 1
    assert {delivery.state for delivery in suite.all(endpoint)} == {"failed"}
    [mail] = suite.mailbox.taken
    assert (mail["To"], mail["Subject"]) == (ME, "MP3 Download: your webhook was paused")
    assert "410" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has one


def test_what_fails_for_days_is_paused_and_its_owner_told_once(suite: Suite) -> None:
    suite.receiver.answers = [Unreachable("no answer")] * 1000
    endpoint = suite.add()
    suite.store.done()
    while suite.now(endpoint).paused is None:
        suite.deliver()
        suite.clock.move(timedelta(hours=1))
        assert suite.clock.time < datetime(2030, 2, 1, tzinfo=UTC)

    for _ in range(3):
        suite.deliver()

    paused = suite.now(endpoint).paused
    assert paused is not None
    assert paused["reason"] == "failing"
    assert paused["at"] - datetime(2030, 1, 1, tzinfo=UTC) >= PAUSE_AFTER
    [mail] = suite.mailbox.taken
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has one
    assert "2030-01-01 00:00 UTC" in text
    assert f"/v1/webhooks/{endpoint.id}/replay" in text


def test_one_success_begins_the_days_anew(suite: Suite) -> None:
    endpoint = suite.add()
    for day in range(12):
        suite.receiver.answers = [] if day % 2 else [500]
        suite.store.done()
        suite.deliver()
        suite.clock.move(timedelta(days=1))

    assert suite.now(endpoint).paused is None
    assert suite.mailbox.taken == []


def test_what_a_paused_webhook_missed_is_replayed_from_a_time_on(suite: Suite) -> None:
    endpoint = suite.add()
    suite.receiver.answers = [410]
    early = suite.clock.time
    suite.store.done()
    suite.deliver()
    suite.clock.move(timedelta(hours=1))
    resumed = suite.endpoints.resume(suite.now(endpoint))
    assert resumed is not None

    assert suite.deliveries.replay_since(resumed, suite.clock.time) == 0
    assert suite.deliveries.replay_since(resumed, early) == 1
    suite.deliver()

    [delivery] = suite.all(endpoint)
    assert (delivery.state, len(set(suite.receiver.ids)), len(suite.receiver.heard)) == ("delivered", 1, 2)


def test_a_callback_that_is_gone_ends_alone(suite: Suite) -> None:
    for name in ("gone", "there"):
        job = suite.store.claimed()
        suite.store.set(job, options__callback_url=f"https://callback.example/{name}")
        suite.store.jobs.cancel(job.id, job.owner)
    suite.receiver.answers = [410]

    for _ in range(3):
        suite.deliver()

    states = sorted(delivery.state for delivery in suite.all(suite.endpoints.callbacks(ME)))
    assert states == ["delivered", "failed"]
    assert suite.mailbox.taken == []


def test_what_becomes_due_to_a_webhook_that_is_no_more_is_given_up(suite: Suite) -> None:
    paused, deleted = suite.add(), suite.add()
    job = suite.store.done()
    spread(job, suite.store.jobs, suite.endpoints, suite.deliveries)
    suite.endpoints.pause(paused, "asked")
    suite.endpoints.delete(deleted)

    suite.deliver()

    assert (suite.deliveries.endpoints_due(), suite.receiver.heard) == ([], [])
    assert [delivery.state for delivery in suite.all(paused)] == ["failed"]
    assert suite.all(deleted) == []


# -- many at once, and processes that die --------------------------------------------------------


def test_one_endpoint_is_sent_to_by_one_sender_at_a_time(suite: Suite) -> None:
    endpoint, busy = suite.add(), threading.Semaphore(1)
    for _ in range(5):
        suite.store.done()
    overlaps: list[str] = []

    class Slow(Receiver):
        def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
            if not busy.acquire(blocking=False):
                overlaps.append(headers["webhook-id"])
            try:
                return super().post(url, body, headers)
            finally:
                busy.release()

    slow = Slow()
    webhooks = suite.webhooks(slow)
    webhooks.spread()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(webhooks.serve, [endpoint.id] * 16))
    webhooks.serve(endpoint.id)

    assert overlaps == []
    assert len(slow.heard) == len(set(slow.ids)) == 5


def test_a_sender_that_died_in_the_middle_is_followed_by_another_with_the_same_id(suite: Suite) -> None:
    endpoint = suite.add()
    suite.store.done()

    class Deadly(Receiver):
        def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
            super().post(url, body, headers)
            raise KeyboardInterrupt  # sent, and not recorded

    deadly = Deadly()
    webhooks = suite.webhooks(deadly)
    webhooks.spread()
    with pytest.raises(KeyboardInterrupt):
        webhooks.serve(endpoint.id)
    suite.deliver()
    assert suite.receiver.heard == []  # the turn is still that of the dead one
    suite.clock.move(TURN + SECOND)
    suite.deliver()

    assert suite.receiver.ids == deadly.ids
    assert [delivery.state for delivery in suite.all(endpoint)] == ["delivered"]


def test_a_slow_sender_whose_turn_is_over_records_nothing_over_anothers_record(suite: Suite) -> None:
    endpoint = suite.add()
    suite.store.done()

    class Late(Receiver):
        def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
            super().post(url, body, headers)
            suite.clock.move(TURN + SECOND)
            suite.deliver()  # another one has taken over and delivered
            return Answer(500, "too late", None)

    suite.webhooks().spread()
    suite.webhooks(Late()).serve(endpoint.id)

    [delivery] = suite.all(endpoint)
    assert (delivery.state, [one["status"] for one in delivery.attempts]) == ("delivered", [200])


def test_slow_receivers_harm_nobody_else(suite: Suite) -> None:
    """Many hang; the deliveries of others go out meanwhile, in the first rounds."""
    hang, fine = threading.Event(), 40
    for number in range(AT_ONCE * 2):
        suite.add(f"https://slow.example/{number}", owner=f"slow{number}@example.com")
        suite.store.done(f"slow{number}@example.com")
    fast: set[str] = set()
    asked = threading.Semaphore(0)

    class Mixed(Receiver):
        def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
            if "slow" in url:
                asked.release()
                hang.wait(20)
                raise Unreachable("no answer within 15 s")
            fast.add(url)
            return super().post(url, body, headers)

    sender = Sender(suite.webhooks(Mixed()), threading.Event())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sender.webhooks.spread()
        sender._failing.update(suite.deliveries.endpoints_due())  # as after their first failure
        for number in range(fine):
            suite.add(f"https://fast.example/{number}", owner=f"fast{number}@example.com")
            suite.store.done(f"fast{number}@example.com")
        sender.webhooks.spread()
        for _ in range(200):
            sender.dispatch(pool)
            if len(fast) == fine:
                break
            threading.Event().wait(0.05)
        hanging = AT_ONCE // 2
        assert len(fast) == fine
        assert sum(asked.acquire(blocking=False) for _ in range(AT_ONCE)) == hanging
        hang.set()


def test_a_sender_runs_until_it_is_stopped_whatever_its_store_does(suite: Suite) -> None:
    endpoint, stop = suite.add(), threading.Event()
    suite.store.done()
    webhooks = suite.webhooks()
    troubles: list[Exception] = [StoreUnavailable("away"), RuntimeError("a bug")]

    class Shaky(Deliveries):
        def endpoints_due(self) -> list[str]:
            if troubles:
                raise troubles.pop()
            return super().endpoints_due()

    shaky = Shaky(suite.store.client, suite.clock)
    values: dict[str, Any] = {name: getattr(webhooks, name) for name in Webhooks.__slots__}
    thread = threading.Thread(target=Sender(Webhooks(**{**values, "deliveries": shaky}), stop).run)
    thread.start()
    deadline = threading.Event()
    for _ in range(400):
        if suite.all(endpoint) and suite.all(endpoint)[0].state == "delivered":
            break
        deadline.wait(0.05)
    stop.set()
    thread.join(30)

    assert not thread.is_alive()
    assert troubles == []
    assert [delivery.state for delivery in suite.all(endpoint)] == ["delivered"]
