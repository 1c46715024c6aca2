"""One job as it was read from its document; `jobs` moves it from state to state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self, get_args

from pipeline.mongodb import Document

State = Literal["uploading", "queued", "converting", "done", "failed", "canceled", "expired"]
STATES: tuple[State, ...] = get_args(State)
Bell = Literal["video", "mp3"]
Phase = Literal["probing", "converting", "storing"]


def parts_of(blob_id: str) -> str:
    """Return the id of the blob that the parts of a stored MP3 lie in, one after the other."""
    return f"{blob_id}.parts"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job; `token` rises with every claim and fences off earlier holders."""

    job_id: str
    token: int

    @property
    def blob_id(self) -> str:
        """The id of the MP3 that this claim stores."""
        return f"{self.job_id}.{self.token}"

    @property
    def parts_id(self) -> str:
        """The id of the blob that this claim stores the MP3's parts in."""
        return parts_of(self.blob_id)

    @property
    def blob_ids(self) -> tuple[str, str]:
        """The ids of all that this claim stores."""
        return self.blob_id, self.parts_id


@dataclass(frozen=True, slots=True)
class Job:
    """One job document as it was read; docs/architecture.md lists what the nested mappings hold."""

    id: str
    owner: str
    state: State
    version: int
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    attempt: int
    request_id: str
    source: Mapping[str, Any]
    options: Mapping[str, Any]
    media: Mapping[str, Any] | None
    progress: float
    phase: Phase | None
    lease: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    doorbell: Mapping[str, Mapping[str, Any]]
    notice: Mapping[str, Any] | None
    events: Sequence[Mapping[str, Any]] = ()
    """What happened and was not yet made deliveries of: {id, type, at, result, error}."""
    turn: int = 0
    """When it is converted among all that wait: the lowest is next (`turns`)."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the job that a stored document describes; what a newer version added is left out.

        So may be what an older one did not know: `events` and `turn`.
        """
        known = {field.name for field in fields(cls)} - {"id", "events", "turn"}
        return cls(
            id=document["_id"],
            events=document.get("events", ()),
            turn=document.get("turn", 0),
            **{name: document[name] for name in known},
        )

    @property
    def claimed(self) -> Lease:
        """The lease of the claim that this document was read by."""
        return Lease(self.id, self.lease["token"])

    @property
    def parts(self) -> Sequence[Mapping[str, Any]]:
        """The parts of the MP3, if it was split: {number, title, name, start, duration, place, size, …}."""
        return () if self.result is None else self.result.get("parts", ())

    @property
    def cover(self) -> Mapping[str, Any] | None:
        """The picture in the MP3, if it has one: {type, place, size, sha256}."""
        return None if self.result is None else self.result.get("cover")

    @property
    def blob_ids(self) -> tuple[str, ...]:
        """The ids of the stored MP3 and of its parts; none without a result."""
        if self.result is None:
            return ()
        blob_id: str = self.result["blob"]
        return (blob_id, parts_of(blob_id)) if self.parts else (blob_id,)
