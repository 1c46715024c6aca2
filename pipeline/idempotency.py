"""Remember which jobs a client's `Idempotency-Key` made, so that sending again makes no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from chassis.crashpoint import crashpoints
from pipeline.mongodb import Client, Document, Duplicate, now, translated

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was made under a key, and of what."""

    job_ids: tuple[str, ...]
    fingerprint: str


class IdempotencyKeys:
    """One document a key, under `<owner>:<key>`; raises `StoreUnavailable` when MongoDB is away."""

    def __init__(self, client: Client) -> None:
        self._keys = client["jobs"]["idempotency_keys"]
        self._indexed = False

    def find(self, owner: str, key: str) -> Remembered | None:
        """Return what was made under a key in the last 24 hours."""
        with translated():
            document = self._keys.find_one({"_id": f"{owner}:{key}", "at": {"$gte": now() - KEPT}})
        return None if document is None else _remembered(document)

    @crashpoints
    def remember(self, owner: str, key: str, job_ids: Sequence[str], fingerprint: str) -> Remembered:
        """Return what the key stands for: this, unless another request was first."""
        self._clear()
        document = {
            "_id": f"{owner}:{key}",
            "job_ids": list(job_ids),
            "fingerprint": fingerprint,
            "at": now(),
        }
        try:
            with translated():
                self._keys.insert_one(document)
        except Duplicate:
            return self.find(owner, key) or self.remember(owner, key, job_ids, fingerprint)
        return _remembered(document)

    @crashpoints
    def forget(self, owner: str, key: str, known: Remembered) -> None:
        """Let a key be used again, unless it has been already: what it made is gone."""
        with translated():
            self._keys.delete_one({"_id": f"{owner}:{key}", "job_ids": list(known.job_ids)})

    def _clear(self) -> None:
        """Delete what is too old to count; there is one more key for it each time."""
        with translated():
            if not self._indexed:
                self._keys.create_index("at")
                self._indexed = True
            self._keys.delete_many({"at": {"$lt": now() - KEPT}})


def _remembered(document: Document) -> Remembered:
    return Remembered(tuple(document["job_ids"]), document["fingerprint"])
