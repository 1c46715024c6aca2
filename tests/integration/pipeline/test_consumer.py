"""The consumer in every weather of a real RabbitMQ: what is not settled comes again, one at a time."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

import pytest

from chassis.admin import Heartbeat
from pipeline.broker import DELIVERY_LIMIT, HEARTBEAT_SECONDS
from pipeline.consumer import ANEW_SECONDS, Consumer, Verdict
from pipeline.mongodb import StoreUnavailable
from pipeline.worker import Answerer
from tests.integration.rabbitmqctl import Rabbit, is_not_raised, wait_for

Start = Callable[..., "Service"]


class Service:
    """A process's consumer on a thread of its own; `handled` is what it has met so far."""

    def __init__(
        self, url: str, handler: Callable[[bytes], Verdict], anew_after: float = ANEW_SECONDS
    ) -> None:
        self.stop = threading.Event()
        self.heartbeat = Heartbeat()
        self.handled: list[bytes] = []
        self.at_work, self.most_at_work = 0, 0
        self._handler = handler
        self._consumer = Consumer(url, "test", "video", self._handle, self.heartbeat, anew_after=anew_after)
        self._thread = threading.Thread(target=self._consumer.run, args=(self.stop,), daemon=True)

    def start(self) -> Self:
        self._thread.start()
        wait_for(lambda: self.ready)
        return self

    @property
    def ready(self) -> bool:
        return is_not_raised(self._consumer.check)

    def end(self, seconds: float = 60) -> bool:
        """Ask it to stop, and return whether it did."""
        self.stop.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _handle(self, body: bytes) -> Verdict:
        self.handled.append(body)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            return self._handler(body)
        finally:
            self.at_work -= 1


class Gate:
    """A handler that holds each message until it may go on."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, _body: bytes) -> Verdict:
        self.open.wait(120)
        return Verdict.ACK


@pytest.fixture
def start(rabbit: Rabbit) -> Iterator[Start]:
    """Start consumers of the queue `video`; they end with the test."""
    services: list[Service] = []

    def begin(
        handler: Callable[[bytes], Verdict] = lambda _: Verdict.ACK,
        anew_after: float = ANEW_SECONDS,
        heartbeat: int = HEARTBEAT_SECONDS,
    ) -> Service:
        services.append(Service(f"{rabbit.url}?heartbeat={heartbeat}", handler, anew_after))
        return services[-1].start()

    yield begin
    assert all(service.end() for service in services)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


# -- messages -----------------------------------------------------------------------------------


def test_a_message_that_was_handled_is_gone(rabbit: Rabbit, start: Start) -> None:
    service = start()
    rabbit.send("video", b"1", b"2", b"3")

    wait_for(lambda: len(service.handled) == 3)

    assert service.end()
    assert (service.handled, rabbit.take("video")) == ([b"1", b"2", b"3"], [])


def test_one_message_at_a_time_is_taken(rabbit: Rabbit, start: Start, gate: Gate) -> None:
    first, second = start(gate), start(gate)
    rabbit.send("video", b"1", b"2", b"3")

    wait_for(lambda: first.handled and second.handled)

    assert rabbit.depth("video") == 1
    gate.open.set()
    wait_for(lambda: len(first.handled + second.handled) == 3)
    assert (first.most_at_work, second.most_at_work) == (1, 1)


def test_a_message_that_is_wanted_again_comes_again(rabbit: Rabbit, start: Start) -> None:
    verdicts = iter([Verdict.AGAIN, Verdict.ACK])
    service = start(lambda _: next(verdicts))
    rabbit.send("video", b"1")

    wait_for(lambda: len(service.handled) == 2)

    assert service.end()
    assert (rabbit.take("video"), rabbit.take("video.dlq")) == ([], [])


NEWER = json.dumps({"job_id": "j", "v": 2}).encode()


def test_what_cannot_be_decoded_lies_with_the_dead_letters(rabbit: Rabbit, start: Start) -> None:
    looked_at: list[str] = []
    service = start(Answerer(looked_at.append, threading.Event()))
    garbage = [b"", b"\x00\xff", b"[1]", b"{}", b"x" * 1_000_000, NEWER]

    rabbit.send("video", *garbage, b'{"job_id": "good"}')

    wait_for(lambda: looked_at == ["good"])
    assert service.end()
    wait_for(lambda: rabbit.depth("video.dlq") == len(garbage))
    assert sorted(rabbit.take("video.dlq")) == sorted(garbage)


def test_a_bug_in_the_handler_is_met_a_limited_number_of_times(rabbit: Rabbit, start: Start) -> None:
    def bug(body: bytes) -> Verdict:
        if body == b"poison":
            raise KeyError("a bug")
        return Verdict.ACK

    service = start(bug)
    rabbit.send("video", b"poison")

    wait_for(lambda: rabbit.depth("video.dlq") == 1)

    assert service.handled.count(b"poison") == DELIVERY_LIMIT + 1
    rabbit.send("video", b"good")
    wait_for(lambda: service.handled[-1] == b"good")


def test_a_message_waits_in_hand_while_the_store_is_away(rabbit: Rabbit, start: Start) -> None:
    back = threading.Event()
    looked_at: list[str] = []

    def look_at(job_id: str) -> None:
        looked_at.append(job_id)
        if not back.is_set():
            raise StoreUnavailable("away")

    service = start(Answerer(look_at, threading.Event()))
    rabbit.send("video", b'{"job_id": "j1"}')
    wait_for(lambda: len(looked_at) > 1)
    assert service.heartbeat.alive
    assert len(service.handled) == 1

    back.set()

    wait_for(lambda: service.at_work == 0)
    assert service.end()
    assert rabbit.take("video") == []


# -- weather ------------------------------------------------------------------------------------


def test_a_message_whose_connection_was_cut_comes_again_after_the_first_is_done(
    rabbit: Rabbit, start: Start, gate: Gate
) -> None:
    service = start(gate)
    rabbit.send("video", b"1")
    wait_for(lambda: service.handled)

    rabbit.cut()

    wait_for(lambda: not service.ready)
    with pytest.raises(AssertionError):
        wait_for(lambda: service.ready, 2)
    gate.open.set()
    wait_for(lambda: len(service.handled) == 2)
    assert service.end()
    assert (service.most_at_work, rabbit.take("video")) == (1, [])


def test_a_channel_that_the_broker_closes_is_made_anew(rabbit: Rabbit, start: Start) -> None:
    service = start()
    before = set(rabbit.connections())

    rabbit.close_channels()

    wait_for(lambda: before.isdisjoint(rabbit.connections()))
    wait_for(lambda: service.ready)
    rabbit.send("video", b"after")
    wait_for(lambda: service.handled == [b"after"])


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_consumption_goes_on_after_a_restart_of_the_broker(rabbit: Rabbit, start: Start, ending: str) -> None:
    service = start()
    rabbit.send("video", b"before")
    wait_for(lambda: service.handled == [b"before"])

    getattr(rabbit.server, ending)()
    wait_for(lambda: not service.ready)
    rabbit.server.start()

    wait_for(lambda: service.ready)
    rabbit.send("video", b"after")
    wait_for(lambda: service.handled[-1] == b"after")


def test_a_consumer_begins_when_the_broker_comes(rabbit: Rabbit) -> None:
    rabbit.server.stop()
    service = Service(rabbit.url, lambda _: Verdict.ACK)
    thread = threading.Thread(target=service.start)
    thread.start()

    rabbit.server.start()

    thread.join()
    assert service.ready
    assert service.end()


def test_a_broker_that_never_answers_does_not_look_like_a_process_that_is_stuck(rabbit: Rabbit) -> None:
    service = Service(rabbit.url, lambda _: Verdict.ACK)
    oldest = 0.0

    with rabbit.silent():
        thread = threading.Thread(target=service.start)
        thread.start()
        deadline = time.monotonic() + 15  # longer than one attempt to connect
        while time.monotonic() < deadline:
            oldest = max(oldest, service.heartbeat.age)
            time.sleep(0.1)

    thread.join()
    assert service.end()
    assert 1 < oldest < 30  # of the 60 s after which a process counts as stuck


def test_a_queue_that_is_deleted_is_declared_again_and_consumed(rabbit: Rabbit, start: Start) -> None:
    service = start()

    rabbit.ctl("delete_queue", "video")

    wait_for(lambda: "video" in rabbit.ctl("list_queues", "--no-table-headers", "name").split())
    wait_for(lambda: service.ready)
    rabbit.send("video", b"after")
    wait_for(lambda: service.handled == [b"after"])


def test_a_queue_deleted_and_declared_within_a_moment_is_consumed_again_after_a_quiet_time(
    rabbit: Rabbit, start: Start
) -> None:
    service = start(anew_after=2)

    rabbit.delete("video")
    rabbit.send("video", b"after")

    wait_for(lambda: service.handled == [b"after"])


def test_a_consumer_that_consumes_anew_stays_ready_and_misses_nothing(rabbit: Rabbit, start: Start) -> None:
    service = start(anew_after=0.1)
    bodies = [b"1", b"2", b"3"]

    for body in bodies:
        before = rabbit.connections()
        wait_for(lambda before=before: service.ready and not set(before) & set(rabbit.connections()))
        rabbit.send("video", body)

    wait_for(lambda: service.handled == bodies)
    assert service.end()
    assert rabbit.take("video") == []


def test_a_queue_deleted_over_a_message_in_hand_harms_nothing(
    rabbit: Rabbit, start: Start, gate: Gate
) -> None:
    service = start(gate)
    rabbit.send("video", b"1")
    wait_for(lambda: service.handled)

    rabbit.ctl("delete_queue", "video")
    wait_for(lambda: not service.ready)
    gate.open.set()

    wait_for(lambda: service.ready)
    rabbit.send("video", b"2")
    wait_for(lambda: service.handled == [b"1", b"2"])
    assert service.most_at_work == 1


@pytest.fixture
def impatient(rabbit: Rabbit) -> Iterator[Rabbit]:
    """A broker that wants every acknowledgement within half a second."""
    rabbit.ctl(
        "eval", "[application:set_env(rabbit, K, 500) || K <- [consumer_timeout, channel_tick_interval]]."
    )
    yield rabbit
    rabbit.ctl("eval", "application:set_env(rabbit, consumer_timeout, 14400000).")
    rabbit.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 60000).")


def test_an_acknowledgement_that_the_broker_waited_too_long_for_is_mended_by_the_redelivery(
    impatient: Rabbit, start: Start, gate: Gate
) -> None:
    service = start(gate)
    impatient.send("video", b"1")
    wait_for(lambda: service.handled)

    wait_for(lambda: not service.ready)  # the broker closed the channel
    gate.open.set()

    wait_for(lambda: len(service.handled) == 2)
    assert service.end()
    assert (service.most_at_work, impatient.take("video")) == (1, [])


def test_work_slower_than_heartbeats_keeps_its_connection_and_the_process_alive(
    rabbit: Rabbit, start: Start, gate: Gate
) -> None:
    seconds = 5
    service = start(gate, heartbeat=seconds)
    rabbit.send("video", b"1")
    wait_for(lambda: service.handled)
    connections = rabbit.connections()

    deadline = time.monotonic() + 4 * seconds  # the broker cuts who was silent for twice as long
    while time.monotonic() < deadline:
        assert service.heartbeat.age < 3 * seconds
        time.sleep(0.5)
    gate.open.set()

    wait_for(lambda: service.at_work == 0)
    assert rabbit.connections() == connections
    assert service.end()
    assert (service.handled, rabbit.take("video")) == ([b"1"], [])


# -- the end ------------------------------------------------------------------------------------


def test_a_process_asked_to_stop_settles_the_message_in_hand(
    rabbit: Rabbit, start: Start, gate: Gate
) -> None:
    service = start(gate)
    rabbit.send("video", b"1", b"2")
    wait_for(lambda: service.handled)

    service.stop.set()
    wait_for(lambda: not service.ready)
    gate.open.set()

    assert service.end()
    assert service.handled == [b"1"]
    assert rabbit.take("video") == [b"2"]


def test_a_process_asked_to_stop_over_a_broken_connection_ends_its_work_first(
    rabbit: Rabbit, start: Start, gate: Gate
) -> None:
    service = start(gate)
    rabbit.send("video", b"1")
    wait_for(lambda: service.handled)
    rabbit.cut()
    wait_for(lambda: not service.ready)

    service.stop.set()

    assert not service.end(1.5)
    wait_for(lambda: service.heartbeat.age < 1)
    gate.open.set()
    assert service.end()
    assert rabbit.take("video") == [b"1"]


def test_an_idle_process_stops_at_once(start: Start) -> None:
    assert start().end()
