"""Links to one MP3 for people without an account: revocable, limited, counted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from pymongo import ReturnDocument

from chassis.crashpoint import crashpoints
from pipeline import unguessable
from pipeline.mongodb import Client, Document, now, translated

MAX_SHARES = 100
"""How many links one job may have."""
RESUMED_WITHIN = timedelta(hours=24)
"""How long after the last download that counted its parts can be fetched again: it may have broken off."""


class TooManyShares(Exception):
    """The job has as many links as one may have."""


@dataclass(frozen=True, slots=True)
class Share:
    """One link as it was read."""

    id: str
    owner: str
    job_id: str
    created_at: datetime
    expires_at: datetime
    downloads: int
    max_downloads: int | None
    last_download_at: datetime | None

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the link that a stored document describes."""
        return cls(**{name: document[name] for name in cls.__slots__})


class ShareLinks:
    """The collection `jobs.shares`; raises `StoreUnavailable` when MongoDB is away."""

    def __init__(self, client: Client, clock: Callable[[], datetime] = now) -> None:
        self._shares = client["jobs"]["shares"]
        self._now = clock

    def ensure_indexes(self) -> None:
        """Create the indexes that the look-ups below are answered by; again is harmless."""
        with translated():
            self._shares.create_index([("job_id", 1), ("created_at", 1)])
            self._shares.create_index("expires_at")
            self._shares.create_index("id")

    @crashpoints
    def add(
        self, owner: str, job_id: str, *, lifetime: timedelta, max_downloads: int | None
    ) -> tuple[Share, str]:
        """Add a link; return it and its token, which nothing tells again.

        Raises:
            TooManyShares: the job has `MAX_SHARES` already.
        """
        time, token = self._now(), unguessable.token()
        if len(self.all(owner, job_id)) >= MAX_SHARES:
            raise TooManyShares(f"the job already has {MAX_SHARES} links, the most that are allowed")
        document = {
            "_id": unguessable.digest(token),
            "id": uuid4().hex,
            "owner": owner,
            "job_id": job_id,
            "created_at": time,
            "expires_at": time + lifetime,
            "downloads": 0,
            "max_downloads": max_downloads,
            "last_download_at": None,
        }
        with translated():
            self._shares.delete_many({"expires_at": {"$lte": time}})
            self._shares.insert_one(document)
        return Share.of(document), token

    def all(self, owner: str, job_id: str) -> list[Share]:
        """Return the links of a job that have not expired, the oldest first."""
        query = {"job_id": job_id, "owner": owner, "expires_at": {"$gt": self._now()}}
        with translated():
            return [Share.of(document) for document in self._shares.find(query).sort("created_at", 1)]

    @crashpoints
    def revoke(self, owner: str, share_id: str) -> bool:
        """Delete a link; tell whether there was one."""
        with translated():
            found = self._shares.delete_one({"id": share_id, "owner": owner})
        return found.deleted_count == 1

    def find(self, token: str) -> Share | None:
        """Return the link with this token that is still good: not expired, and not used up for good."""
        digest = unguessable.digest(token)
        if digest is None:
            return None
        with translated():
            document = self._shares.find_one({"_id": digest, "expires_at": {"$gt": self._now()}})
        share = None if document is None else Share.of(document)
        return None if share is None or self._used_up(share) else share

    @crashpoints
    def count(self, token: str) -> bool:
        """Count one more download; `False` says that there were as many as there may be."""
        time = self._now()
        share = self.find(token)
        if share is None:
            return False
        fewer: Document = {} if share.max_downloads is None else {"downloads": {"$lt": share.max_downloads}}
        with translated():
            counted = self._shares.find_one_and_update(
                {"_id": unguessable.digest(token), "expires_at": {"$gt": time}, **fewer},
                {"$inc": {"downloads": 1}, "$set": {"last_download_at": time}},
                return_document=ReturnDocument.AFTER,
            )
        return counted is not None

    def resumable(self, share: Share) -> bool:
        """Tell whether a part that is not the first may be fetched: of a download that counted lately."""
        if share.max_downloads is None:
            return True
        last = share.last_download_at
        return last is not None and self._now() - last < RESUMED_WITHIN

    def _used_up(self, share: Share) -> bool:
        used = share.max_downloads is not None and share.downloads >= share.max_downloads
        return used and not self.resumable(share)
