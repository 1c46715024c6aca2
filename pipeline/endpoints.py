"""Where users want to be told of outcomes: one document a webhook, which is also the turn to send to it.

A user's callbacks, whose URLs come with the jobs, share one document without a URL: it has their secret.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self, get_args
from uuid import uuid4

from pymongo import ReturnDocument

from chassis.crashpoint import crashpoints
from pipeline.mongodb import Client, Document, Duplicate, now, translated
from pipeline.timing import DEFAULT

Event = Literal["job.done", "job.partial", "job.failed", "job.canceled"]
EVENTS: tuple[Event, ...] = get_args(Event)
MAX_ENDPOINTS = 20
"""How many one user may have."""
SECRET_BYTES = 32
BOTH_VALID_FOR = timedelta(hours=24)
"""How long an old secret signs beside the new one."""
TURN = timedelta(seconds=60)
"""How long a sender has for one delivery: longer than a receiver is waited for."""
PAUSE_AFTER = timedelta(days=3)
"""How long an endpoint may fail without one success: as long as a delivery is tried."""
FREE = datetime.fromtimestamp(0, UTC)


class TooManyEndpoints(Exception):
    """The user has as many endpoints as one may have."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint document as it was read."""

    id: str
    owner: str
    url: str | None
    """`None` for the user's callbacks."""
    events: Sequence[str]
    created_at: datetime
    secrets: Sequence[Mapping[str, Any]]
    """{secret, until}; `until` is `None` for the newest."""
    paused: Mapping[str, Any] | None
    """{at, reason}: `asked`, `gone` or `failing`."""
    failing_since: datetime | None
    turn: int
    notice: Mapping[str, Any] | None
    """The mail about the pause, in the form of a job's."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the endpoint that a stored document describes."""
        known = {field.name for field in fields(cls)} - {"id"}
        return cls(id=document["_id"], **{name: document[name] for name in known})

    @property
    def state(self) -> str:
        """What the log calls it."""
        return "active" if self.paused is None else "paused"

    def signing(self, time: datetime) -> list[str]:
        """Return the secrets that sign now, the newest first."""
        return [one["secret"] for one in self.secrets if one["until"] is None or one["until"] > time]


class Endpoints:
    """The collection `jobs.endpoints`; raises `StoreUnavailable` when MongoDB is away."""

    def __init__(
        self, client: Client, clock_skew: timedelta = timedelta(0), clock: Callable[[], datetime] = now
    ) -> None:
        self.timing = DEFAULT
        self._endpoints = client["jobs"]["endpoints"]
        self._skew = clock_skew
        self._now = clock

    def ensure_indexes(self) -> None:
        """Create the indexes that the look-ups below are answered by; again is harmless."""
        with translated():
            self._endpoints.create_index([("owner", 1), ("created_at", 1)])
            self._endpoints.create_index([("notice.state", 1), ("notice.due_at", 1)])

    def all(self, owner: str) -> list[Endpoint]:
        """Return a user's endpoints, the oldest first, without that of callbacks."""
        return self._find({"owner": owner, "url": {"$ne": None}})

    def find(self, endpoint_id: str, owner: str) -> Endpoint | None:
        """Return the owner's endpoint; somebody else's is `None`, as an unknown one is."""
        with translated():
            return self._one(self._endpoints.find_one({"_id": endpoint_id, "owner": owner}))

    def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint for the suite's own processes."""
        with translated():
            return self._one(self._endpoints.find_one({"_id": endpoint_id}))

    @crashpoints
    def add(self, owner: str, url: str, events: Sequence[str]) -> Endpoint:
        """Add an endpoint with a secret of its own.

        Raises:
            TooManyEndpoints: there are `MAX_ENDPOINTS` already.
        """
        if len(self.all(owner)) >= MAX_ENDPOINTS:
            raise TooManyEndpoints(f"you already have {MAX_ENDPOINTS} webhooks, the most that are allowed")
        document = self._new(uuid4().hex, owner, url, events)
        with translated():
            self._endpoints.insert_one(document)
        return Endpoint.of(document)

    @crashpoints
    def callbacks(self, owner: str) -> Endpoint:
        """Return the document of the user's callbacks, made when there is none."""
        callbacks_id = hashlib.sha256(f"callbacks:{owner}".encode()).hexdigest()[:32]
        found = self.get(callbacks_id)
        if found is None:
            document = self._new(callbacks_id, owner, None, EVENTS)
            try:
                with translated():
                    self._endpoints.insert_one(document)
            except Duplicate:  # another process made it at the same moment
                return self.callbacks(owner)
            found = Endpoint.of(document)
        return found

    def rotate(self, endpoint: Endpoint) -> Endpoint | None:
        """Give it another secret; the old one signs beside it for a day."""
        time = self._now()
        newest = endpoint.secrets[0]["secret"]
        both = [{"secret": _secret(), "until": None}, {"secret": newest, "until": time + BOTH_VALID_FOR}]
        return self._change({"_id": endpoint.id, "secrets.0.secret": newest}, {"secrets": both})

    def pause(self, endpoint: Endpoint, reason: str, *, told: bool = False) -> Endpoint | None:
        """Send nothing more; with `told` its owner is owed a mail about it."""
        time = self._now()
        notice = {
            "state": "pending",
            "since": time,
            "due_at": time,
            "tries": 0,
            "token": 0,
            "until": None,
            "reason": None,
        }
        values = {"paused": {"at": time, "reason": reason}, "notice": notice if told else None}
        return self._change({"_id": endpoint.id, "paused": None}, values)

    def resume(self, endpoint: Endpoint) -> Endpoint | None:
        """Send again what happens from now on."""
        values = {"paused": None, "failing_since": None, "resting_until": FREE, "notice": None}
        return self._change({"_id": endpoint.id}, values)

    @crashpoints
    def delete(self, endpoint: Endpoint) -> bool:
        """Delete an endpoint; its deliveries are unwanted from then on."""
        with translated():
            return self._endpoints.delete_one({"_id": endpoint.id}).deleted_count == 1

    # -- sending ---------------------------------------------------------------------------------

    def take_turn(self, endpoint_id: str) -> Endpoint | None:
        """Take the right to send, one sender at a time; not while the endpoint rests or is paused."""
        time = self._now()
        found = {
            "_id": endpoint_id,
            "paused": None,
            "resting_until": {"$lte": time},
            "turn_until": {"$lt": time - self._skew},
        }
        return self._change(found, {"turn_until": time + TURN}, add={"turn": 1})

    def keep_turn(self, endpoint: Endpoint) -> Endpoint | None:
        """Prolong the turn for one more delivery; `None` says that it is lost, or that it was paused."""
        found = {"_id": endpoint.id, "turn": endpoint.turn, "paused": None}
        return self._change(found, {"turn_until": self._now() + TURN})

    def end_turn(self, endpoint: Endpoint, *, rest_until: datetime = FREE) -> None:
        """Give the turn back; nobody sends before `rest_until`."""
        values = {"turn_until": FREE, "resting_until": rest_until}
        self._change({"_id": endpoint.id, "turn": endpoint.turn}, values)

    def note(self, endpoint: Endpoint, *, failed: bool) -> Endpoint | None:
        """Note since when it fails, or that it does no more."""
        since = self._now() if failed else None
        if failed == (endpoint.failing_since is not None):
            return endpoint
        return self._change({"_id": endpoint.id}, {"failing_since": since})

    # -- the mail about a pause: as `Jobs` has it about an outcome --------------------------------

    def unsent(self) -> list[Endpoint]:
        """Return endpoints whose owner is still to be told that they are paused."""
        time = self._now()
        pending = {"notice.state": "pending", "notice.due_at": {"$lte": time}}
        lapsed = {"notice.state": "sending", "notice.due_at": {"$lte": time}}
        return self._find({"$or": [pending, lapsed]})

    def claim_notice(self, endpoint_id: str) -> Endpoint | None:
        """Take the right to send the mail that is due, for a while."""
        time = self._now()
        found = {
            "_id": endpoint_id,
            "notice.state": {"$in": ["pending", "sending"]},
            "notice.due_at": {"$lte": time},
        }
        values = {"notice.state": "sending", "notice.due_at": time + self.timing.mail_lease}
        return self._change(found, values, add={"notice.tries": 1, "notice.token": 1})

    def renew_notice(self, endpoint: Endpoint) -> bool:
        """Keep that right for longer; `False` says that another process has it."""
        values = {"notice.due_at": self._now() + self.timing.mail_lease}
        return self._change(_sending(endpoint), values) is not None

    def notice_sent(self, endpoint: Endpoint) -> bool:
        """Record that the mail server took the mail."""
        return self._change(_sending(endpoint), {"notice.state": "sent"}) is not None

    def notice_delayed(self, endpoint: Endpoint, due_at: datetime, *, counted: bool = True) -> bool:
        """Put the mail off until `due_at`."""
        values = {"notice.state": "pending", "notice.due_at": due_at}
        add = {} if counted else {"notice.tries": -1}
        return self._change(_sending(endpoint), values, add=add) is not None

    def notice_undeliverable(self, endpoint: Endpoint, reason: str) -> bool:
        """Give the mail up, with the mail server's words."""
        values = {"notice.state": "undeliverable", "notice.reason": reason}
        return self._change(_sending(endpoint), values) is not None

    def _new(self, endpoint_id: str, owner: str, url: str | None, events: Sequence[str]) -> Document:
        return {
            "_id": endpoint_id,
            "owner": owner,
            "url": url,
            "events": list(events),
            "created_at": self._now(),
            "secrets": [{"secret": _secret(), "until": None}],
            "paused": None,
            "failing_since": None,
            "resting_until": FREE,
            "turn": 0,
            "turn_until": FREE,
            "notice": None,
        }

    @crashpoints
    def _change(self, found: Document, values: Document, add: Document | None = None) -> Endpoint | None:
        update = {"$set": values, **({"$inc": add} if add else {})}
        with translated():
            return self._one(
                self._endpoints.find_one_and_update(found, update, return_document=ReturnDocument.AFTER)
            )

    def _find(self, query: Document) -> list[Endpoint]:
        with translated():
            return [Endpoint.of(document) for document in self._endpoints.find(query).sort("created_at", 1)]

    @staticmethod
    def _one(document: Document | None) -> Endpoint | None:
        return None if document is None else Endpoint.of(document)


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _sending(endpoint: Endpoint) -> Document:
    token = (endpoint.notice or {}).get("token")
    return {"_id": endpoint.id, "notice.state": "sending", "notice.token": token}
