"""How long conversions take on this installation, as measured by those that are done.

One small document per kind of file holds the sums of a linear regression: seconds over megabytes.
Each conversion makes those before it weigh a little less, so that what is told follows the machines as they
are now: faster, slower, or busy with other things.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Self

from pymongo import WriteConcern

from chassis.crashpoint import crashpoints
from pipeline.mongodb import Client, Duplicate, translated

ENOUGH = 3
"""How many conversions must be done before anything is said of the next."""
KEPT = 0.95
"""What a conversion leaves of the weight of those before it: the last twenty of a kind count for the most."""
MEGABYTE = 1e6
ENDINGS = ("mp4", "mov", "m4v", "mkv", "webm", "avi", "wmv", "flv", "mpg", "ts", "3gp")
SOUND_ENDINGS = ("mp3", "m4a", "aac", "wav", "aiff", "flac", "ogg", "opus", "wma", "caf")


def kind(filename: str, options: Mapping[str, Any]) -> str:
    """Return what files are measured together with this one: of one container, and converted alike."""
    ending = filename.rpartition(".")[2].lower()
    known = ending if ending in (*ENDINGS, *SOUND_ENDINGS) else "other"
    loudness = "+loudness" if options.get("loudness") is not None else ""
    part = "+part" if options.get("start") or options.get("end") is not None else ""
    return f"{known}{loudness}{part}"


@dataclass(frozen=True, slots=True)
class Sums:
    """The weighted sums of a regression of seconds (y) over megabytes (x), and how many jobs they are of."""

    jobs: int = 0
    w: float = 0.0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def __add__(self, other: Self) -> Self:
        """Return the sums of both."""
        return type(self)(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def seconds(self, size: int) -> float:
        """Return how long a file of so many bytes takes: the line of least squares, never falling."""
        megabytes = size / MEGABYTE
        x, y = self.x / self.w, self.y / self.w
        variance, covariance = self.xx / self.w - x * x, self.xy / self.w - x * y
        slope = covariance / variance if covariance > 0 and variance > 1e-9 * x * x else 0.0
        fixed = y - slope * x
        if fixed < 0:
            return megabytes * y / x
        return fixed + slope * megabytes


WEIGHED = ("w", "x", "y", "xx", "xy")


class Measured:
    """What was measured until now."""

    def __init__(self, by_kind: Mapping[str, Sums]) -> None:
        self._by_kind = by_kind
        self._all = sum(by_kind.values(), Sums())

    def seconds(self, kind: str, size: int) -> float | None:
        """Return how long a file takes; `None` until enough are done.

        By its own kind if enough of that are done, by all of them otherwise.
        """
        own = self._by_kind.get(kind, Sums())
        sums = own if own.jobs >= ENOUGH else self._all
        return sums.seconds(size) if sums.jobs >= ENOUGH else None


class Speeds:
    """The collection `jobs.speeds`; every method raises `StoreUnavailable` when MongoDB is away.

    A conversion that a crash keeps from being noted, or notes twice, is one among many: nothing waits for
    a majority or the journal.
    """

    def __init__(self, client: Client) -> None:
        self._speeds = client["jobs"].get_collection("speeds", write_concern=WriteConcern(w=1))

    @crashpoints
    def note(self, kind: str, size: int, seconds: float) -> None:
        """Count a conversion that is done, and make those before it weigh less."""
        x, y = size / MEGABYTE, seconds
        added = {"jobs": 1, "w": 1.0, "x": x, "y": y, "xx": x * x, "xy": x * y}
        with translated():
            self._speeds.update_one({"_id": kind}, {"$mul": dict.fromkeys(WEIGHED, KEPT)})
        self._add(kind, added)

    def _add(self, kind: str, added: Mapping[str, float]) -> None:
        try:
            with translated():
                self._speeds.update_one({"_id": kind}, {"$inc": added}, upsert=True)
        except Duplicate:  # another process made the document at the same moment
            self._add(kind, added)

    def measured(self) -> Measured:
        """Return what was measured until now."""
        with translated():
            documents = list(self._speeds.find())
        return Measured({document.pop("_id"): Sums(**document) for document in documents})
