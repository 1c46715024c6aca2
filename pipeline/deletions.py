"""Remember for a while which jobs were deleted, so that whoever follows their owner's jobs can be told."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.crashpoint import crashpoints
from pipeline.mongodb import Client, now, translated

KEPT = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A job that was deleted, or is being deleted this moment."""

    job_id: str
    owner: str
    at: datetime


class Deletions:
    """The collection `jobs.deletions`; raises `StoreUnavailable` when MongoDB is away.

    A deletion is noted before the job goes: one that nobody noted would never be told of, while one that
    came to nothing is seen by the job's being there.
    """

    def __init__(self, client: Client) -> None:
        self._deletions = client["jobs"]["deletions"]

    def ensure_indexes(self) -> None:
        """Create the indexes that the look-ups below are answered by; again is harmless."""
        with translated():
            self._deletions.create_index([("owner", 1), ("at", 1)])
            self._deletions.create_index("at")

    @crashpoints
    def note(self, job_id: str, owner: str) -> None:
        """Note that a job is about to be deleted."""
        with translated():
            self._deletions.replace_one({"_id": job_id}, {"owner": owner, "at": now()}, upsert=True)
            self._deletions.delete_many({"at": {"$lt": now() - KEPT}})

    def since(self, owners: Collection[str], time: datetime) -> list[Deletion]:
        """Return what was deleted of these owners' since a time, the oldest first."""
        query = {"owner": {"$in": list(owners)}, "at": {"$gte": time}}
        with translated():
            found = self._deletions.find(query).sort("at", 1)
            return [Deletion(document["_id"], document["owner"], document["at"]) for document in found]
