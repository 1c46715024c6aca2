"""Mend what a crash or an outage left, and clear up what nobody needs any more."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from gateway.settings import Settings
from gateway.upkeep.gauges import Gauges
from gateway.upkeep.retention import Retention
from gateway.upkeep.rules import Rule, apply_all
from gateway.upkeep.sweep import Sweep
from gateway.upkeep.unfinished import Unfinished
from gateway.uploads.ending import Ending
from gateway.uploads.queueing import Queueing
from pipeline import broker
from pipeline.appending import PartialBlobs
from pipeline.deliveries import Deliveries
from pipeline.doorbell import Publishes, ring
from pipeline.endpoints import Endpoints
from pipeline.feeds import Feeds
from pipeline.files import Blobs
from pipeline.job import Bell, Job
from pipeline.jobs import Jobs
from pipeline.mongodb import Client
from pipeline.shares import ShareLinks
from pipeline.upload_store import UploadStore

BATCH = 100
BELLS: tuple[Bell, ...] = ("video", "mp3")


@dataclass(frozen=True, slots=True)
class Bells:
    """Rings what should have rung; `depth` tells how many messages wait in a queue."""

    jobs: Jobs
    publisher: Publishes
    depth: Callable[[str], int]
    ring_again_after: timedelta

    def rules(self) -> list[Rule[Job]]:
        """Return the rules: lost bells become due again, and all that are due are rung."""
        lost = [Rule(f"{b} bell lost", partial(self._lost, b), partial(self._due_again, b)) for b in BELLS]
        due = [Rule(f"{b} bell due", partial(self.jobs.due, b, BATCH), partial(self._ring, b)) for b in BELLS]
        return [*lost, *due]

    def _lost(self, bell: Bell) -> list[Job]:
        """Return the oldest of the jobs that wait, as many as have no message in the queue.

        A message for one converts any of them, so only their number matters.  One message too many
        costs a look at the queue.
        """
        found = self.jobs.unanswered(bell, self.ring_again_after, BATCH)
        missing = self.jobs.rung(bell) - self.depth(bell) if found else 0
        return found[: max(missing, 0)]

    def _due_again(self, bell: Bell, job: Job) -> object:
        return self.jobs.ring_again(job, bell)

    def _ring(self, bell: Bell, job: Job) -> bool:
        ring(self.jobs, self.publisher, job, bell)
        return True


def lease_rules(jobs: Jobs) -> list[Rule[Job]]:
    """Return the rules by which jobs and mails are taken back from holders that let their lease end."""
    return [
        Rule("lease expired", partial(jobs.abandoned, BATCH), jobs.take_back),
        Rule("mail abandoned", partial(jobs.unsent, BATCH), jobs.take_back_notice),
    ]


class Reconciler:
    """Every rule, in the order in which one makes work for the next."""

    def __init__(self, settings: Settings, client: Client, publisher: Publishes) -> None:
        jobs, videos, mp3s = Jobs(client, settings.timing), Blobs(client, "videos"), Blobs(client, "mp3s")
        uploads = UploadStore(client, settings.abandon_uploads_after)
        told = Endpoints(client), Deliveries(client), ShareLinks(client), Feeds(client)
        self._stores = (jobs, videos, mp3s, uploads, *told)
        url = settings.rabbitmq_url.get_secret_value()
        bells = Bells(jobs, publisher, partial(broker.depth, url), settings.ring_again_after)
        retention = Retention(jobs, videos, mp3s, settings)
        ending = Ending(uploads, PartialBlobs(client, "videos"), Queueing(jobs, videos, publisher))
        self._rules = [*lease_rules(jobs), *bells.rules(), *retention.rules(BATCH)]
        self._upload_rules = Unfinished(uploads, ending).rules(BATCH)
        self._sweep = [Sweep(jobs, videos, mp3s).rule()]
        self._sweep_every = settings.sweep_every.total_seconds()
        self._sweep_at = time.monotonic()
        self._gauges = Gauges(jobs)
        self._indexed = False

    def run_once(self, tick: Callable[[], None]) -> None:
        """Apply every rule; the sweep, which looks at everything, only when it is due.

        Raises:
            StoreUnavailable, StoreRefused: MongoDB is away, or lets nobody create indexes.
        """
        if not self._indexed:
            for store in self._stores:
                store.ensure_indexes()
            self._indexed = True
        apply_all(self._rules, tick)
        apply_all(self._upload_rules, tick)
        self._gauges.refresh()
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + self._sweep_every
            apply_all(self._sweep, tick)
