"""What is sent to webhooks: one document for each event and endpoint, with the bytes that are signed.

An outcome leaves its event in the job document, in the same write; `spread` makes deliveries of it.
Their ids follow from event and endpoint, so that doing it twice makes none twice.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import uuid4

from pymongo import ReturnDocument

from chassis.crashpoint import crashpoints
from pipeline.endpoints import Endpoint, Endpoints
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import Client, Document, Duplicate, now, translated

KEPT = timedelta(days=30)
MAX_ATTEMPTS_KEPT = 20
MAX_WARNINGS = 20
"""A message is less than 20 kB, as the specification asks for."""
TEST = "webhook.test"

State = Literal["pending", "delivered", "failed"]
STATES: tuple[State, ...] = ("pending", "delivered", "failed")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery document as it was read."""

    id: str
    event: str
    """The id of the event: `webhook-id`, the same at every attempt and for every endpoint."""
    endpoint: str
    owner: str
    url: str
    type: str
    body: str
    created_at: datetime
    state: State
    due_at: datetime | None
    tries: int
    """Since it was made, or was asked for again."""
    attempts: Sequence[Mapping[str, Any]]
    """The last ones: {at, ms, status, answer, error}."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the delivery that a stored document describes."""
        known = {field.name for field in fields(cls)} - {"id"}
        return cls(id=document["_id"], **{name: document[name] for name in known})


class Deliveries:
    """The collection `jobs.deliveries`; raises `StoreUnavailable` when MongoDB is away."""

    def __init__(self, client: Client, clock: Callable[[], datetime] = now) -> None:
        self._deliveries = client["jobs"]["deliveries"]
        self._now = clock

    def ensure_indexes(self) -> None:
        """Create the indexes that the look-ups below are answered by; again is harmless."""
        with translated():
            self._deliveries.create_index([("state", 1), ("due_at", 1)])
            self._deliveries.create_index([("endpoint", 1), ("state", 1), ("due_at", 1)])
            self._deliveries.create_index([("endpoint", 1), ("created_at", -1)])
            self._deliveries.create_index("created_at")

    def page(self, endpoint: Endpoint, *, state: State | None, limit: int) -> list[Delivery]:
        """Return an endpoint's deliveries, the newest first."""
        query: Document = {"endpoint": endpoint.id}
        if state is not None:
            query["state"] = state
        return self._find(query, [("created_at", -1), ("_id", 1)], limit)

    def find(self, delivery_id: str, endpoint: Endpoint) -> Delivery | None:
        """Return one of an endpoint's deliveries."""
        with translated():
            document = self._deliveries.find_one({"_id": delivery_id, "endpoint": endpoint.id})
        return None if document is None else Delivery.of(document)

    @crashpoints
    def add(self, endpoint: Endpoint, url: str, event: Mapping[str, Any], body: str) -> Delivery:
        """Make the delivery of an event to an endpoint, due now, unless there is one."""
        time = self._now()
        document = {
            "_id": f"{event['id']}.{endpoint.id}",
            "event": event["id"],
            "endpoint": endpoint.id,
            "owner": endpoint.owner,
            "url": url,
            "type": event["type"],
            "body": body,
            "created_at": time,
            "state": "pending",
            "due_at": time,
            "tries": 0,
            "attempts": [],
        }
        try:
            with translated():
                self._deliveries.insert_one(document)
        except Duplicate:
            return self.find(document["_id"], endpoint) or Delivery.of(document)
        return Delivery.of(document)

    def test(self, endpoint: Endpoint, url: str) -> Delivery:
        """Make the delivery of an event that nothing happened for."""
        event = {"id": uuid4().hex, "type": TEST, "at": self._now()}
        return self.add(endpoint, url, event, _message(event, {"webhook": endpoint.id}))

    def endpoints_due(self) -> list[str]:
        """Return the ids of the endpoints that something is due for."""
        with translated():
            found: list[str] = self._deliveries.distinct(
                "endpoint", {"state": "pending", "due_at": {"$lte": self._now()}}
            )
        return found

    def next(self, endpoint: Endpoint) -> Delivery | None:
        """Return what has been due to an endpoint for the longest time."""
        due = {"endpoint": endpoint.id, "state": "pending", "due_at": {"$lte": self._now()}}
        return next(iter(self._find(due, [("due_at", 1)], 1)), None)

    @crashpoints
    def record(
        self, delivery: Delivery, attempt: Mapping[str, Any], state: State, due_at: datetime | None
    ) -> bool:
        """Record what became of an attempt; one that another sender recorded meanwhile stays as it is."""
        found = {"_id": delivery.id, "state": "pending", "tries": delivery.tries}
        update = {
            "$set": {"state": state, "due_at": due_at},
            "$inc": {"tries": 1},
            "$push": {"attempts": {"$each": [dict(attempt)], "$slice": -MAX_ATTEMPTS_KEPT}},
        }
        with translated():
            return self._deliveries.update_one(found, update).matched_count == 1

    @crashpoints
    def replay(self, delivery: Delivery) -> Delivery | None:
        """Make a delivery due again, whatever became of it."""
        again = {"state": "pending", "due_at": self._now(), "tries": 0}
        with translated():
            document = self._deliveries.find_one_and_update(
                {"_id": delivery.id}, {"$set": again}, return_document=ReturnDocument.AFTER
            )
        return None if document is None else Delivery.of(document)

    @crashpoints
    def replay_since(self, endpoint: Endpoint, since: datetime) -> int:
        """Make all that failed since a time due again; return how many."""
        failed = {"endpoint": endpoint.id, "state": "failed", "created_at": {"$gte": since}}
        again = {"state": "pending", "due_at": self._now(), "tries": 0}
        with translated():
            return self._deliveries.update_many(failed, {"$set": again}).modified_count

    @crashpoints
    def give_up(self, endpoint_id: str) -> int:
        """Have nothing due to an endpoint any more: it is paused, and all of it can be replayed."""
        pending = {"endpoint": endpoint_id, "state": "pending"}
        with translated():
            given_up = self._deliveries.update_many(pending, {"$set": {"state": "failed", "due_at": None}})
        return given_up.modified_count

    @crashpoints
    def forget(self, endpoint_id: str) -> None:
        """Delete an endpoint's deliveries."""
        with translated():
            self._deliveries.delete_many({"endpoint": endpoint_id})

    @crashpoints
    def clear(self) -> int:
        """Delete those that are old."""
        with translated():
            return self._deliveries.delete_many({"created_at": {"$lt": self._now() - KEPT}}).deleted_count

    def _find(self, query: Document, order: list[tuple[str, int]], limit: int) -> list[Delivery]:
        with translated():
            found = self._deliveries.find(query).sort(order).limit(limit)
            return [Delivery.of(document) for document in found]


def spread(job: Job, jobs: Jobs, endpoints: Endpoints, deliveries: Deliveries) -> None:
    """Make the deliveries of all that happened to a job, then forget the events in it.

    A process that dies in between makes the same ones again; the other order could lose them.
    """
    for event in job.events:
        body = _message(event, _data(job, event))
        for endpoint in endpoints.all(job.owner):
            if endpoint.url is not None and endpoint.paused is None and event["type"] in endpoint.events:
                deliveries.add(endpoint, endpoint.url, event, body)
        callback = job.options.get("callback_url")
        if callback:
            deliveries.add(endpoints.callbacks(job.owner), callback, event, body)
        jobs.mark_spread(job, event["id"])


def _data(job: Job, event: Mapping[str, Any]) -> Document:
    """Return what an event tells of its job: the outcome as it was then, whatever the job is now."""
    result, error = event["result"], event["error"]
    links = {"job": f"/v1/jobs/{job.id}"}
    if result is not None:
        links["mp3"] = f"/v1/jobs/{job.id}/mp3"
        result = {name: value for name, value in result.items() if name != "blob"}
        result["warnings"] = list(result.get("warnings", ()))[:MAX_WARNINGS]
    return {
        "id": job.id,
        "state": event["type"].removeprefix("job.").replace("partial", "done"),
        "filename": job.source["filename"],
        "created_at": job.created_at.isoformat(),
        "ended_at": event["at"].isoformat(),
        "result": result,
        "error": error and {name: value for name, value in error.items() if name != "log"},
        "links": links,
    }


def _message(event: Mapping[str, Any], data: Document) -> str:
    content = {"type": event["type"], "timestamp": event["at"].isoformat(), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
