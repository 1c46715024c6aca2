"""Speak to RabbitMQ: connections, queues and the publisher; `consumer` takes the messages.

The only module that imports pika, and long for that reason.  One thread owns each connection and its
heartbeats; others leave it work and `wake` it.  A broken connection is dropped and made again.
Queues are declared here, by publisher and consumer alike, so nobody creates them by hand.
"""

import queue
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from functools import partial

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPConnectionError, AMQPError, ChannelClosedByBroker, NackError, UnroutableError

from chassis import logs
from chassis.crashpoint import crashpoints

QUEUES = ("video", "mp3")
DELIVERY_LIMIT = 20
"""A backstop, and RabbitMQ 4's default; attempts are counted in the job document."""
PUBLISH_SECONDS = 10.0
COUNT_SECONDS = 2.0
HEARTBEAT_SECONDS = 30
BACKOFF_SECONDS = (0.2, 10.0)
"""The least and the most a lost connection waits before the next try (full jitter)."""
ALARM_SECONDS = 1.0
"""How long a broker is given to say that it takes no messages."""
PRECONDITION_FAILED = 406

TROUBLE = (AMQPError, OSError)
"""What pika raises when the broker or the way to it fails."""

log = logs.get(__name__)


class BrokerUnavailable(Exception):
    """The message is not known to be safe with the broker; ring again later."""


def parameters_of(url: str, name: str) -> pika.URLParameters:
    """Return how to connect, under a name that the broker shows.

    Raises:
        ValueError: the URL cannot be read.
    """
    parameters = pika.URLParameters(url)
    if parameters.heartbeat is None:  # the URL may name another: ?heartbeat=10
        parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.blocked_connection_timeout = 30  # None by default: an alarm would hang a publish for ever
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.client_properties = {"connection_name": name}
    return parameters


def connect(parameters: pika.URLParameters) -> BlockingConnection:
    """Return a connection; the thread that asks owns it."""
    try:
        return BlockingConnection(parameters)
    except ValueError as error:  # what pika raises when who accepted has hung up again at once
        raise AMQPConnectionError(str(error)) from error


def declare_queues(channel: BlockingChannel) -> None:
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


def on_alarm(connection: BlockingConnection, told: Callable[[str | None], None]) -> None:
    """Have `told` why the broker takes no messages, and `None` when it does again.

    It says so to a connection that publishes (https://www.rabbitmq.com/docs/connection-blocked), so this
    one does: a message that has nowhere to go.
    """
    connection.add_on_connection_blocked_callback(lambda _, frame: told(str(frame.method.reason)))
    connection.add_on_connection_unblocked_callback(lambda *_: told(None))
    with suppress(*TROUBLE):  # whoever owns the connection meets it again at once
        connection.channel().basic_publish("", "nowhere", b"")


def takes_messages(url: str) -> None:
    """Raise `BrokerUnavailable` when the broker is away or short of disk or memory."""
    reasons: list[str | None] = [None]
    try:
        connection = connect(parameters_of(url, "doctor"))
        on_alarm(connection, reasons.append)
        connection.process_data_events(time_limit=ALARM_SECONDS)
        close(connection)
    except TROUBLE as error:
        raise BrokerUnavailable(explain(error)) from error
    if reasons[-1] is not None:
        raise BrokerUnavailable(f"RabbitMQ accepts no messages: {reasons[-1]}")


def wake(connection: BlockingConnection) -> None:
    """Make the connection's thread come back from waiting for the broker; from any thread."""
    try:
        connection.add_callback_threadsafe(lambda: None)
    except Exception as error:  # noqa: BLE001 - it is being closed this moment: its own thread sees to that
        log.debug("the connection closed just now", reason=explain(error))


def close(connection: BlockingConnection) -> None:
    """Close a connection, whatever state it is in."""
    try:
        connection.close()
    except Exception as error:  # noqa: BLE001 - pika trips over half-closed connections; there is nothing to save
        log.debug("the connection was closed already", reason=explain(error))


class Backoff:
    """Seconds to wait before the next connection: full jitter over a doubling ceiling."""

    def __init__(self) -> None:
        self._ceiling = BACKOFF_SECONDS[0]

    def reset(self) -> None:
        """Start over: the connection stood."""
        self._ceiling = BACKOFF_SECONDS[0]

    def next(self) -> float:
        """Return how long to wait now."""
        wait = random.uniform(0, self._ceiling)  # noqa: S311 - spreads reconnects, hides nothing
        self._ceiling = min(self._ceiling * 2, BACKOFF_SECONDS[1])
        return wait


def report(what: str, error: Exception, **about: str) -> None:
    """Log the end of a connection: an outage in a line, anything else with its traceback."""
    unexpected = None if isinstance(error, TROUBLE) else error
    log.warning(what, reason=explain(error), exc_info=unexpected, **about)


def explain(error: Exception) -> str:
    """Return what is wrong, and what to do where that is known."""
    if isinstance(error, ChannelClosedByBroker) and error.reply_code == PRECONDITION_FAILED:
        return (
            f"a queue exists with other arguments ({error.reply_text}); drain and delete it, "
            "and it is declared again as a quorum queue"
        )
    return f"{type(error).__name__}: {error}"[:300]


Wish = Callable[[BlockingChannel], int]
"""What the connection's thread does for another one."""


class Publisher:
    """Publishes, and counts consumers, from any thread, over a connection that one of its own keeps alive.

    Every message is persistent, mandatory and confirmed.  Make it after a fork, one per process.
    """

    def __init__(self, url: str, name: str) -> None:
        self._parameters = parameters_of(url, name)
        self._waiting: queue.SimpleQueue[tuple[Wish, Future[int]]] = queue.SimpleQueue()
        self._connection: BlockingConnection | None = None
        self._blocked: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether the connection stands as far as is known."""
        return self._connection is not None

    def check(self) -> None:
        """Raise `BrokerUnavailable` when there is no connection, or RabbitMQ accepts no messages."""
        if not self.connected:
            raise BrokerUnavailable("not connected to RabbitMQ")
        if (reason := self._blocked) is not None:
            raise BrokerUnavailable(f"RabbitMQ accepts no messages: {reason}")

    @crashpoints
    def publish(self, queue: str, body: bytes) -> None:
        """Return when the broker has confirmed that the message is in the queue.

        Raises:
            BrokerUnavailable: it has not, for whatever reason; the message may be there all the same.
        """
        self.check()
        self._fulfilled(partial(_send, queue, body), PUBLISH_SECONDS)

    def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has.

        Raises:
            BrokerUnavailable: the broker did not say.
        """
        self.check()
        return self._fulfilled(partial(_count_consumers, queue), COUNT_SECONDS)

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._stopping.set()
        self._wake()
        self._thread.join(timeout=5)

    def _fulfilled(self, wish: Wish, seconds: float) -> int:
        done: Future[int] = Future()
        self._waiting.put((wish, done))
        self._wake()
        try:
            return done.result(timeout=seconds)
        except FutureTimeout:
            done.cancel()
            raise BrokerUnavailable(f"no confirmation within {seconds:g} s") from None

    def _wake(self) -> None:
        connection = self._connection
        if connection is not None:
            wake(connection)

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._serve(backoff)
            except Exception as error:  # noqa: BLE001 - without this thread nothing is ever published again
                report("publisher lost its connection", error)
            finally:
                self._connection = self._blocked = None
                self._refuse_waiting()
            self._stopping.wait(backoff.next())

    def _serve(self, backoff: Backoff) -> None:
        connection = connect(self._parameters)
        try:
            channel = connection.channel()
            declare_queues(channel)
            channel.confirm_delivery()
            on_alarm(connection, self._alarm)
            self._connection = connection
            backoff.reset()
            log.info("publisher connected")
            while channel.is_open and not self._stopping.is_set():
                self._fulfil_waiting(channel)
                connection.process_data_events(time_limit=1)
            if not self._stopping.is_set():
                log.warning("the broker closed the publisher's channel")
        finally:
            close(connection)

    def _alarm(self, reason: str | None) -> None:
        self._blocked = reason

    def _fulfil_waiting(self, channel: BlockingChannel) -> None:
        while True:
            try:
                wish, done = self._waiting.get_nowait()
            except queue.Empty:
                return
            if not done.set_running_or_notify_cancel():
                continue
            try:
                count = wish(channel)
            except BrokerUnavailable as error:
                done.set_exception(error)
            except Exception as error:
                done.set_exception(BrokerUnavailable(explain(error)))
                raise
            else:
                done.set_result(count)

    def _refuse_waiting(self) -> None:
        while True:
            try:
                *_, done = self._waiting.get_nowait()
            except queue.Empty:
                return
            if done.set_running_or_notify_cancel():
                done.set_exception(BrokerUnavailable("the connection to RabbitMQ was lost"))


def _send(name: str, body: bytes, channel: BlockingChannel) -> int:
    properties = pika.BasicProperties(content_type="application/json", delivery_mode=2)
    try:
        channel.basic_publish("", name, body, properties, mandatory=True)
    except (UnroutableError, NackError) as error:
        declare_queues(channel)  # somebody deleted the queue
        raise BrokerUnavailable(f"queue {name} did not take it: {explain(error)}") from error
    return 1


def _count_consumers(name: str, channel: BlockingChannel) -> int:
    count: int = channel.queue_declare(name, passive=True).method.consumer_count
    return count


@contextmanager
def opened(url: str, name: str) -> Iterator[BlockingChannel]:
    """Lend a channel for a few calls from one thread; every queue exists.

    Raises:
        BrokerUnavailable: the broker is away, has a queue of another type, or refuses one of the calls.
    """
    try:
        connection = connect(parameters_of(url, name))
    except TROUBLE as error:
        raise BrokerUnavailable(explain(error)) from error
    try:
        channel = connection.channel()
        declare_queues(channel)
        yield channel
    except TROUBLE as error:
        raise BrokerUnavailable(explain(error)) from error
    finally:
        close(connection)


def declare(url: str) -> None:
    """Declare every queue, as each publisher and consumer does.

    Raises:
        BrokerUnavailable: the broker is away, or has a queue of another type.
    """
    with opened(url, "declare"):
        pass


def depth(url: str, name: str) -> int:
    """Return how many messages wait in a queue, without those that a consumer holds.

    Raises:
        BrokerUnavailable: the broker did not say.
    """
    with opened(url, "depth") as channel:
        count: int = channel.queue_declare(name, passive=True).method.message_count
        return count
