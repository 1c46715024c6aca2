"""Take messages from a queue, one at a time, over every broken connection."""

import queue
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from chassis import logs
from chassis.admin import Heartbeat
from chassis.crashpoint import crashpoints
from pipeline.broker import (
    Backoff,
    BrokerUnavailable,
    close,
    connect,
    declare_queues,
    parameters_of,
    report,
    wake,
)

ANEW_SECONDS = 60.0
"""A consumer that hears nothing for so long consumes again: where a queue was deleted and declared again
within a moment, RabbitMQ 3.10 goes on counting its consumers and delivers nothing to them."""

log = logs.get(__name__)


class Verdict(Enum):
    """What becomes of a message."""

    ACK = "ack"
    DEAD_LETTER = "dead-letter"
    AGAIN = "again"
    """Delivered once more, `broker.DELIVERY_LIMIT` times at most, then dead-lettered."""


Handler = Callable[[bytes], Verdict]


class Consumer:
    """Takes one message at a time from a queue and gives it to `handler` on a thread of its own.

    The connection's thread (the caller of `run`) only beats the heart and settles, so work may last as
    long as it must.  A message whose connection broke is delivered again: handlers are idempotent.
    """

    def __init__(  # noqa: PLR0913 - what a consuming process is put together from
        self,
        url: str,
        name: str,
        queue: str,
        handler: Handler,
        heartbeat: Heartbeat,
        *,
        anew_after: float = ANEW_SECONDS,
    ) -> None:
        self._parameters = parameters_of(url, name)
        self._anew_after = anew_after
        self._queue = queue
        self._handler = handler
        self._heartbeat = heartbeat
        self._connected = False

    def check(self) -> None:
        """Raise `BrokerUnavailable` when nothing is being consumed."""
        if not self._connected:
            raise BrokerUnavailable("not consuming from RabbitMQ")

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set and the message in hand is settled, over every broken connection."""
        backoff = Backoff()
        while not stop.is_set():
            self._heartbeat.tick()
            try:
                self._consume(stop, backoff)
            except Exception as error:  # noqa: BLE001 - whatever broke: a new connection mends it
                self._connected = False
                report("consumer lost its connection", error, queue=self._queue)
            stop.wait(backoff.next())

    def _consume(self, stop: threading.Event, backoff: Backoff) -> None:
        connection = connect(self._parameters)
        worker = _Worker(self._queue, self._handler, stop, lambda: wake(connection))
        try:
            channel = connection.channel()
            declare_queues(channel)
            channel.basic_qos(prefetch_count=1)
            worker.start()
            tag = channel.basic_consume(
                self._queue, lambda _c, m, _p, body: worker.give(m.delivery_tag, body)
            )
            backoff.reset()
            if not self._connected:
                log.info("consuming", queue=self._queue)
            self._connected = True
            self._attend(channel, worker, stop)
            if stop.is_set() or not channel.consumer_tags:
                self._connected = False
            channel.basic_cancel(tag)
            worker.end()
            while worker.is_alive():
                self._go_round(channel, worker, 0.1)
            worker.settle(channel)
        except Exception:
            self._connected = False  # not only after the wait below
            raise
        finally:
            close(connection)
            self._wait_for(worker)

    def _attend(self, channel: Any, worker: "_Worker", stop: threading.Event) -> None:
        """Go round until the process should end, the broker cancels the consumer, or forgot it."""
        heard = time.monotonic()
        while not stop.is_set() and time.monotonic() - heard < self._anew_after:
            self._go_round(channel, worker, 1)
            if not channel.consumer_tags:
                log.warning("the broker cancelled the consumer", queue=self._queue)
                return
            if worker.in_hand:
                heard = time.monotonic()

    def _go_round(self, channel: Any, worker: "_Worker", seconds: float) -> None:
        channel.connection.process_data_events(time_limit=seconds)
        worker.settle(channel)
        self._heartbeat.tick()

    def _wait_for(self, worker: "_Worker") -> None:
        """Let the message in hand be dealt with: one job at a time, whatever the broker does."""
        worker.end()
        while worker.is_alive():
            worker.join(timeout=1)
            self._heartbeat.tick()


class _Worker:
    """Handles the messages of one connection; what it finds is settled by the connection's own thread."""

    def __init__(
        self, queue_name: str, handler: Handler, stop: threading.Event, wake: Callable[[], None]
    ) -> None:
        # Not a subclass: a thread of Python 3.13 has a `_handle` of its own.
        self._thread = threading.Thread(target=self._run, name=f"work-{queue_name}", daemon=True)
        self.start, self.is_alive = self._thread.start, self._thread.is_alive
        self.join = self._thread.join
        self._queue = queue_name
        self._handler = handler
        self._stop_asked = stop
        self._wake = wake
        self._given: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, Verdict]] = queue.SimpleQueue()
        self.in_hand = 0
        """How many messages are not settled."""

    def give(self, tag: int, body: bytes) -> None:
        """Leave a message to be handled."""
        self.in_hand += 1
        self._given.put((tag, body))

    def end(self) -> None:
        """End the thread after the message in hand."""
        self._given.put(None)

    def _run(self) -> None:
        """Handle what is given; what is not begun when the process should end is left to others."""
        while (message := self._given.get()) is not None:
            if not self._stop_asked.is_set():
                tag, body = message
                self._done.put((tag, self._handle(body)))
                self._wake()

    def settle(self, channel: Any) -> None:
        """Tell the broker what became of the messages that were handled."""
        while True:
            try:
                tag, verdict = self._done.get_nowait()
            except queue.Empty:
                return
            _settle(channel, tag, verdict)
            self.in_hand -= 1

    def _handle(self, body: bytes) -> Verdict:
        try:
            return self._handler(body)
        except Exception:
            log.exception("unhandled exception in the message handler", queue=self._queue)
            return Verdict.AGAIN


@crashpoints
def _settle(channel: Any, tag: int, verdict: Verdict) -> None:
    if verdict is Verdict.ACK:
        channel.basic_ack(tag)
    else:
        channel.basic_reject(tag, requeue=verdict is Verdict.AGAIN)
