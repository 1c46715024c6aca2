"""Take one file out of a multipart body and into the blob store while it arrives.

Werkzeug's parser reads the socket in pieces of 64 KiB and hands each to the blob's writer: the file
is never in memory as a whole, and never in a temporary file.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

from chassis import logs
from chassis.broker import BrokerUnavailable
from chassis.doorbell import Publishes, ring
from chassis.files import Blobs, BlobWriter
from chassis.job import Job
from chassis.jobs import Jobs
from gateway import problems

MAX_NAME = 150
MAX_FORM_PARTS = 50
MAX_FIELDS_BYTES = 64 * 1024

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Uploads:
    """Where uploads go: the job store, the videos and the queue."""

    jobs: Jobs
    videos: Blobs
    publisher: Publishes
    max_bytes: int

    def receive(self, request: Request, owner: str, request_id: str) -> Job:
        """Store the one file of a request and return its queued job, durable from here on.

        Raises:
            Problem: when the body is not exactly one file of an allowed size; nothing is left of it.
            StoreUnavailable: likewise.
        """
        intake = _Intake(self, owner, request_id)
        try:
            intake.read(request)
            job = intake.finish()
        except BaseException:
            intake.undo()
            raise
        self._ring(job)
        return job

    def _ring(self, job: Job) -> None:
        try:
            ring(self.jobs, self.publisher, job, "video")
        except BrokerUnavailable as error:
            log.warning("the reconciler will ring", job_id=job.id, reason=str(error))


class _Intake:
    """One upload on its way in."""

    def __init__(self, uploads: Uploads, owner: str, request_id: str) -> None:
        self._uploads = uploads
        self._owner = owner
        self._request_id = request_id
        self._job: Job | None = None
        self._sink: _Sink | None = None

    def read(self, request: Request) -> None:
        parser = FormDataParser(
            stream_factory=self._open,
            max_form_memory_size=MAX_FIELDS_BYTES,
            max_form_parts=MAX_FORM_PARTS,
            silent=False,
        )
        try:
            parser.parse(request.stream, request.mimetype, request.content_length, request.mimetype_params)
        except HTTPException:
            raise  # too large, or the client went away: Werkzeug's own words
        except ValueError as error:
            raise problems.malformed_upload(str(error)) from None

    def finish(self) -> Job:
        if self._job is None or self._sink is None:
            raise problems.exactly_one_file()
        writer = self._sink.writer
        writer.commit()
        job = self._uploads.jobs.queue(self._job.id, size=writer.size, sha256=writer.sha256, options={})
        if job is None:
            raise problems.unavailable("the place of this upload")
        log.info("uploaded", job_id=job.id, owner=self._owner, size=writer.size)
        return job

    def undo(self) -> None:
        """Leave nothing behind; what cannot be removed now the reconciler removes later."""
        if self._job is None or self._sink is None:
            return
        try:
            if self._uploads.jobs.discard(self._job.id):
                self._sink.writer.abort()
        except Exception as error:  # noqa: BLE001 - the first error is the one to answer with
            log.warning("the reconciler will clear up", job_id=self._job.id, reason=str(error))

    def _open(
        self,
        total_content_length: int | None,  # noqa: ARG002 - Werkzeug's signature
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,  # noqa: ARG002 - Werkzeug's signature
    ) -> IO[bytes]:
        if self._job is not None:
            raise problems.exactly_one_file()
        name = clean_name(filename or "")
        self._job = self._uploads.jobs.begin_upload(
            self._owner,
            filename=name,
            content_type=content_type or "application/octet-stream",
            options={},
            request_id=self._request_id,
        )
        metadata: Mapping[str, Any] = {"owner": self._owner, "content_type": content_type}
        writer = self._uploads.videos.create(self._job.id, name, **metadata)
        self._sink = _Sink(writer, self._uploads.max_bytes)
        return cast("IO[bytes]", self._sink)  # the parser calls write and seek, and nothing else


class _Sink:
    """What the parser takes for a temporary file."""

    def __init__(self, writer: BlobWriter, limit: int) -> None:
        self.writer = writer
        self._limit = limit

    def write(self, data: bytes) -> int:
        if self.writer.size + len(data) > self._limit:
            raise problems.too_large(self._limit)
        return self.writer.write(data)

    def seek(self, offset: int) -> int:
        """Accept the parser's rewinding at the end of the file; there is nothing to read back."""
        return offset

    def close(self) -> None:
        """Accept the parser's closing; `finish` decides whether the blob comes to be."""


def clean_name(name: str) -> str:
    """Return a file name fit for a header and a mail: no path, no control or direction characters."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip(". ")
    return name[:MAX_NAME] or "video"
