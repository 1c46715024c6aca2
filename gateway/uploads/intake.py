"""The files of one request on their way into the blob store.

A file is never in memory as a whole, and never in a temporary file.  Either every file of a request
becomes a queued job, or nothing is left of any.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chassis import logs
from chassis.problem import Problem
from gateway import problems
from gateway.uploads import names
from gateway.uploads import problems as upload_problems
from gateway.uploads.fingerprints import fingerprint_of
from gateway.uploads.forms import Nothing, Sink
from gateway.uploads.queueing import Queueing
from gateway.uploads.sniffing import NotMedia, Sniffer
from gateway.uploads.terms import Terms
from pipeline.files import BlobWriter
from pipeline.idempotency import IdempotencyKeys
from pipeline.job import Job
from pipeline.options import Options

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose upload it is, and which request brought it."""

    owner: str
    request_id: str


class Intake:
    """Makes a job of each file, and queues them when all have arrived."""

    def __init__(
        self, queueing: Queueing, keys: IdempotencyKeys, origin: Origin, terms: Terms, max_bytes: int
    ) -> None:
        self._queueing = queueing
        self._keys = keys
        self._origin = origin
        self._terms = terms
        self._max_bytes = max_bytes
        self._incoming: list[_Incoming] = []

    def open(self, filename: str, content_type: str) -> Sink:
        """Begin the next file."""
        if not filename:
            return Nothing()
        if len(self._incoming) >= self._terms.max_files:
            raise self._wrong_number()
        name, content_type = names.clean(filename), names.media_type(content_type)
        job = self._queueing.jobs.begin_upload(
            self._origin.owner,
            filename=name,
            content_type=content_type,
            options={},
            request_id=self._origin.request_id,
        )
        writer = self._queueing.videos.create(
            job.id,
            name,
            owner=self._origin.owner,
            content_type=content_type,
            original_filename=filename[: names.MAX_GIVEN],
        )
        self._incoming.append(
            _Incoming(job, writer, self._max_bytes, Sniffer() if self._terms.strict else None)
        )
        return self._incoming[-1]

    def queue(self, options: Options, key: str | None) -> list[Job]:
        """Return the jobs of the files, queued; or those that another request with the key made first."""
        if not self._incoming:
            raise self._wrong_number()
        if key is not None and (others := self._made_by_another(options, key)):
            return others
        stored = [(incoming.job.id, incoming.writer) for incoming in self._incoming]
        jobs = [
            self._queueing.queue(job_id, size=blob.size, sha256=blob.sha256, options=options)
            for job_id, blob in stored
        ]
        for job in jobs:
            self._queueing.ring(job)
        return jobs

    def undo(self) -> None:
        """Leave nothing behind; what cannot be removed now the reconciler removes later."""
        for incoming in self._incoming:
            job_id = incoming.job.id
            try:
                if self._queueing.jobs.discard(job_id) or self._queueing.jobs.get(job_id) is None:
                    incoming.writer.abort()
            except Exception as error:  # noqa: BLE001 - the first error is the one to answer with
                log.warning("cleaning up is left to the reconciler", job_id=job_id, reason=str(error))

    def _made_by_another(self, options: Options, key: str) -> list[Job]:
        ids = [incoming.job.id for incoming in self._incoming]
        fingerprint = fingerprint_of([incoming.writer.sha256 for incoming in self._incoming], options)
        known = self._keys.remember(self._origin.owner, key, ids, fingerprint)
        if list(known.job_ids) == ids:
            return []
        if known.fingerprint != fingerprint:
            raise upload_problems.key_used_otherwise()
        self.undo()
        made = self._queueing.made(self._origin.owner, known)
        if not made:
            raise problems.busy()
        return self._queueing.finished(made, options)

    def _wrong_number(self) -> Problem:
        if self._terms.max_files == 1 and self._terms.name is None:
            return upload_problems.exactly_one_file()
        return upload_problems.wrong_number_of_files(len(self._incoming), self._terms.max_files)


@dataclass(slots=True)
class _Incoming:
    """One file on its way in."""

    job: Job
    writer: BlobWriter
    max_bytes: int
    sniffer: Sniffer | None

    def write(self, data: bytes) -> None:
        if self.writer.size + len(data) > self.max_bytes:
            raise problems.too_large(self.max_bytes)
        if self.sniffer is not None:
            with _refused():
                self.sniffer.take(data)
        self.writer.write(data)

    def close(self) -> None:
        if self.sniffer is not None:
            with _refused():
                self.sniffer.end()
        self.writer.commit()


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except NotMedia as error:
        raise upload_problems.not_media(error.looks_like) from None
