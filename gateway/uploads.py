"""Take the files of a request into the blob store while they arrive, and queue their conversion.

A file is never in memory as a whole, and never in a temporary file.  Either every file of a request
becomes a queued job, or nothing is left of any.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass, field

from flask import Request

from chassis import logs
from chassis.broker import BrokerUnavailable
from chassis.doorbell import Publishes, ring
from chassis.files import Blobs, BlobWriter
from chassis.job import Job
from chassis.jobs import Jobs
from chassis.mongodb import StoreUnavailable
from gateway import names, problems
from gateway.body import Body
from gateway.forms import read_form

FORM_BYTES = 1024 * 1024
"""How much a form may be larger than its file: boundaries and fields."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Uploads:
    """Where uploads go: the job store, the videos and the queue; `at_once` of them at the same time."""

    jobs: Jobs
    videos: Blobs
    publisher: Publishes
    max_bytes: int
    at_once: int = 32
    _places: threading.BoundedSemaphore = field(init=False)

    def __post_init__(self) -> None:
        """Count the places."""
        object.__setattr__(self, "_places", threading.BoundedSemaphore(self.at_once))

    def receive(self, request: Request, owner: str, request_id: str) -> Job:
        """Store the one file of a form and return its queued job, durable from here on.

        Raises:
            Problem: when the body is not exactly one file of an allowed size; nothing is left of it.
            StoreUnavailable: likewise.
        """
        if not self._places.acquire(blocking=False):
            raise problems.busy()
        try:
            return self._receive(request, owner, request_id)
        finally:
            self._places.release()

    def _receive(self, request: Request, owner: str, request_id: str) -> Job:
        intake = _Intake(self, owner, request_id)
        try:
            if request.mimetype == "multipart/form-data":
                read_form(request, Body(request, self.max_bytes, FORM_BYTES), intake.open)
            job = intake.queue()
        except BaseException:
            intake.undo()
            raise
        with suppress(BrokerUnavailable):  # the reconciler rings
            ring(self.jobs, self.publisher, job, "video")
        return job


class _Intake:
    """The files of one request on their way in."""

    def __init__(self, uploads: Uploads, owner: str, request_id: str) -> None:
        self._uploads = uploads
        self._owner = owner
        self._request_id = request_id
        self._incoming: _Incoming | None = None

    def open(self, filename: str, content_type: str) -> "_Incoming | _Nothing":
        """Begin the next file."""
        if not filename:
            return _Nothing()
        if self._incoming is not None:
            raise problems.exactly_one_file()
        name = names.clean(filename)
        job = self._uploads.jobs.begin_upload(
            self._owner, filename=name, content_type=content_type, options={}, request_id=self._request_id
        )
        writer = self._uploads.videos.create(
            job.id, name, owner=self._owner, content_type=content_type, original_filename=filename
        )
        self._incoming = _Incoming(job, writer, self._uploads.max_bytes)
        return self._incoming

    def queue(self) -> Job:
        """Return the job of the file, queued."""
        if self._incoming is None:
            raise problems.exactly_one_file()
        return self._queue(self._incoming)

    def _queue(self, incoming: "_Incoming") -> Job:
        jobs, writer = self._uploads.jobs, incoming.writer
        try:
            job = jobs.queue(incoming.job.id, size=writer.size, sha256=writer.sha256, options={})
        except StoreUnavailable:
            job = jobs.get(incoming.job.id)  # only the answer may have been lost
            if job is None or job.state == "uploading":
                raise
        if job is None:
            raise problems.unavailable("the place of this upload")
        log.info("uploaded", job_id=job.id, owner=self._owner, size=writer.size)
        return job

    def undo(self) -> None:
        """Leave nothing behind; what cannot be removed now the reconciler removes later."""
        if self._incoming is None:
            return
        job_id = self._incoming.job.id
        try:
            if self._uploads.jobs.discard(job_id) or self._uploads.jobs.get(job_id) is None:
                self._incoming.writer.abort()
        except Exception as error:  # noqa: BLE001 - the first error is the one to answer with
            log.warning("the reconciler will clear up", job_id=job_id, reason=str(error))


@dataclass(frozen=True, slots=True)
class _Incoming:
    """One file on its way in."""

    job: Job
    writer: BlobWriter
    max_bytes: int

    def write(self, data: bytes) -> None:
        if self.writer.size + len(data) > self.max_bytes:
            raise problems.too_large(self.max_bytes)
        self.writer.write(data)

    def close(self) -> None:
        self.writer.commit()


class _Nothing:
    """What a browser sends for a file field that was left empty: no name and no bytes."""

    def write(self, data: bytes) -> None:
        if data:
            raise problems.malformed_upload("a file has no name")

    def close(self) -> None:
        """Take the end of nothing."""
