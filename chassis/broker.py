"""Speak to RabbitMQ; the only module that imports pika.

One thread owns each connection and its heartbeats; work happens on another thread and comes back by
`add_callback_threadsafe`, pika's only thread-safe call.  A broken connection is dropped and made anew.
Queues are declared here, by publisher and consumer alike, so nobody creates them by hand.
"""

import queue
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from enum import Enum
from functools import partial
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPConnectionError, AMQPError, ChannelClosedByBroker, NackError, UnroutableError

from chassis import logs
from chassis.admin import Heartbeat

QUEUES = ("video", "mp3")
DELIVERY_LIMIT = 20
"""A backstop, and RabbitMQ 4's default; attempts are counted in the job document."""
PUBLISH_SECONDS = 10.0
HEARTBEAT_SECONDS = 30
BACKOFF_SECONDS = (0.2, 10.0)
"""The least and the most a lost connection waits before the next try (full jitter)."""
PRECONDITION_FAILED = 406

_TROUBLE = (AMQPError, OSError)

log = logs.get(__name__)


class BrokerUnavailable(Exception):
    """The message is not known to be safe with the broker; ring again later."""


class Verdict(Enum):
    """What becomes of a message."""

    ACK = "ack"
    DEAD_LETTER = "dead-letter"
    AGAIN = "again"
    """Delivered once more, `DELIVERY_LIMIT` times at most, then dead-lettered."""


Handler = Callable[[bytes], Verdict]


def _connect(url: str, name: str) -> BlockingConnection:
    parameters = pika.URLParameters(url)
    parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.blocked_connection_timeout = 30  # None by default: an alarm would hang a publish for ever
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.client_properties = {"connection_name": name}
    try:
        return BlockingConnection(parameters)
    except ValueError as error:  # what pika raises when who accepted has hung up again at once
        raise AMQPConnectionError(str(error)) from error


def _declare(channel: BlockingChannel) -> None:
    """Declare both queues and their dead-letter twins as quorum queues.

    At-least-once dead-lettering needs `reject-publish` (https://www.rabbitmq.com/docs/quorum-queues).
    """
    for name in QUEUES:
        channel.queue_declare(f"{name}.dlq", durable=True, arguments={"x-queue-type": "quorum"})
        arguments = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": f"{name}.dlq",
            "x-dead-letter-strategy": "at-least-once",
        }
        channel.queue_declare(name, durable=True, arguments=arguments)


class _Backoff:
    """Seconds to wait before the next connection: full jitter over a doubling ceiling."""

    def __init__(self) -> None:
        self._ceiling = BACKOFF_SECONDS[0]

    def reset(self) -> None:
        self._ceiling = BACKOFF_SECONDS[0]

    def next(self) -> float:
        wait = random.uniform(0, self._ceiling)  # noqa: S311 - spreads reconnects, hides nothing
        self._ceiling = min(self._ceiling * 2, BACKOFF_SECONDS[1])
        return wait


def _explain(error: Exception) -> str:
    if isinstance(error, ChannelClosedByBroker) and error.reply_code == PRECONDITION_FAILED:
        return (
            f"a queue exists with other arguments ({error.reply_text}); drain and delete it, "
            "and it is declared anew as a quorum queue"
        )
    return f"{type(error).__name__}: {error}"[:300]


class Publisher:
    """Publishes from any thread over one connection that a thread of its own keeps alive.

    Every message is persistent, mandatory and confirmed.  Make it after a fork, one per process.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._waiting: queue.SimpleQueue[tuple[str, bytes, Future[None]]] = queue.SimpleQueue()
        self._connection: BlockingConnection | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether the connection stands as far as is known."""
        return self._connection is not None

    def check(self) -> None:
        """Raise `BrokerUnavailable` when there is no connection."""
        if not self.connected:
            raise BrokerUnavailable("not connected to RabbitMQ")

    def publish(self, queue: str, body: bytes) -> None:
        """Return when the broker has confirmed that the message is in the queue.

        Raises:
            BrokerUnavailable: it has not, for whatever reason; the message may be there all the same.
        """
        self.check()
        done: Future[None] = Future()
        self._waiting.put((queue, body, done))
        self._wake()
        try:
            done.result(timeout=PUBLISH_SECONDS)
        except FutureTimeout:
            done.cancel()
            raise BrokerUnavailable(f"no confirmation within {PUBLISH_SECONDS:g} s") from None

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._stopping.set()
        self._wake()
        self._thread.join(timeout=5)

    def _wake(self) -> None:
        connection = self._connection
        if connection is not None:
            try:
                connection.add_callback_threadsafe(lambda: None)
            except _TROUBLE:
                log.debug("the publisher's connection closed just now")  # its own thread is told too

    def _run(self) -> None:
        backoff = _Backoff()
        while not self._stopping.is_set():
            try:
                self._serve(backoff)
            except _TROUBLE as error:
                log.warning("publisher lost its connection", reason=_explain(error))
            finally:
                self._connection = None
                self._refuse_waiting()
            self._stopping.wait(backoff.next())

    def _serve(self, backoff: _Backoff) -> None:
        connection = _connect(self._url, self._name)
        try:
            channel = connection.channel()
            _declare(channel)
            channel.confirm_delivery()
            self._connection = connection
            backoff.reset()
            log.info("publisher connected")
            while not self._stopping.is_set():
                self._publish_waiting(channel)
                connection.process_data_events(time_limit=1)
        finally:
            _close(connection)

    def _publish_waiting(self, channel: BlockingChannel) -> None:
        while True:
            try:
                name, body, done = self._waiting.get_nowait()
            except queue.Empty:
                return
            if not done.set_running_or_notify_cancel():
                continue
            try:
                properties = pika.BasicProperties(content_type="application/json", delivery_mode=2)
                channel.basic_publish("", name, body, properties, mandatory=True)
            except (UnroutableError, NackError) as error:
                done.set_exception(BrokerUnavailable(f"queue {name} did not take it: {_explain(error)}"))
                _declare(channel)  # somebody deleted the queue
            except Exception as error:
                done.set_exception(BrokerUnavailable(_explain(error)))
                raise
            else:
                done.set_result(None)

    def _refuse_waiting(self) -> None:
        while True:
            try:
                *_, done = self._waiting.get_nowait()
            except queue.Empty:
                return
            if done.set_running_or_notify_cancel():
                done.set_exception(BrokerUnavailable("the connection to RabbitMQ was lost"))


class Consumer:
    """Takes one message at a time from a queue and gives it to `handler` on a thread of its own.

    The connection's thread (the caller of `run`) only beats the heart, so work may last as long as it
    must.  A message whose connection broke is delivered again: handlers are idempotent.
    """

    def __init__(self, url: str, name: str, queue: str, handler: Handler, heartbeat: Heartbeat) -> None:
        self._url = url
        self._name = name
        self._queue = queue
        self._handler = handler
        self._heartbeat = heartbeat
        self._connected = False

    def check(self) -> None:
        """Raise `BrokerUnavailable` when nothing is being consumed."""
        if not self._connected:
            raise BrokerUnavailable("not consuming from RabbitMQ")

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set and the message in hand is dealt with, over every broken connection."""
        backoff = _Backoff()
        while not stop.is_set():
            self._heartbeat.tick()
            try:
                self._consume(stop, backoff)
            except _TROUBLE as error:
                log.warning("consumer lost its connection", queue=self._queue, reason=_explain(error))
            finally:
                self._connected = False
            stop.wait(backoff.next())

    def _consume(self, stop: threading.Event, backoff: _Backoff) -> None:
        connection = _connect(self._url, self._name)
        inbox: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        worker: threading.Thread | None = None
        try:
            channel = connection.channel()
            _declare(channel)
            channel.basic_qos(prefetch_count=1)
            worker = threading.Thread(
                target=self._work, args=(connection, channel, inbox), name=f"work-{self._queue}", daemon=True
            )
            worker.start()
            tag = channel.basic_consume(
                self._queue, lambda _c, m, _p, body: inbox.put((m.delivery_tag, body))
            )
            self._connected = True
            backoff.reset()
            log.info("consuming", queue=self._queue)
            while channel.consumer_tags and not stop.is_set():
                connection.process_data_events(time_limit=1)
                self._heartbeat.tick()
            if not stop.is_set():
                log.warning("the broker cancelled the consumer", queue=self._queue)
            else:
                channel.basic_cancel(tag)
            inbox.put(None)
            while worker.is_alive():
                connection.process_data_events(time_limit=0.1)
                self._heartbeat.tick()
            connection.process_data_events(time_limit=0)
        finally:
            inbox.put(None)
            self._connected = False
            _close(connection)
            while worker is not None and worker.is_alive():  # one job at a time, whatever the broker does
                worker.join(timeout=1)
                self._heartbeat.tick()

    def _work(
        self,
        connection: BlockingConnection,
        channel: BlockingChannel,
        inbox: "queue.SimpleQueue[tuple[int, bytes] | None]",
    ) -> None:
        while (message := inbox.get()) is not None:
            tag, body = message
            verdict = self._handle(body)
            try:
                connection.add_callback_threadsafe(partial(_settle, channel, tag, verdict))
            except _TROUBLE as error:
                log.warning("the message will come again", queue=self._queue, reason=_explain(error))

    def _handle(self, body: bytes) -> Verdict:
        try:
            return self._handler(body)
        except Exception:
            log.exception("the handler has a bug", queue=self._queue)
            return Verdict.AGAIN


def _settle(channel: BlockingChannel, tag: int, verdict: Verdict) -> None:
    if verdict is Verdict.ACK:
        channel.basic_ack(tag)
    else:
        channel.basic_reject(tag, requeue=verdict is Verdict.AGAIN)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except _TROUBLE as error:
        log.debug("the connection was closed already", reason=str(error))


@contextmanager
def opened(url: str, name: str) -> Iterator[BlockingChannel]:
    """Lend a channel for a few calls from one thread.

    Raises:
        BrokerUnavailable: the broker is away, or refuses one of the calls.
    """
    try:
        connection = _connect(url, name)
    except _TROUBLE as error:
        raise BrokerUnavailable(_explain(error)) from error
    try:
        yield connection.channel()
    except _TROUBLE as error:
        raise BrokerUnavailable(_explain(error)) from error
    finally:
        _close(connection)


def declare(url: str) -> None:
    """Declare every queue, as each publisher and consumer does.

    Raises:
        BrokerUnavailable: the broker is away, or has a queue of another type.
    """
    with opened(url, "declare") as channel:
        _declare(channel)


def depth(url: str, name: str) -> int:
    """Return how many messages wait in a queue, without those that a consumer holds.

    Raises:
        BrokerUnavailable: the broker did not say.
    """
    with opened(url, "depth") as channel:
        count: int = channel.queue_declare(name, passive=True).method.message_count
        return count
