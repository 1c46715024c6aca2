"""Mend what a crash or an outage left: ring due bells, take back abandoned work, clear up uploads.

`python -m gateway.reconciler`; running two at once is harmless, since every repair is a transition
of one job document that only one of them can make.
"""

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import Counter

from chassis import admin, broker, logs, mongodb
from chassis.broker import BrokerUnavailable, Publisher
from chassis.doorbell import Publishes, ring
from chassis.files import Blobs
from chassis.job import Bell, Job
from chassis.jobs import Jobs
from chassis.mongodb import StoreRefused, StoreUnavailable
from chassis.settings import InvalidSettings
from gateway.settings import Settings

BATCH = 100
BUSY_PATIENCE = 30
"""How much longer a bell may stay unanswered while messages wait in its queue: the consumers are busy."""

repairs = Counter("reconciler_repairs_total", "What the reconciler mended.", ["rule"])
log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """One pass over each rule; `depth` tells how many messages wait in a queue."""

    jobs: Jobs
    videos: Blobs
    publisher: Publishes
    depth: Callable[[str], int]
    abandon_uploads_after: timedelta
    ring_again_after: timedelta

    def run_once(self) -> None:
        """Apply every rule once, each to a batch.

        Raises:
            StoreUnavailable: MongoDB is away.
            BrokerUnavailable: RabbitMQ is; what is due stays due.
        """
        self.clear_uploads()
        self.take_back_leases()
        for bell in ("video", "mp3"):
            self.revive(bell)
            self.ring_due(bell)

    def ring_due(self, bell: Bell) -> None:
        """Ring the bells that should have rung by now."""
        for job in self.jobs.due(bell, BATCH):
            ring(self.jobs, self.publisher, job, bell)
            _repaired(f"{bell} bell due", job)

    def revive(self, bell: Bell) -> None:
        """Make bells due again that were rung and lost with their queue."""
        patience = self.ring_again_after * (BUSY_PATIENCE if self.depth(bell) else 1)
        for job in self.jobs.unanswered(bell, patience, BATCH):
            if self.jobs.ring_again(job, bell):
                _repaired(f"{bell} bell lost", job)

    def take_back_leases(self) -> None:
        """Take back jobs and mails whose holder let its lease end; their bells are due again."""
        for job in self.jobs.abandoned(BATCH):
            if self.jobs.take_back(job):
                _repaired("lease expired", job)
        for job in self.jobs.unsent(BATCH):
            if self.jobs.take_back_notice(job):
                _repaired("mail abandoned", job)

    def clear_uploads(self) -> None:
        """Delete what is left of uploads that never ended."""
        for job in self.jobs.stale_uploads(self.abandon_uploads_after, BATCH):
            if self.jobs.discard(job.id):
                self.videos.delete(job.id)
                _repaired("upload abandoned", job)


def _repaired(rule: str, job: Job) -> None:
    repairs.labels(rule).inc()
    log.info("repaired", rule=rule, job_id=job.id, request_id=job.request_id, state=job.state)


def main() -> int:
    """Run until SIGTERM; return the process's exit status."""
    try:
        settings = Settings.read()
    except InvalidSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("reconciler", settings.log_level, settings.log_format)
    client = mongodb.connect(settings.mongodb_url.get_secret_value())
    url = settings.rabbitmq_url.get_secret_value()
    publisher = Publisher(url, "reconciler")
    jobs, videos, mp3s = Jobs(client, settings.timing), Blobs(client, "videos"), Blobs(client, "mp3s")
    reconciler = Reconciler(
        jobs,
        videos,
        publisher,
        lambda name: broker.depth(url, name),
        settings.abandon_uploads_after,
        settings.ring_again_after,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    heartbeat = admin.Heartbeat()
    checks = {"mongodb": lambda: mongodb.ping(client), "rabbitmq": publisher.check}
    admin.serve(settings.admin_host, settings.admin_port, checks=checks, heartbeat=heartbeat)
    indexed = False
    while not stop.is_set():
        heartbeat.tick()
        try:
            if not indexed:
                for store in (jobs, videos, mp3s):
                    store.ensure_indexes()
                indexed = True
            reconciler.run_once()
        except (StoreUnavailable, StoreRefused, BrokerUnavailable) as error:
            log.warning("this pass is left unfinished", reason=str(error))
        stop.wait(settings.reconcile_every.total_seconds())
    publisher.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
