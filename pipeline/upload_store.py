"""The upload document: how far a resumable upload is, who adds to it, and the only code that writes it.

An upload has the id of the job that it becomes.  Each transition is one compare-and-set: a request that
takes an upload over raises its generation, and whoever has an older one changes nothing any more.
docs/reliability.md draws the states.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal, Self, get_args
from uuid import uuid4

from pymongo import ReturnDocument

from chassis.crashpoint import crashpoints
from pipeline.job_queries import beyond
from pipeline.mongodb import Client, Document, now, translated

CHUNK_BYTES = 512 * 1024
"""A request of whole MiB ends where a chunk does, so that no chunk is read and stored a second time.

Small, because each request waits at its end for the chunks on their way; not smaller, because each chunk
costs a round trip.
"""

State = Literal["receiving", "complete", "queued", "terminated"]
STATES: tuple[State, ...] = get_args(State)
UNFINISHED: tuple[State, ...] = ("receiving", "complete")
"""The states in which an upload holds bytes that no job counts yet."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload document as it was read."""

    id: str
    owner: str
    state: State
    generation: int
    """+1 whenever a request takes the upload over."""
    held: bool
    """Whether the request of this generation is under way, or died without a word."""
    length: int | None
    """`None` until the client knows it."""
    deferred: bool
    """Whether the client knew it only later."""
    offset: int
    """So many bytes are durable."""
    chunk_bytes: int
    filename: str
    content_type: str
    options: Mapping[str, Any]
    metadata: str
    """As the client sent it."""
    request_id: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the upload that a stored document describes; what a newer version added is left out."""
        known = {field.name for field in fields(cls)} - {"id", "deferred"}
        deferred = document.get("deferred", True)  # an older version does not say
        return cls(id=document["_id"], deferred=deferred, **{name: document[name] for name in known})


@dataclass(frozen=True, slots=True)
class Description:
    """What a client says of a file before it sends it."""

    length: int | None
    filename: str
    content_type: str
    options: Mapping[str, Any]
    metadata: str


class UploadStore:
    """The collection `jobs.uploads`; every method raises `StoreUnavailable` when MongoDB is away.

    `kept` is how long an upload waits for its next byte, and how long a complete one is still told of.
    """

    def __init__(self, client: Client, kept: timedelta) -> None:
        self._uploads = client["jobs"]["uploads"]
        self._kept = kept

    def ensure_indexes(self) -> None:
        """Create the indexes that the look-ups below are answered by; again is harmless."""
        with translated():
            self._uploads.create_index([("owner", 1), ("created_at", -1)])
            self._uploads.create_index([("owner", 1), ("updated_at", 1)])
            self._uploads.create_index([("state", 1), ("updated_at", 1)])
            self._uploads.create_index("expires_at")

    @crashpoints
    def create(self, owner: str, description: Description, request_id: str) -> Upload:
        """Begin an upload."""
        time = now()
        document: Document = {
            "_id": uuid4().hex,
            "owner": owner,
            "state": "receiving",
            "generation": 0,
            "held": False,
            "asked_for": False,
            "length": description.length,
            "deferred": description.length is None,
            "offset": 0,
            "chunk_bytes": CHUNK_BYTES,
            "filename": description.filename,
            "content_type": description.content_type,
            "options": dict(description.options),
            "metadata": description.metadata,
            "request_id": request_id,
            "created_at": time,
            "updated_at": time,
            "expires_at": time + self._kept,
        }
        with translated():
            self._uploads.insert_one(document)
        return Upload.of(document)

    def find(self, upload_id: str, owner: str) -> Upload | None:
        """Return the owner's upload; somebody else's, and one that was terminated, is `None`."""
        with translated():
            document = self._uploads.find_one({"_id": upload_id, "owner": owner})
        return None if document is None or document["state"] == "terminated" else Upload.of(document)

    @crashpoints
    def claim(self, upload: Upload) -> Upload | None:
        """Take an upload that nobody holds."""
        return self._claim({"_id": upload.id, "state": "receiving", "held": False})

    @crashpoints
    def ask_for(self, upload: Upload) -> None:
        """Have whoever holds an upload let it go."""
        with translated():
            self._uploads.update_one(
                {"_id": upload.id, "generation": upload.generation, "held": True},
                {"$set": {"asked_for": True}},
            )

    @crashpoints
    def seize(self, upload: Upload) -> Upload | None:
        """Take an upload from a holder that does not let it go; `None` if anybody else was faster."""
        return self._claim({"_id": upload.id, "state": "receiving", "generation": upload.generation})

    def contested(self, held: Mapping[str, int]) -> list[str]:
        """Return those of these uploads, by id and generation, that somebody else has or asked for."""
        with translated():
            found = {
                document["_id"]: document
                for document in self._uploads.find(
                    {"_id": {"$in": list(held)}}, {"generation": 1, "asked_for": 1, "state": 1}
                )
            }
        return [
            upload_id
            for upload_id, generation in held.items()
            if (document := found.get(upload_id)) is None
            or document["generation"] != generation
            or document["asked_for"]
            or document["state"] == "terminated"
        ]

    @crashpoints
    def move(self, upload: Upload, offset: int, *, release: bool = False) -> Upload | None:
        """Let bytes that are durable count; `None` says that the upload is in other hands.

        At its length the upload is complete, and nobody's.
        """
        complete = offset == upload.length
        values: Document = {"offset": offset, "expires_at": now() + self._kept}
        if complete:
            values["state"] = "complete"
        if complete or release:
            values["held"] = False
        return self._change(_as_held(upload), values)

    @crashpoints
    def declare(self, upload: Upload, length: int) -> Upload | None:
        """Set the length that was not known when the upload began."""
        return self._change({**_as_held(upload), "length": None}, {"length": length})

    @crashpoints
    def release(self, upload: Upload) -> None:
        """Let an upload go, if it is in the hands that it was read with."""
        found = {"_id": upload.id, "state": "receiving", "generation": upload.generation}
        self._change(found, {"held": False})

    @crashpoints
    def mark_queued(self, upload: Upload) -> Upload | None:
        """`complete` → `queued`: its job is on its way."""
        return self._change(
            {"_id": upload.id, "state": "complete"}, {"state": "queued", "expires_at": now() + self._kept}
        )

    @crashpoints
    def terminate(self, upload: Upload) -> Upload | None:
        """`receiving` → `terminated`: whoever holds it stores nothing more, what it stored is unwanted."""
        return self._change(
            {"_id": upload.id, "state": "receiving"},
            {"state": "terminated", "expires_at": now()},
            {"generation": 1},
        )

    @crashpoints
    def expire(self, upload: Upload) -> Upload | None:
        """Terminate an upload that is as it was read: nothing was added to it since."""
        found = {"_id": upload.id, "state": "receiving", "expires_at": upload.expires_at}
        return self._change(found, {"state": "terminated"}, {"generation": 1})

    @crashpoints
    def forget(self, upload: Upload) -> bool:
        """Delete the document of an upload that is a job by now, or nothing."""
        with translated():
            return (
                self._uploads.delete_one(
                    {"_id": upload.id, "state": {"$in": ["queued", "terminated"]}}
                ).deleted_count
                == 1
            )

    def page(self, owner: str, *, limit: int, before: str | None = None) -> list[Upload]:
        """Return an owner's unfinished uploads, the newest first.

        Raises:
            InvalidCursor: `before` is none.
        """
        query: Document = {"owner": owner, "state": {"$in": list(UNFINISHED)}}
        if before is not None:
            query |= beyond(before, "$lt")
        order = [("created_at", -1), ("_id", -1)]
        with translated():
            return [Upload.of(document) for document in self._uploads.find(query).sort(order).limit(limit)]

    def changed_since(self, owners: Collection[str], time: datetime) -> list[Upload]:
        """Return these owners' uploads that changed since a time, whatever state they are in."""
        query: Document = {"owner": {"$in": list(owners)}, "updated_at": {"$gte": time}}
        with translated():
            return [Upload.of(document) for document in self._uploads.find(query).sort("updated_at", 1)]

    def reserved(self, owner: str) -> int:
        """Return how many bytes an owner's unfinished uploads take up, or will."""
        steps: list[Document] = [
            {"$match": {"owner": owner, "state": {"$in": list(UNFINISHED)}}},
            {"$group": {"_id": None, "bytes": {"$sum": {"$ifNull": ["$length", "$offset"]}}}},
        ]
        with translated():
            return int(next(iter(self._uploads.aggregate(steps)), {"bytes": 0})["bytes"])

    def expired(self, limit: int) -> list[Upload]:
        """Return uploads that nobody needs any more."""
        states = ["receiving", "queued", "terminated"]
        return self._find({"state": {"$in": states}, "expires_at": {"$lte": now()}}, "expires_at", limit)

    def left_complete(self, age: timedelta, limit: int) -> list[Upload]:
        """Return uploads that were complete over `age` ago and are no job yet."""
        query = {"state": "complete", "updated_at": {"$lt": now() - age}}
        return self._find(query, "updated_at", limit)

    def _find(self, query: Document, oldest: str, limit: int) -> list[Upload]:
        with translated():
            return [
                Upload.of(document) for document in self._uploads.find(query).sort(oldest, 1).limit(limit)
            ]

    def _claim(self, found: Document) -> Upload | None:
        return self._change(found, {"held": True, "asked_for": False}, {"generation": 1})

    def _change(self, found: Document, values: Document, add: Document | None = None) -> Upload | None:
        update: Document = {"$set": {**values, "updated_at": now()}}
        if add:
            update["$inc"] = add
        with translated():
            document = self._uploads.find_one_and_update(found, update, return_document=ReturnDocument.AFTER)
        return None if document is None else Upload.of(document)


def _as_held(upload: Upload) -> Document:
    """Match an upload in the hands, and with the offset, that it was read with."""
    return {
        "_id": upload.id,
        "state": "receiving",
        "generation": upload.generation,
        "offset": upload.offset,
    }
