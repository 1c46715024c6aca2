"""Count what all replicas do together, in one document a name and window."""

from datetime import timedelta

from pipeline.mongodb import Client, Duplicate, now, translated

KEPT = timedelta(hours=1)


class Counters:
    """The collection `jobs.counters`; raises `StoreUnavailable` when MongoDB is away."""

    def __init__(self, client: Client) -> None:
        self._counters = client["jobs"]["counters"]

    def add(self, name: str, window: int, count: int) -> int:
        """Add to the counter of a window and return what it has come to."""
        found = {"_id": f"{name}:{window}"}
        change = {"$inc": {"count": count}, "$set": {"at": now()}}
        try:
            with translated():
                document = self._counters.find_one_and_update(
                    found, change, upsert=True, return_document=True
                )
        except Duplicate:  # another process made it at the same moment
            return self.add(name, window, count)
        return int(document["count"]) if document is not None else count

    def clear(self) -> None:
        """Delete the counters of windows that are long over."""
        with translated():
            self._counters.delete_many({"at": {"$lt": now() - KEPT}})
