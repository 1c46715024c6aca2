"""Uploads that come in pieces, over several requests and several gateways, until they are jobs."""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from flask import Request

from chassis import logs
from chassis.problem import Problem
from gateway import problems
from gateway.door.body import Body
from gateway.uploads import problems as upload_problems
from gateway.uploads import tus_problems
from gateway.uploads.digests import Hash
from gateway.uploads.ending import Ending
from gateway.uploads.holds import Hold, Holds
from gateway.uploads.limits import Limits
from gateway.uploads.sniffing import HEAD_BYTES, NotMedia, Sniffer
from gateway.uploads.tus_headers import Part
from pipeline.appending import Appender, Displaced
from pipeline.idempotency import IdempotencyKeys
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.upload_store import Description, Upload, UploadStore

CUTS = ("ended_early", "too_slow", "too_large")
"""Problems of a body of which the beginning counts all the same."""

log = logs.get(__name__)

Place = Callable[[str, str], AbstractContextManager[None]]
"""Takes a place for an upload of this owner from this address, or raises a `Problem`."""


@dataclass(frozen=True, slots=True)
class Resumable:
    """Resumable uploads, whatever protocol they come by."""

    store: UploadStore
    ending: Ending
    keys: IdempotencyKeys
    limits: Limits
    place: Place
    max_bytes: int
    stopping: threading.Event
    _holds: Holds = field(init=False)

    def __post_init__(self) -> None:
        """Hold nothing yet."""
        object.__setattr__(self, "_holds", Holds(self.store, self.stopping))

    def create(self, owner: str, description: Description, request_id: str, key: str | None) -> Upload:
        """Begin an upload, and a job in `uploading` with the same id; or return that of the key.

        Raises:
            Problem: a limit is reached, or the key stands for something else.
        """
        fingerprint = _fingerprint(description)
        if key is not None and (known := self.keys.find(owner, key)) is not None:
            if known.fingerprint != fingerprint:
                raise upload_problems.key_used_otherwise()
            if (upload := self.store.find(known.job_ids[0], owner)) is not None:
                return upload
            self.keys.forget(owner, key, known)
        self._admit(owner, description.length)
        upload = self.store.create(owner, description, request_id)
        self.ending.queueing.jobs.begin_upload(
            owner,
            filename=description.filename,
            content_type=description.content_type,
            options=description.options,
            request_id=request_id,
            upload_id=upload.id,
        )
        if key is not None:
            known = self.keys.remember(owner, key, [upload.id], fingerprint)
            if known.job_ids != (upload.id,):
                self._end(upload)
                return self.create(owner, description, request_id, key)  # which finds the other's
        return upload

    def own(self, upload_id: str, owner: str) -> Upload:
        """Return the owner's upload.

        Raises:
            Problem: there is none with this id, or it is somebody else's.
        """
        upload = self.store.find(upload_id, owner)
        if upload is None:
            raise tus_problems.no_such_upload()
        return upload

    def settle(self, upload: Upload) -> Upload:
        """Return how far an upload is: nobody adds to it any more, and a complete one's job is queued."""
        return self._sealed(self._holds.settled(upload))

    def append(self, request: Request, part: Part, upload: Upload) -> Upload:
        """Add what a request brings to an upload, which becomes a job when it is complete.

        Raises:
            Problem: the part does not fit, or did not come to its end.
        """
        connection = request.environ.get("gunicorn.socket")
        with (
            self.place(upload.owner, request.remote_addr or ""),
            self._holds.hold(upload, connection) as hold,
        ):
            if part.offset != hold.upload.offset:
                raise tus_problems.wrong_offset(hold.upload.offset)
            self._fit(part, hold)
            if hold.upload.state == "receiving":
                try:
                    self._receive(request, part, hold)
                except NotMedia as error:
                    self._end(hold.upload)
                    raise upload_problems.not_media(error.looks_like) from None
                except Displaced:
                    raise tus_problems.displaced() from None
        return self._sealed(hold.upload)

    def terminate(self, upload: Upload) -> None:
        """End an upload; whoever adds to it lets it go before.

        Raises:
            Problem: it is complete, and a job.
        """
        self._end(self._holds.settled(upload))

    def _end(self, upload: Upload) -> None:
        terminated = self.store.terminate(upload)
        if terminated is None:
            raise tus_problems.already_complete(self.own(upload.id, upload.owner).id)
        try:
            self.ending.clear_up(terminated)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("the reconciler will clear up", upload_id=upload.id, reason=str(error))

    def _sealed(self, upload: Upload) -> Upload:
        if upload.state == "complete" and self.ending.seal(upload) is None:
            raise tus_problems.no_such_upload()
        return upload

    def _admit(self, owner: str, length: int | None) -> None:
        if length is not None and length > self.max_bytes:
            raise problems.too_large(self.max_bytes)
        if length == 0:
            raise upload_problems.not_media("an empty file")
        self.limits.admit(owner, length)

    def _fit(self, part: Part, hold: Hold) -> None:
        """Declare the upload's length if the part does, and see that the part goes into it."""
        upload = hold.upload
        if part.length is not None and part.length != upload.length:
            if upload.length is not None or part.length < upload.offset:
                raise tus_problems.length_known(upload.offset if upload.length is None else upload.length)
            if part.length > self.max_bytes:
                raise problems.too_large(self.max_bytes)
            declared = self.store.declare(upload, part.length)
            if declared is None:
                raise tus_problems.displaced()
            upload = hold.upload = declared
        if upload.length is None:
            self.limits.room(upload.owner, part.size)
            if upload.offset + (part.size or 0) > self.max_bytes:
                raise problems.too_large(self.max_bytes)
        elif upload.offset + (part.size or 0) > upload.length:
            raise tus_problems.beyond_length(upload.length)

    def _receive(self, request: Request, part: Part, hold: Hold) -> None:
        """Store what comes, and let it count: all of it, or none where its checksum does not fit."""
        upload, checksum = hold.upload, part.checksum
        body = Body(request, (self.max_bytes if upload.length is None else upload.length) - upload.offset)
        running, given = self.ending.digests.begin(upload), checksum.begin() if checksum else None
        hashes: list[Hash] = [each for each in (running, given) if each is not None]
        appender = Appender(self.store, self.ending.blobs, upload, at_the_end=checksum is not None)
        try:
            cut = _copy(body, appender, hashes, hold)
            if checksum is not None and given is not None and cut is None and not checksum.fits(given):
                raise tus_problems.wrong_checksum()
            if cut is None or checksum is None:
                hold.upload = appender.save(release=True)
                if running is not None:
                    self.ending.digests.keep(hold.upload, running)
        finally:
            appender.close()
        if cut is not None and hold.upload.state == "receiving":
            raise self._why(cut, hold)

    def _why(self, cut: Problem, hold: Hold) -> Problem:
        if cut.code == "too_large":
            return tus_problems.beyond_length(hold.upload.length or self.max_bytes)
        if not hold.wanted:
            return tus_problems.cut_short(hold.upload.offset)
        return tus_problems.stopping() if self.stopping.is_set() else tus_problems.displaced()


def _copy(body: Body, appender: Appender, hashes: Sequence[Hash], hold: Hold) -> Problem | None:
    """Add all that a body brings; return what kept it from coming to its end."""
    upload = hold.upload
    sniffer = Sniffer(appender.head(HEAD_BYTES)) if upload.offset < HEAD_BYTES else None
    if (
        sniffer is not None and upload.offset == upload.length
    ):  # it was all there when its length was declared
        sniffer.end()
    try:
        for piece in body.pieces(as_it_comes=True):
            if sniffer is not None:
                sniffer.take(piece)
                if appender.offset + len(piece) == upload.length:
                    sniffer.end()
            for running in hashes:
                running.update(piece)
            appender.write(piece)
            if hold.wanted:
                return tus_problems.displaced()
    except Problem as problem:
        if problem.code not in CUTS:
            raise
        return problem
    return None


def _fingerprint(description: Description) -> str:
    """Return one text for the same file as far as its description tells, and another for any other."""
    told = ["resumable", description.length, description.metadata]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
