"""How resumable uploads end: as a job, once, whoever comes to it and however often; or as nothing."""

from dataclasses import dataclass, field

from gateway.uploads.digests import Digests
from gateway.uploads.queueing import Queueing
from pipeline.appending import PartialBlobs
from pipeline.files import BlobDamaged
from pipeline.job import Job
from pipeline.options import Options
from pipeline.upload_store import Upload, UploadStore


@dataclass(frozen=True, slots=True)
class Ending:
    """The last step of every resumable upload; each may be repeated, after a crash or by two at once."""

    store: UploadStore
    blobs: PartialBlobs
    queueing: Queueing
    digests: Digests = field(default_factory=Digests)

    def seal(self, upload: Upload) -> Job | None:
        """Queue the job of a complete upload and return it, as it is if that was done before.

        Raises:
            StoreUnavailable: it is not queued.
        """
        job = self.queueing.jobs.get(upload.id)
        if job is not None and job.state == "uploading":
            job = self._queue(upload)
        self.store.mark_queued(upload)
        return job

    def _queue(self, upload: Upload) -> Job | None:
        blob = self.blobs.trim(upload)
        try:
            sha256 = self.digests.of(upload, lambda start: self.queueing.videos.read(blob, start))
        except BlobDamaged:  # somebody else has sealed it since, and the job's owner deleted it
            job = self.queueing.jobs.get(upload.id)
            if job is not None and job.state == "uploading":
                raise
            return job
        self.blobs.commit(blob, sha256)
        options = Options.model_validate(upload.options)
        job = self.queueing.queue(upload.id, size=blob.size, sha256=sha256, options=options)
        if job.state == "queued":
            self.queueing.ring(job)
        return job

    def clear_up(self, upload: Upload) -> None:
        """Leave nothing of an upload that was terminated."""
        self.queueing.jobs.discard(upload.id)
        self.queueing.videos.delete(upload.id)
        self.store.forget(upload)
