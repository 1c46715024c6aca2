"""Run a consuming service: signals, the admin port, and messages turned into jobs.

A service brings a function that looks at one job; what happens to the message follows from whether
that function returns, and from what it raises.
"""

import random
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chassis import admin, logs
from chassis.admin import Check, Heartbeat
from chassis.settings import Settings
from pipeline.consumer import Consumer, Verdict
from pipeline.doorbell import Doorbell, Undecodable
from pipeline.mongodb import StoreRefused, StoreUnavailable

PAUSE_SECONDS = (0.5, 10.0)
"""The least and the most a message in hand waits for the store between two tries."""

log = logs.get(__name__)

LookAt = Callable[[str], None]
"""Does what is due for a job; returns when the outcome is stored or there is nothing to do.

It raises `StoreUnavailable` when the store does not answer, and is then called again.
"""


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers the messages of one queue."""

    look_at: LookAt
    stop: threading.Event

    def __call__(self, body: bytes) -> Verdict:
        """Deal with one message; it is settled only after this returned."""
        try:
            doorbell = Doorbell.decode(body)
        except Undecodable as error:
            log.error("dead-lettered", reason=str(error))
            return Verdict.DEAD_LETTER
        with logs.bind(job_id=doorbell.job_id, request_id=doorbell.request_id):
            return self._answer(doorbell.job_id)

    def _answer(self, job_id: str) -> Verdict:
        pause = PAUSE_SECONDS[0]
        while True:
            try:
                self.look_at(job_id)
            except (StoreUnavailable, StoreRefused) as error:
                log.warning("waiting for the store before the message is handled", reason=str(error))
            else:
                return Verdict.ACK
            if self.stop.wait(pause * random.uniform(0.5, 1)):  # noqa: S311 - spreads the tries
                return Verdict.AGAIN
            pause = min(pause * 2, PAUSE_SECONDS[1])


def run(  # noqa: PLR0913 - the one place where a consuming process is put together
    *,
    service: str,
    queue: str,
    rabbitmq_url: str,
    settings: Settings,
    look_at: LookAt,
    checks: Mapping[str, Check],
    stop: threading.Event,
) -> None:
    """Consume `queue` until SIGTERM or SIGINT sets `stop`, and the message in hand is dealt with."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    heartbeat = Heartbeat()
    consumer = Consumer(rabbitmq_url, service, queue, Answerer(look_at, stop), heartbeat)
    server = admin.serve(
        settings.admin_host,
        settings.admin_port,
        checks={**checks, "rabbitmq": consumer.check},
        heartbeat=heartbeat,
    )
    consumer.run(stop)
    server.shutdown()
    log.info("stopped")
