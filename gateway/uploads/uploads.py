"""Take the files of a request, one request at a place, and turn them into queued jobs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Request

from gateway import problems
from gateway.door.body import Body
from gateway.door.shares import Shares
from gateway.uploads import problems as upload_problems
from gateway.uploads.fingerprints import Fingerprints
from gateway.uploads.forms import read_files
from gateway.uploads.intake import Intake, Origin
from gateway.uploads.limits import Limits
from gateway.uploads.queueing import Queueing
from gateway.uploads.terms import Terms
from pipeline.idempotency import IdempotencyKeys, Remembered
from pipeline.job import Job
from pipeline.options import Options

FORM_BYTES = 1024 * 1024
"""How much a form may be larger than its files: boundaries and fields."""
MAX_KEY = 200
UNDO_AT_ONCE = 4
"""When many uploads break off at the same moment, what is left of them must not fill the store's queue."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """Where uploads go: `at_once` of them at the same time."""

    queueing: Queueing
    keys: IdempotencyKeys
    limits: Limits
    max_bytes: int
    at_once: int
    shares: Shares
    stopping: threading.Event
    """Set when the process is asked to end: what is under way ends well, nothing new begins."""
    _places: threading.BoundedSemaphore = field(init=False)
    _undoing: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """Count the places."""
        object.__setattr__(self, "_places", threading.BoundedSemaphore(self.at_once))
        object.__setattr__(self, "_undoing", threading.Semaphore(UNDO_AT_ONCE))

    def receive(self, request: Request, owner: str, request_id: str, terms: Terms) -> list[Job]:
        """Store the files of a request and return their queued jobs, durable from here on.

        With an `Idempotency-Key` that made jobs before, these are returned and nothing is stored.

        Raises:
            Problem: the request is not what the terms ask for; nothing is left of it.
            StoreUnavailable: likewise.
        """
        terms.parse({})
        body, key = Body(request, self.max_bytes, FORM_BYTES), key_of(request)
        with self.place(owner, request.remote_addr or ""):
            if key is not None and (known := self.keys.find(owner, key)) is not None:
                if made := self.queueing.made(owner, known):
                    return self.queueing.finished(made, _compare(request, body, terms, known))
                self.keys.forget(owner, key, known)
            self.limits.admit(owner, request.content_length)
            intake = Intake(self.queueing, self.keys, Origin(owner, request_id), terms, self.max_bytes)
            try:
                fields = read_files(request, body, intake.open, terms.name)
                return intake.queue(terms.parse(fields), key)
            except BaseException:
                with self._undoing:
                    intake.undo()
                raise

    @contextmanager
    def place(self, owner: str, address: str) -> Iterator[None]:
        """Take one of the places, and of the shares of the owner and the address.

        Raises:
            Problem: there is none, or the process is asked to end.
        """
        if self.stopping.is_set():
            raise upload_problems.stopping()
        if not self._places.acquire(blocking=False):
            raise problems.busy()
        try:
            with self.shares.taken(owner, address):
                yield
        finally:
            self._places.release()


def _compare(request: Request, body: Body, terms: Terms, known: Remembered) -> Options:
    """Return the options of a request whose key is known, if it holds what the first one held."""
    fingerprints = Fingerprints()
    options = terms.parse(read_files(request, body, fingerprints.open, terms.name))
    if fingerprints.of(options) != known.fingerprint:
        raise upload_problems.key_used_otherwise()
    return options


def key_of(request: Request) -> str | None:
    """Return the `Idempotency-Key` of a request, if it has one.

    Raises:
        Problem: it is no key.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise upload_problems.malformed_key(MAX_KEY)
    return key
