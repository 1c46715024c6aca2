"""One stream of everything that happens to one's jobs."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from dev.program import Running
from pipeline import mongodb
from tests.integration.gateway.conftest import Gateway, StartGateway, Stores, some, wait_until
from tests.integration.gateway.uploads import tus

SECONDS = 30.0


class Listener:
    """Reads a stream, event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.last_id = ""

    def next(self) -> tuple[str, dict[str, object]]:
        """The next event with data: its kind and them."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            fields[name] = value
            if not line:
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    return fields["event"], json.loads(fields["data"])
                fields = {}
        raise EOFError

    def until(self, kind: str, **wanted: object) -> list[tuple[str, dict[str, object]]]:
        """All events up to the one that is wanted."""
        found: list[tuple[str, dict[str, object]]] = []
        while not found or found[-1][0] != kind or not wanted.items() <= found[-1][1].items():
            found.append(self.next())
        return found


@contextmanager
def listening(client: httpx.Client, **headers: str) -> Iterator[Listener]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream("GET", "/v1/events", headers=named, timeout=SECONDS) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        listener = Listener(answer)
        for line in listener._lines:  # the stream is open when this came
            if line.startswith("retry"):
                break
        yield listener


def test_a_job_is_told_from_its_upload_to_its_deletion_and_only_to_its_owner(
    me: httpx.Client, other: httpx.Client, stores: Stores
) -> None:
    with listening(me) as mine, listening(other) as others:
        job_id = me.post("/v1/jobs?name=a", content=b"\0video").json()["jobs"][0]["id"]
        mine.until("job", id=job_id, state="queued")
        stores.finished(some(stores.jobs.get(job_id)))
        told = mine.until("job", id=job_id, state="done")
        assert told[-1][1] == me.get(f"/v1/jobs/{job_id}").json()
        me.delete(f"/v1/jobs/{job_id}")
        mine.until("deleted", id=job_id)

        theirs = stores.queued("other@example.com")
        assert [event["id"] for _, event in others.until("job")] == [theirs.id]


def test_a_resumable_upload_is_told_as_it_arrives_and_is_the_job_of_the_same_id(
    me: httpx.Client, stores: Stores
) -> None:
    del stores
    data = tus.video(3000)
    with listening(me) as mine:
        place = tus.begin(me, len(data))
        upload_id = place.rpartition("/")[2]
        mine.until("upload", id=upload_id, offset=0, length=3000, filename="talk.mp4")
        tus.patch(me, place, 0, data[:1000])
        mine.until("upload", id=upload_id, offset=1000)
        tus.patch(me, place, 1000, data[1000:])
        mine.until("job", id=upload_id, state="queued")

        given_up = tus.begin(me, 10)
        mine.until("upload", id=given_up.rpartition("/")[2])
        me.delete(given_up, headers=tus.TUS)
        mine.until("deleted", id=given_up.rpartition("/")[2])


def test_a_change_is_told_within_a_second(me: httpx.Client, stores: Stores) -> None:
    with listening(me) as mine:
        first = stores.queued()
        mine.until("job", id=first.id)
        began = time.monotonic()
        stores.jobs.cancel(first.id, "me@example.com")
        mine.until("job", state="canceled")

    assert time.monotonic() - began < 5  # a second, on a machine that does nothing else


def test_who_lost_the_connection_misses_nothing(me: httpx.Client, stores: Stores) -> None:
    kept, gone = stores.queued(), stores.failed(stores.queued())
    with listening(me) as mine:
        mine.until("job", id=stores.queued().id)
        last = mine.last_id
    stores.jobs.cancel(kept.id, "me@example.com")
    me.delete(f"/v1/jobs/{gone.id}")

    with listening(me, Last_Event_ID=last) as mine:
        told = [mine.next() for _ in range(3)]

    assert ("deleted", {"id": gone.id}) in told
    assert any(event.get("id") == kept.id and event["state"] == "canceled" for _, event in told)


@pytest.mark.parametrize(
    ("seen", "first"), [("1", "reset"), ("0", "reset"), ("x", "job"), ("9" * 15, "job"), ("9" * 14, "job")]
)
def test_whatever_the_last_event_is_said_to_have_been_the_stream_goes_on(
    me: httpx.Client, stores: Stores, seen: str, first: str
) -> None:
    with listening(me, Last_Event_ID=seen) as mine:
        stores.queued()
        kind, _ = mine.next()

    assert kind == first


def test_a_stream_ends_when_its_user_is_logged_out(gateway: Gateway, stores: Stores) -> None:
    del stores
    with gateway.client("ender@example.com") as client, listening(client) as mine:
        gateway.auth.revocations["ender@example.com"] = int(time.time()) + 1

        with pytest.raises(EOFError):
            mine.next()


def test_a_stream_goes_on_over_an_outage_of_the_store(
    start_gateway: StartGateway, stores: Stores, mongodb_server: Running
) -> None:
    gateway = start_gateway()
    with gateway.client() as client, listening(client) as mine:
        mine.until("job", id=stores.queued().id)
        mongodb_server.kill()
        mongodb_server.start()
        wait_until(lambda: reaches(stores.client))
        job = stores.queued()

        mine.until("job", id=job.id)


def reaches(client: mongodb.Client) -> bool:
    """Whether the test's own connections are good again: the first use of a cut one is an error."""
    try:
        mongodb.ping(client)
    except mongodb.StoreUnavailable:
        return False
    return True


def test_a_gateway_that_stops_ends_its_streams_at_once(start_gateway: StartGateway, stores: Stores) -> None:
    del stores
    gateway = start_gateway()
    with gateway.client() as client, listening(client) as mine:
        began = time.monotonic()
        gateway.running.stop()

        with pytest.raises((EOFError, httpx.RemoteProtocolError)):
            mine.next()
    assert time.monotonic() - began < 15


def test_deletions_are_forgotten_when_nobody_can_ask_for_them_any_more(
    me: httpx.Client, stores: Stores
) -> None:
    first, second = (stores.failed(stores.queued()) for _ in range(2))
    me.delete(f"/v1/jobs/{first.id}")
    collection = stores.client["jobs"]["deletions"]
    collection.update_one({"_id": first.id}, {"$set": {"at": mongodb.now() - timedelta(hours=3)}})

    me.delete(f"/v1/jobs/{second.id}")

    assert [document["_id"] for document in collection.find()] == [second.id]
    since = stores.jobs.deletions.since(["me@example.com"], datetime(2020, 1, 1, tzinfo=UTC))
    assert [deletion.job_id for deletion in since] == [second.id]


def test_a_job_that_cannot_be_deleted_is_not_told_to_be(stores: Stores) -> None:
    job = stores.queued()

    assert stores.jobs.delete(job.id, "me@example.com") is None
    assert stores.client["jobs"]["deletions"].count_documents({}) == 0
