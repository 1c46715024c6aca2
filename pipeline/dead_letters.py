"""Messages that no consumer could decode: look at them, send them again, or drop them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chassis.crashpoint import crashpoints
from pipeline.broker import QUEUES, opened

MOST = 100
"""How many are looked at or sent again in one go."""
SHOWN_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message: its body as far as it is shown, and why it is here."""

    body: str
    reason: str


class NoSuchQueue(Exception):
    """The suite has no queue of this name."""


class DeadLetters:
    """The dead-letter twin of each queue.

    Every method raises `NoSuchQueue` for a name that is none, and `BrokerUnavailable` when RabbitMQ is away.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def look(self, queue: str) -> list[DeadLetter]:
        """Return the first of them; they stay where they are."""
        with self._channel(queue) as channel:
            return [
                DeadLetter(body.decode("utf-8", "replace")[:SHOWN_CHARACTERS], _reason(properties))
                for _, properties, body in self._taken(channel, queue)
            ]  # closing the channel puts them back

    @crashpoints
    def replay(self, queue: str) -> int:
        """Put them back into the queue they came from and return how many."""
        count = 0
        with self._channel(queue) as channel:
            channel.confirm_delivery()
            for method, properties, body in self._taken(channel, queue):
                properties.headers = None
                channel.basic_publish("", queue, body, properties, mandatory=True)
                channel.basic_ack(method.delivery_tag)
                count += 1
        return count

    @crashpoints
    def drop(self, queue: str) -> int:
        """Delete all of them and return how many."""
        with self._channel(queue) as channel:
            count: int = channel.queue_purge(f"{queue}.dlq").method.message_count
            return count

    @contextmanager
    def _channel(self, queue: str) -> Iterator[Any]:
        if queue not in QUEUES:
            raise NoSuchQueue(queue)
        with opened(self._url, "dead-letters") as channel:
            yield channel

    def _taken(self, channel: Any, queue: str) -> Iterator[tuple[Any, Any, bytes]]:
        for _ in range(MOST):
            method, properties, body = channel.basic_get(f"{queue}.dlq")
            if method is None:
                return
            yield method, properties, body


def _reason(properties: Any) -> str:
    deaths = (properties.headers or {}).get("x-death") or [{}]
    return str(deaths[0].get("reason", "unknown"))
