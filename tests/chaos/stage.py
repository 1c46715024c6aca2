"""Jobs in any state one wants, made by acting as the process that would have left them so."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from pipeline import broker, mongodb
from pipeline.appending import Appender, PartialBlobs
from pipeline.doorbell import Doorbell
from pipeline.files import Blobs
from pipeline.idempotency import IdempotencyKeys
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import now
from pipeline.options import Options
from pipeline.timing import Timing
from pipeline.upload_store import Description, UploadStore
from tests.chaos.suite import SHORT, ChaosStack

NOBODY = "nobody"
ERROR = {"code": "not_media", "message": "It is no video.", "hint": "Send a video.", "retryable": False}
LONG_AGO = timedelta(days=1000)


class Stage:
    """Makes jobs of one owner; `video` is what they are of."""

    def __init__(self, stack: ChaosStack, video: bytes) -> None:
        self._video = video
        self._rabbitmq_url = stack.direct("rabbitmq")
        self._client = mongodb.connect(stack.direct("mongodb"))
        self._documents = self._client["jobs"]["jobs"]
        lease, mail = (timedelta(seconds=float(SHORT[name])) for name in ("LEASE", "MAIL_LEASE"))
        second = timedelta(seconds=1)
        self.jobs = Jobs(self._client, Timing(lease, mail, clock_skew=second, retry_delay=second))
        self.keys = IdempotencyKeys(self._client)
        self._videos = Blobs(self._client, "videos")
        self._uploads = UploadStore(self._client, timedelta(days=1))
        self._uploads_documents = self._client["jobs"]["uploads"]
        self._partial = PartialBlobs(self._client, "videos")

    def uploading(self, owner: str, *, old: bool = False) -> Job:
        """Store a video and leave it at that."""
        job = self.jobs.begin_upload(
            owner, filename="staged.mp4", content_type="video/mp4", options={}, request_id="staged"
        )
        if old:
            self._change(job.id, created_at=now() - LONG_AGO)
        with self._videos.create(job.id, "staged.mp4", owner=owner) as blob:
            blob.write(self._video)
        self._blob = blob
        return job

    def queued(self, owner: str) -> Job:
        """Store a video and queue its job; the bell is due."""
        job = self.uploading(owner)
        return self._made(self.jobs.queue(job.id, size=self._blob.size, sha256=self._blob.sha256, options={}))

    def unheard(self, owner: str) -> Job:
        """A queued job whose message got lost long ago."""
        job = self.queued(owner)
        self.jobs.mark_rung(job, "video")
        self._change(job.id, **{"doorbell.video.rung_at": now() - timedelta(hours=1)})
        return job

    def converting(self, owner: str, *, lapsed: bool = False) -> Job:
        """A job in the hands of a converter that is no more."""
        job = self._made(self.jobs.claim(self.queued(owner).id, NOBODY))
        if lapsed:
            self._change(job.id, **{"lease.until": now() - timedelta(hours=1)})
        return job

    def delayed(self, owner: str) -> Job:
        """A job that is tried again in a moment."""
        job = self.converting(owner)
        return self._made(self.jobs.retry_later(job.claimed, 1))

    def failed(self, owner: str, *, ended: timedelta | None = None) -> Job:
        """A job that failed, now or some time ago; then its owner was told, and else its mail is due."""
        job = self._made(self.jobs.fail(self.converting(owner).claimed, ERROR))
        if ended is not None:
            self._change(job.id, ended_at=now() - ended, **{"notice.state": "sent"})
        return job

    def done(self, owner: str, *, ended: timedelta) -> Job:
        """A job that was done some time ago; there is no MP3."""
        job = self.converting(owner)
        result = {"blob": job.claimed.blob_id, "size": 0, "sha256": "", "duration": 0.0, "complete": True}
        job = self._made(self.jobs.finish(job.claimed, {**result, "warnings": []}))
        self._change(job.id, ended_at=now() - ended, **{"notice.state": "sent"})
        return job

    def half_told(self, owner: str) -> Job:
        """A failed job whose mail a sender had in hand that is no more."""
        job = self._made(self.jobs.claim_notice(self.failed(owner).id))
        self._change(job.id, **{"notice.until": now() - timedelta(hours=1)})
        return job

    def expired(self, owner: str) -> Job:
        """A job whose files are gone."""
        return self._made(self.jobs.expire(self.failed(owner, ended=LONG_AGO)))

    def dead_letter(self, job: Job) -> None:
        """Put a job's message where those go that nobody understood."""
        with broker.opened(self._rabbitmq_url, "stage") as channel:
            channel.basic_publish("", "video.dlq", Doorbell.of(job).encode())

    def remembered(self, owner: str) -> str:
        """Return an idempotency key whose job is gone."""
        key = uuid4().hex
        self.keys.remember(owner, key, [uuid4().hex], "")
        return key

    def held(self, upload_id: str) -> None:
        """Leave an upload in the hands of a gateway that is no more."""
        self._uploads_documents.update_one(
            {"_id": upload_id}, {"$set": {"held": True}, "$inc": {"generation": 1}}
        )

    def part_of_upload(self, owner: str, *, complete: bool = False) -> None:
        """A resumable upload that nobody went on with, or whose last request died before it made the job."""
        told = Description(len(self._video), "staged.mp4", "video/mp4", Options().as_document(), "")
        upload = self._uploads.create(owner, told, "staged")
        self.jobs.begin_upload(
            owner,
            filename="staged.mp4",
            content_type="video/mp4",
            options={},
            request_id="r",
            upload_id=upload.id,
        )
        claimed = self._uploads.claim(upload)
        if claimed is None:
            raise Overtaken
        appender = Appender(self._uploads, self._partial, claimed)
        appender.write(self._video if complete else self._video[:1000])
        appender.save(release=True)
        appender.close()
        long_ago = {"updated_at": now() - LONG_AGO} if complete else {"expires_at": now() - LONG_AGO}
        self._uploads_documents.update_one({"_id": upload.id}, {"$set": long_ago})

    def _change(self, job_id: str, **values: Any) -> None:
        self._documents.update_one({"_id": job_id}, {"$set": values})

    def _made(self, job: Job | None) -> Job:
        if job is None:
            raise Overtaken
        return job


class Overtaken(Exception):
    """A process of the suite was faster; once more, then."""
