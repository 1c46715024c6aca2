"""Private feeds of a user's finished MP3s, for podcast apps: whoever has the address may read them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import uuid4

from chassis.crashpoint import crashpoints
from pipeline import unguessable
from pipeline.mongodb import Client, Document, now, translated

MAX_FEEDS = 20
"""How many one user may have."""


class TooManyFeeds(Exception):
    """The user has as many feeds as one may have."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed as it was read."""

    id: str
    owner: str
    title: str
    created_at: datetime

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the feed that a stored document describes."""
        return cls(**{name: document[name] for name in cls.__slots__})


class Feeds:
    """The collection `jobs.feeds`; raises `StoreUnavailable` when MongoDB is away."""

    def __init__(self, client: Client, clock: Callable[[], datetime] = now) -> None:
        self._feeds = client["jobs"]["feeds"]
        self._now = clock

    def ensure_indexes(self) -> None:
        """Create the index that the look-ups below are answered by; again is harmless."""
        with translated():
            self._feeds.create_index([("owner", 1), ("created_at", 1)])

    @crashpoints
    def add(self, owner: str, title: str) -> tuple[Feed, str]:
        """Add a feed; return it and its token, which nothing tells again.

        Raises:
            TooManyFeeds: there are `MAX_FEEDS` already.
        """
        if len(self.all(owner)) >= MAX_FEEDS:
            raise TooManyFeeds(f"you already have {MAX_FEEDS} feeds, the most that are allowed")
        token = unguessable.token()
        document = {
            "_id": unguessable.digest(token),
            "id": uuid4().hex,
            "owner": owner,
            "title": title,
            "created_at": self._now(),
        }
        with translated():
            self._feeds.insert_one(document)
        return Feed.of(document), token

    def all(self, owner: str) -> list[Feed]:
        """Return a user's feeds, the oldest first."""
        with translated():
            found = self._feeds.find({"owner": owner}).sort("created_at", 1)
            return [Feed.of(document) for document in found]

    @crashpoints
    def revoke(self, owner: str, feed_id: str) -> bool:
        """Delete a feed; tell whether there was one."""
        with translated():
            return self._feeds.delete_one({"owner": owner, "id": feed_id}).deleted_count == 1

    def find(self, token: str) -> Feed | None:
        """Return the feed with this token."""
        digest = unguessable.digest(token)
        if digest is None:
            return None
        with translated():
            document = self._feeds.find_one({"_id": digest})
        return None if document is None else Feed.of(document)
