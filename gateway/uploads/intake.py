"""The files of one request on their way into the blob store.

A file is never in memory as a whole, and never in a temporary file.  Either every file of a request
becomes a queued job, or nothing is left of any.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chassis import logs
from chassis.web import Problem
from gateway import problems
from gateway.uploads import names
from gateway.uploads import problems as upload_problems
from gateway.uploads.forms import Sink
from gateway.uploads.sniffing import HEAD_BYTES, not_media
from pipeline.files import BlobWriter
from pipeline.job import Job
from pipeline.options import Options

if TYPE_CHECKING:
    from gateway.uploads.uploads import Terms, Uploads

log = logs.get(__name__)


class Intake:
    """Makes a job of each file, and queues them when all have arrived."""

    def __init__(self, uploads: "Uploads", owner: str, request_id: str, terms: "Terms") -> None:
        self.terms = terms
        self._uploads = uploads
        self._owner = owner
        self._request_id = request_id
        self._incoming: list[_Incoming] = []

    def open(self, filename: str, content_type: str) -> Sink:
        """Begin the next file."""
        if not filename:
            return _Nothing()
        if len(self._incoming) >= self.terms.max_files:
            raise self._wrong_number()
        name = names.clean(filename)
        job = self._uploads.jobs.begin_upload(
            self._owner, filename=name, content_type=content_type, options={}, request_id=self._request_id
        )
        writer = self._uploads.videos.create(
            job.id, name, owner=self._owner, content_type=content_type, original_filename=filename
        )
        self._incoming.append(_Incoming(job, writer, self._uploads.max_bytes, sniffed=self.terms.strict))
        return self._incoming[-1]

    def queue(self, options: Options, key: str | None) -> list[Job]:
        """Return the jobs of the files, queued; or those that another request with the key made first."""
        if not self._incoming:
            raise self._wrong_number()
        if key is not None and (others := self._made_by_another(options, key)):
            return others
        stored = [(incoming.job.id, incoming.writer) for incoming in self._incoming]
        jobs = [
            self._uploads.queue(job_id, size=blob.size, sha256=blob.sha256, options=options)
            for job_id, blob in stored
        ]
        for job in jobs:
            self._uploads.ring(job)
        return jobs

    def undo(self) -> None:
        """Leave nothing behind; what cannot be removed now the reconciler removes later."""
        for incoming in self._incoming:
            job_id = incoming.job.id
            try:
                if self._uploads.jobs.discard(job_id) or self._uploads.jobs.get(job_id) is None:
                    incoming.writer.abort()
            except Exception as error:  # noqa: BLE001 - the first error is the one to answer with
                log.warning("the reconciler will clear up", job_id=job_id, reason=str(error))

    def _made_by_another(self, options: Options, key: str) -> list[Job]:
        ids = [incoming.job.id for incoming in self._incoming]
        fingerprint = fingerprint_of([incoming.writer.sha256 for incoming in self._incoming], options)
        known = self._uploads.keys.remember(self._owner, key, ids, fingerprint)
        if list(known.job_ids) == ids:
            return []
        if known.fingerprint != fingerprint:
            raise upload_problems.key_used_otherwise()
        self.undo()
        made = self._uploads.made(self._owner, known)
        if not made:
            raise problems.busy()
        return self._uploads.finished(made, options)

    def _wrong_number(self) -> Problem:
        if self.terms.max_files == 1 and self.terms.name is None:
            return upload_problems.exactly_one_file()
        return upload_problems.wrong_number_of_files(len(self._incoming), self.terms.max_files)


@dataclass(slots=True)
class _Incoming:
    """One file on its way in."""

    job: Job
    writer: BlobWriter
    max_bytes: int
    sniffed: bool
    _head: bytes = b""

    def write(self, data: bytes) -> None:
        if self.writer.size + len(data) > self.max_bytes:
            raise upload_problems.too_large(self.max_bytes)
        if self.sniffed and len(self._head) < HEAD_BYTES:
            self._head = (self._head + data)[:HEAD_BYTES]
            if len(self._head) == HEAD_BYTES:
                self._sniff()
        self.writer.write(data)

    def close(self) -> None:
        if self.sniffed and len(self._head) < HEAD_BYTES:
            self._sniff()
        self.writer.commit()

    def _sniff(self) -> None:
        looks_like = not_media(self._head)
        if looks_like is not None:
            raise upload_problems.not_media(looks_like)


class _Nothing:
    """What a browser sends for a file field that was left empty: no name and no bytes."""

    def write(self, data: bytes) -> None:
        if data:
            raise upload_problems.malformed_upload("a file has no name")

    def close(self) -> None:
        """Take the end of nothing."""


@dataclass(slots=True)
class Fingerprints:
    """Takes files as an intake does, and keeps nothing but what tells them apart."""

    _digests: list[str] = field(default_factory=list)

    def open(self, filename: str, content_type: str) -> Sink:
        """Begin the next file."""
        del content_type
        return _Digest(self._digests) if filename else _Nothing()

    def of(self, options: Options) -> str:
        """Return the fingerprint of the files so far, converted with these options."""
        return fingerprint_of(self._digests, options)


class _Digest:
    def __init__(self, digests: list[str]) -> None:
        self._digests = digests
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._hash.update(data)

    def close(self) -> None:
        self._digests.append(self._hash.hexdigest())


def fingerprint_of(digests: Sequence[str], options: Options) -> str:
    """Return one text for the same files with the same options, and another for any others."""
    return hashlib.sha256(json.dumps([list(digests), options.as_document()]).encode()).hexdigest()
