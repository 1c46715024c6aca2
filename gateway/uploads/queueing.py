"""Queue the jobs of stored files: once, whichever of several requests with one key comes to it first."""

from dataclasses import dataclass

from chassis import logs
from gateway import problems
from pipeline.broker import BrokerUnavailable
from pipeline.doorbell import Publishes, ring
from pipeline.files import Blobs, NoSuchBlob
from pipeline.idempotency import Remembered
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreUnavailable
from pipeline.options import Options

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Queueing:
    """The last step of every upload."""

    jobs: Jobs
    videos: Blobs
    publisher: Publishes

    def made(self, owner: str, known: Remembered) -> list[Job]:
        """Return the jobs of a key, none when one of them is gone."""
        jobs = [job for job_id in known.job_ids if (job := self.jobs.find(job_id, owner)) is not None]
        return jobs if len(jobs) == len(known.job_ids) else []

    def finished(self, made: list[Job], options: Options) -> list[Job]:
        """Return the jobs of a key, queued.

        A key is remembered once its files are stored: what a request that died then did not queue,
        or one that goes on has not queued yet, is queued here.
        """
        return [self._queue_stored(job, options) if job.state == "uploading" else job for job in made]

    def queue(self, job_id: str, *, size: int, sha256: str, options: Options) -> Job:
        """Queue the job of a stored file, and return it even if another request with its key did that.

        Raises:
            Problem: the reconciler took the upload for abandoned.
            StoreUnavailable: it is not queued.
        """
        try:
            job = self.jobs.queue(job_id, size=size, sha256=sha256, options=options.as_document())
        except StoreUnavailable:
            job = self.jobs.get(job_id)  # only the answer may have been lost
            if job is None or job.state == "uploading":
                raise
        job = job or self.jobs.get(job_id)
        if job is None:
            raise problems.unavailable("the place of this upload")
        log.info("uploaded", job_id=job.id, owner=job.owner, size=size)
        return job

    def ring(self, job: Job) -> None:
        """Ring the job's bell, or leave that to the reconciler."""
        try:
            ring(self.jobs, self.publisher, job, "video")
        except (BrokerUnavailable, StoreUnavailable) as error:
            log.warning("sending the message is left to the reconciler", job_id=job.id, reason=str(error))

    def _queue_stored(self, job: Job, options: Options) -> Job:
        try:
            blob = self.videos.find(job.id)
        except NoSuchBlob:  # whoever stored it gave it up just now
            raise problems.unavailable("the place of this upload") from None
        queued = self.queue(job.id, size=blob.size, sha256=str(blob.sha256), options=options)
        self.ring(queued)
        return queued
