"""Take the files of a request, one request at a place, and turn them into queued jobs."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Request

from chassis import logs
from gateway import problems
from gateway.door.body import Body
from gateway.uploads import problems as upload_problems
from gateway.uploads.forms import OpenFile, Sink, read_form
from gateway.uploads.intake import Fingerprints, Intake
from gateway.uploads.limits import Limits
from pipeline.broker import BrokerUnavailable
from pipeline.doorbell import Publishes, ring
from pipeline.files import Blobs, NoSuchBlob
from pipeline.idempotency import IdempotencyKeys, Remembered
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreUnavailable
from pipeline.options import InvalidOption, Options

FORM_BYTES = 1024 * 1024
"""How much a form may be larger than its files: boundaries and fields."""
MAX_FILES = 20
MAX_KEY = 200

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a route takes."""

    options: Mapping[str, str]
    """Those of the query; a form's fields are added to them."""
    name: str | None = None
    """Of the file that is the whole body, where the body is no form; `None` takes forms only."""
    max_files: int = MAX_FILES
    strict: bool = True
    """Refuse options that do not exist, and files that are surely no media: the original contract
    ignores the first, and answers the second by mail."""

    def parse(self, fields: Mapping[str, str]) -> Options:
        """Return the options of the query and of these fields.

        Raises:
            Problem: one of them is not allowed.
        """
        given = {**self.options, **fields}
        if not self.strict:
            given = {name: value for name, value in given.items() if name in Options.model_fields}
        try:
            return Options.parse(given)
        except InvalidOption as error:
            raise problems.invalid_option(str(error)) from None


@dataclass(frozen=True, slots=True)
class Uploads:
    """Where uploads go: the job store, the videos and the queue; `at_once` of them at the same time."""

    jobs: Jobs
    videos: Blobs
    publisher: Publishes
    keys: IdempotencyKeys
    limits: Limits
    max_bytes: int
    at_once: int = 32
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the process is asked to end: what is under way ends well, nothing new begins."""
    _places: threading.BoundedSemaphore = field(init=False)

    def __post_init__(self) -> None:
        """Count the places."""
        object.__setattr__(self, "_places", threading.BoundedSemaphore(self.at_once))

    def receive(self, request: Request, owner: str, request_id: str, terms: Terms) -> list[Job]:
        """Store the files of a request and return their queued jobs, durable from here on.

        With an `Idempotency-Key` that made jobs before, these are returned and nothing is stored.

        Raises:
            Problem: the request is not what the terms ask for; nothing is left of it.
            StoreUnavailable: likewise.
        """
        terms.parse({})
        body, key = Body(request, self.max_bytes, FORM_BYTES), _key_of(request)
        with self._place():
            known = None if key is None else self.keys.find(owner, key)
            if key is not None and known is not None:
                made = self.made(owner, known)
                if made:
                    return self.finished(made, self._compare(request, body, terms, known))
                self.keys.forget(owner, key, known)
            self.limits.admit(owner, request.content_length)
            return self._take_in(request, body, Intake(self, owner, request_id, terms), key)

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
            log.warning("the reconciler will ring", job_id=job.id, reason=str(error))

    def _queue_stored(self, job: Job, options: Options) -> Job:
        try:
            blob = self.videos.find(job.id)
        except NoSuchBlob:  # whoever stored it gave it up just now
            raise problems.unavailable("the place of this upload") from None
        queued = self.queue(job.id, size=blob.size, sha256=str(blob.sha256), options=options)
        self.ring(queued)
        return queued

    def _take_in(self, request: Request, body: Body, intake: Intake, key: str | None) -> list[Job]:
        try:
            fields = _read(request, body, intake.open, intake.terms)
            jobs = intake.queue(intake.terms.parse(fields), key)
        except BaseException:
            intake.undo()
            raise
        return jobs

    def _compare(self, request: Request, body: Body, terms: Terms, known: Remembered) -> Options:
        fingerprints = Fingerprints()
        options = terms.parse(_read(request, body, fingerprints.open, terms))
        if fingerprints.of(options) != known.fingerprint:
            raise upload_problems.key_used_otherwise()
        return options

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self.stopping.is_set():
            raise upload_problems.stopping()
        if not self._places.acquire(blocking=False):
            raise problems.busy()
        try:
            yield
        finally:
            self._places.release()


def _read(request: Request, body: Body, open_file: OpenFile, terms: Terms) -> dict[str, str]:
    """Hand the files of a request over and return the fields beside them."""
    if request.mimetype == "multipart/form-data":
        return read_form(request, body, open_file)
    if terms.name is not None:
        sink: Sink | None = None
        for piece in body.pieces():
            sink = sink or open_file(terms.name, request.mimetype or "application/octet-stream")
            sink.write(piece)
        if sink is not None:
            sink.close()
    return {}


def _key_of(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise upload_problems.malformed_key(MAX_KEY)
    return key
