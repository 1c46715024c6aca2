"""What the routes work with, put together once in `app`."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from flask import current_app, g

from gateway import problems
from gateway.door.shares import Shares
from gateway.jobs.changes import Changes
from gateway.jobs.watch import Watch
from gateway.settings import Settings
from gateway.upkeep.doctor import Check
from gateway.uploads.resumable import Resumable
from gateway.uploads.uploads import Uploads
from pipeline.broker import BrokerUnavailable
from pipeline.dead_letters import DeadLetters
from pipeline.deliveries import Deliveries, spread
from pipeline.doorbell import Publishes, ring
from pipeline.endpoints import Endpoints
from pipeline.feeds import Feeds
from pipeline.files import Blobs
from pipeline.job import Bell, Job
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.shares import ShareLinks


@dataclass(frozen=True, slots=True)
class Collaborators:
    """The servers and stores behind the gateway."""

    settings: Settings
    jobs: Jobs
    videos: Blobs
    mp3s: Blobs
    publisher: Publishes
    uploads: Uploads
    resumable: Resumable
    watch: Watch
    changes: Changes
    downloads: Shares
    streams: Shares
    dead_letters: DeadLetters
    checks: Sequence[Check]
    endpoints: Endpoints
    deliveries: Deliveries
    share_links: ShareLinks
    feeds: Feeds

    def ring(self, job: Job, bell: Bell = "video") -> None:
        """Ring a bell that is due; if that fails now, the reconciler rings it."""
        with suppress(BrokerUnavailable, StoreUnavailable, StoreRefused):
            ring(self.jobs, self.publisher, job, bell)

    def spread(self, job: Job) -> None:
        """Make deliveries of what happened to a job, before it is deleted."""
        spread(job, self.jobs, self.endpoints, self.deliveries)


def use() -> Collaborators:
    """Return the collaborators of the application that answers now."""
    collaborators: Collaborators = current_app.extensions["gateway"]
    return collaborators


def own_jobs(job_ids: Sequence[str]) -> list[Job]:
    """Return these jobs of the caller's, in this order.

    Raises:
        Problem: one of them is unknown, or somebody else's.
    """
    found = use().jobs.among(job_ids)
    jobs = [found[job_id] for job_id in job_ids if job_id in found]
    if len(jobs) < len(job_ids) or any(job.owner != g.identity.username for job in jobs):
        raise problems.no_such_job()
    return jobs


def own_job(job_id: str) -> Job:
    """Return the caller's job: fetching and permission are one step, so no view can forget the second.

    Raises:
        Problem: there is none with this id, or it is somebody else's.
    """
    job = use().jobs.find(job_id, g.identity.username)
    if job is None:
        raise problems.no_such_job()
    return job
