"""Send what is due to webhooks: one delivery at a time to each endpoint, many endpoints at once."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import ParamSpec, Protocol, TypeVar

from prometheus_client import Counter

from chassis import logs
from chassis.crashpoint import crashpoints
from notification import signatures
from notification.notices import Notices
from notification.outbound import Answer, Unreachable
from pipeline.deliveries import Deliveries, Delivery, spread
from pipeline.endpoints import FREE, PAUSE_AFTER, Endpoint, Endpoints
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreRefused, StoreUnavailable, now

WAITS = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2)),
    *(timedelta(hours=5), timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24)),
)
"""Between two attempts, before they are spread: those of Standard Webhooks 1.0.0."""
SPREAD = (0.5, 1.5)
"""By what a wait is multiplied, by chance: receivers that were away are not all asked at the same moment."""
LONGEST_REST = timedelta(hours=24)
AT_ONCE = 32
IN_A_TURN = 20
"""How many deliveries are sent in one turn, so that other endpoints have theirs."""
ROUND_SECONDS = 1.0
CLEAR_SECONDS = 3600.0
BATCH = 100

P = ParamSpec("P")
T = TypeVar("T")

deliveries_total = Counter("webhook_deliveries_total", "Attempts to deliver to a webhook.", ["outcome"])
log = logs.get(__name__)


class Posts(Protocol):
    """What sends a request: the network, or a function in a test."""

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Return the answer; raises `Unreachable` when there is none."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Delivers events; any number of processes may do so at the same time."""

    jobs: Jobs
    endpoints: Endpoints
    deliveries: Deliveries
    outbound: Posts
    notices: Notices[Endpoint]
    clock: Callable[[], datetime] = now
    chance: Callable[[float, float], float] = random.uniform

    def spread(self) -> None:
        """Make deliveries of the events that job documents hold."""
        for job in self.jobs.eventful(BATCH):
            spread(job, self.jobs, self.endpoints, self.deliveries)

    def tell(self) -> None:
        """Send the mails about endpoints that were paused."""
        for endpoint in self.endpoints.unsent():
            self.notices.look_at(endpoint.id)

    def serve(self, endpoint_id: str) -> bool:
        """Send what is due to an endpoint, until the turn is over; tell whether an attempt failed."""
        endpoint = self.endpoints.take_turn(endpoint_id)
        if endpoint is None:
            self._give_up(endpoint_id)
            return False
        rest_until = None
        for _ in range(IN_A_TURN):
            delivery, kept = self.deliveries.next(endpoint), self.endpoints.keep_turn(endpoint)
            if delivery is None or kept is None:
                break
            with logs.bind(endpoint=endpoint.id, event_id=delivery.event):
                rest_until = self._attempt(kept, delivery)
            if rest_until is not None:
                break
        self.endpoints.end_turn(endpoint, rest_until=rest_until or FREE)
        return rest_until is not None

    def _give_up(self, endpoint_id: str) -> None:
        """Have nothing due to an endpoint that was paused or deleted while something became due."""
        found = self.endpoints.get(endpoint_id)
        if found is None:
            self.deliveries.forget(endpoint_id)
        elif found.paused is not None:
            self.deliveries.give_up(endpoint_id)

    def _attempt(self, endpoint: Endpoint, delivery: Delivery) -> datetime | None:
        """Send a delivery once and record it; if that failed, return until when the endpoint is to rest."""
        began, at = time.perf_counter(), self.clock()
        answer, error = None, None
        try:
            answer = self._post(endpoint, delivery)
        except Unreachable as unreachable:
            error = str(unreachable)
        status = None if answer is None else answer.status
        ms = round((time.perf_counter() - began) * 1000)
        attempt = {"at": at, "ms": ms, "status": status, "answer": answer and answer.text, "error": error}
        if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            self.deliveries.record(delivery, attempt, "delivered", None)
            self.endpoints.note(endpoint, failed=False)
            deliveries_total.labels("delivered").inc()
            log.info("webhook delivered", status=status, tries=delivery.tries + 1, ms=ms)
            return None
        gone, asked = status == HTTPStatus.GONE, self._asked_to_wait(answer)
        due_at = None if gone else self._next(delivery, asked)
        self.deliveries.record(delivery, attempt, "failed" if due_at is None else "pending", due_at)
        deliveries_total.labels("failed" if due_at is None else "put_off").inc()
        log.warning("webhook not delivered", status=status, reason=error, tries=delivery.tries + 1)
        self._mind(endpoint, gone=gone)
        return asked or FREE

    @crashpoints
    def _post(self, endpoint: Endpoint, delivery: Delivery) -> Answer:
        time, body = self.clock(), delivery.body.encode()
        headers = signatures.headers(endpoint.signing(time), delivery.event, int(time.timestamp()), body)
        own = {"Content-Type": "application/json", "User-Agent": "video-to-mp3 webhooks/1"}
        return self.outbound.post(delivery.url, body, {**headers, **own})

    def _next(self, delivery: Delivery, asked: datetime | None) -> datetime | None:
        """Return when a delivery that failed is tried again; `None` for never."""
        if delivery.tries >= len(WAITS):
            return None
        due_at = self.clock() + WAITS[delivery.tries] * self.chance(*SPREAD)
        return due_at if asked is None else max(due_at, asked)

    def _asked_to_wait(self, answer: Answer | None) -> datetime | None:
        """Return until when the receiver asks not to be asked (RFC 9110, section 10.2.3)."""
        if answer is None or answer.retry_after is None:
            return None
        time, text = self.clock(), answer.retry_after.strip()
        try:
            if text.isascii() and text.isdigit() and len(text) < 10:  # noqa: PLR2004 - digits
                asked = time + min(timedelta(seconds=int(text)), LONGEST_REST)
            else:
                asked = parsedate_to_datetime(text).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return min(asked, time + LONGEST_REST) if asked > time else None

    def _mind(self, endpoint: Endpoint, *, gone: bool) -> None:
        """Pause an endpoint that is gone, or that has failed for days, and have its owner told."""
        if endpoint.url is None:
            return
        noted = self.endpoints.note(endpoint, failed=True)
        since = noted.failing_since if noted else None
        if not gone and (since is None or self.clock() - since < PAUSE_AFTER):
            return
        if self.endpoints.pause(endpoint, "gone" if gone else "failing", told=True):
            given_up = self.deliveries.give_up(endpoint.id)
            log.warning("webhook paused", reason="gone" if gone else "failing", given_up=given_up)


@dataclass
class Sender:
    """The thread that looks once a second what is due, and those that send it."""

    webhooks: Webhooks
    stop: threading.Event
    _sending: dict[str, Future[None]] = field(default_factory=dict)
    _failing: set[str] = field(default_factory=set)
    _telling: Future[None] | None = None
    _clear_at: float = 0.0

    def run(self) -> None:
        """Send until `stop` is set; what is being sent then comes to its end."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            while not self.stop.wait(ROUND_SECONDS):
                self._guarded(self._round, pool)

    def _round(self, pool: ThreadPoolExecutor) -> None:
        self.webhooks.spread()
        self.dispatch(pool)
        if self._telling is None or self._telling.done():  # a mail server may take its time
            self._telling = pool.submit(self._guarded, self.webhooks.tell)
        if time.monotonic() >= self._clear_at:
            self._clear_at = time.monotonic() + CLEAR_SECONDS
            self.webhooks.deliveries.clear()

    def dispatch(self, pool: ThreadPoolExecutor) -> None:
        """Give each endpoint that something is due for a thread.

        Those that failed last time have half of the threads among them: the others never wait for them.
        """
        self._sending = {name: done for name, done in self._sending.items() if not done.done()}
        for endpoint_id in self.webhooks.deliveries.endpoints_due():
            slow = sum(name in self._failing for name in self._sending)
            if len(self._sending) >= AT_ONCE or endpoint_id in self._sending:
                continue
            if endpoint_id in self._failing and slow >= AT_ONCE // 2:
                continue
            self._sending[endpoint_id] = pool.submit(self._serve, endpoint_id)

    def _serve(self, endpoint_id: str) -> None:
        failed = self._guarded(self.webhooks.serve, endpoint_id)
        (self._failing.add if failed else self._failing.discard)(endpoint_id)

    def _guarded(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Do a piece of work; whatever hinders it, the next round starts it over."""
        try:
            return work(*args, **kwargs)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("webhooks wait for the store", reason=str(error))
        except Exception:
            log.exception("webhooks met a bug")
        return None
