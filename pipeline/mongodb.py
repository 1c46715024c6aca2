"""Connect to MongoDB, and turn the driver's exceptions into ours.

Only this module, `jobs` and `files` import pymongo.
Nothing used here needs more than one document changed at a time: no sessions, transactions,
change streams or pipeline updates (docs/architecture.md says why).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

Document = dict[str, Any]
Client = MongoClient[Document]

TIMINGS_MS = {
    # How long an operation looks for a server before it says that there is none.
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 3_000,
    # How long an answer may take; a cut network shows after this at the latest.
    "socketTimeoutMS": 30_000,
    # Firewalls forget connections that are idle for minutes, and tell nobody: these are not used again.
    "maxIdleTimeMS": 60_000,
}
"""Each as long as the URL does not say otherwise
(https://www.mongodb.com/docs/manual/reference/connection-string-options/)."""

_AWAY = (AutoReconnect, ExecutionTimeout, NetworkTimeout, WTimeoutError)


class StoreUnavailable(Exception):
    """MongoDB does not answer now; the same call may succeed later."""


class StoreRefused(Exception):
    """MongoDB answers, and refuses the operation: rights, disk or a bug of ours."""


class Duplicate(StoreRefused):
    """There is a document with this id already."""


def connect(url: str) -> Client:
    """Return a client whose writes are acknowledged by a majority and journaled.

    Nothing is sent before the first operation, so a server that is away is no error here.
    """
    said = {name.lower() for name in parse_qs(urlsplit(url).query)}
    timings: Document = {name: value for name, value in TIMINGS_MS.items() if name.lower() not in said}
    return MongoClient(url, tz_aware=True, w="majority", journal=True, **timings)


def ping(client: Client) -> None:
    """Return when the server answers.

    Raises:
        StoreUnavailable: it does not.
    """
    with translated():
        client.admin.command("ping")


@contextmanager
def translated() -> Iterator[None]:
    """Raise `StoreUnavailable` or `StoreRefused` in place of what the driver raises within."""
    try:
        yield
    except _AWAY as error:
        raise StoreUnavailable(_first_line(error)) from error
    except DuplicateKeyError as error:
        raise Duplicate("a document with this id exists") from error
    except OperationFailure as error:
        raise StoreRefused(_first_line(error)) from error
    except PyMongoError as error:
        raise StoreUnavailable(_first_line(error)) from error


def free_bytes(client: Client) -> int | None:
    """Return how many bytes MongoDB's disk has left, or `None` when the server does not say."""
    with translated():
        stats = client["jobs"].command("dbStats")
    if "fsTotalSize" not in stats:
        return None
    return int(stats["fsTotalSize"] - stats["fsUsedSize"])


def clock_difference(client: Client) -> float:
    """Return by how many seconds the server's clock is ahead of this machine's."""
    before = datetime.now(UTC)
    with translated():
        said = client.admin.command("isMaster")  # as the driver itself asks: every server knows it
    theirs: datetime = said["localTime"].replace(tzinfo=UTC)  # a command's answer tells UTC without saying so
    return (theirs - before).total_seconds()


def now() -> datetime:
    """Return the time in the precision that BSON keeps, so that a stored time equals the one sent."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
