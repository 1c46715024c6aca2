"""Everybody who follows an owner's jobs is told what changes, whatever the clocks say."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.jobs.changes import Change, Changes, Follower, TooLongAgo
from pipeline.deletions import Deletion
from pipeline.job import Job
from pipeline.mongodb import StoreUnavailable, now
from pipeline.upload_store import State, Upload

SKEW = timedelta(seconds=30)


class Store:
    """Jobs and deletions that a test sets; counts how often it is looked at."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.gone: list[Deletion] = []
        self.uploads: dict[str, Upload] = {}
        self.deletions: Any = self
        self.looked = 0
        self.away = False

    def put(self, job_id: str, version: int, owner: str = "me", at: datetime | None = None) -> None:
        unset: dict[str, Any] = dict.fromkeys(
            ("ended_at", "media", "phase", "result", "error", "notice"), None
        )
        job = Job(
            id=job_id, owner=owner, state="queued", version=version, created_at=now(), updated_at=at or now(),
            attempt=0, request_id="", source={}, options={}, progress=0.0, lease={}, doorbell={}, **unset,
        )  # fmt: skip
        self.jobs[job_id] = job

    def delete(self, job_id: str) -> None:
        self.gone.append(Deletion(job_id, self.jobs.pop(job_id).owner, now()))

    def versions_since(self, owners: Collection[str], time: datetime) -> dict[str, int]:
        self.looked += 1
        if self.away:
            raise StoreUnavailable("away")
        return {job.id: job.version for job in self._of(owners) if job.updated_at >= time}

    def put_upload(self, upload_id: str, offset: int, state: State) -> None:
        self.uploads[upload_id] = Upload(
            id=upload_id, owner="me", state=state, generation=1, held=True, length=9, deferred=False,
            offset=offset, chunk_bytes=1, filename="talk.mp4", content_type="", options={}, metadata="",
            request_id="", created_at=now(), updated_at=now(), expires_at=now(),
        )  # fmt: skip

    def changed_since(self, owners: Collection[str], time: datetime) -> list[Upload]:
        mine = [upload for upload in self.uploads.values() if upload.owner in owners]
        return [upload for upload in mine if upload.updated_at >= time]

    def since(self, owners: Collection[str], time: datetime) -> list[Deletion]:
        return [deletion for deletion in self.gone if deletion.owner in owners and deletion.at >= time]

    def among(self, job_ids: Collection[str]) -> dict[str, Job]:
        return {job_id: self.jobs[job_id] for job_id in job_ids if job_id in self.jobs}

    def _of(self, owners: Collection[str]) -> list[Job]:
        return [job for job in self.jobs.values() if job.owner in owners]


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    stopping = threading.Event()
    yield stopping
    stopping.set()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def changes(store: Store, stopping: threading.Event) -> Changes:
    return Changes(store, store, SKEW, stopping)


def told(follower: Follower, wanted: Callable[[list[tuple[str, int | None]]], bool]) -> list[tuple[str, Any]]:
    """What a follower was told until it is what was wanted: ids with versions, without for the deleted."""
    found: list[tuple[str, int | None]] = []
    deadline = time.monotonic() + 20
    while not wanted(found):
        assert time.monotonic() < deadline, found
        found += [(change.id, version_of(change)) for change in follower.take(1)]
    return found


def version_of(change: Change) -> int | None:
    """The version of a job, the offset of an upload; nothing of what is gone."""
    match change.subject:
        case None:
            return None
        case Job() as job:
            return job.version
        case Upload() as upload:
            return upload.offset


def test_an_upload_is_told_as_far_as_it_is_until_it_is_a_job_or_gone(store: Store, changes: Changes) -> None:
    with changes.follow("me") as follower:
        store.put_upload("a", 3, "receiving")
        assert told(follower, bool) == [("a", 3)]
        store.put_upload("a", 6, "receiving")
        assert told(follower, bool) == [("a", 6)]
        store.put_upload("a", 9, "queued")
        store.put("a", 1)
        assert told(follower, bool) == [("a", 1)]
        store.put_upload("b", 3, "terminated")
        assert told(follower, bool) == [("b", None)]


def test_a_new_version_is_told_once_to_everybody_who_follows_and_to_no_other(
    store: Store, changes: Changes
) -> None:
    with changes.follow("me") as one, changes.follow("me") as two, changes.follow("you") as other:
        store.put("a", 1)
        store.put("b", 1, owner="you")
        assert told(one, bool) == told(two, bool) == [("a", 1)]
        store.put("a", 2)

        assert told(one, bool) == told(two, bool) == [("a", 2)]
        assert told(other, bool) == [("b", 1)]
        store.put("c", 1)
        assert told(one, bool) == [("c", 1)]  # and no word of `a` again, though each look finds it


def test_what_a_clock_that_is_behind_dates_back_is_told(store: Store, changes: Changes) -> None:
    with changes.follow("me") as follower:
        looked = store.looked
        wait_for(lambda: store.looked > looked + 1)
        store.put("a", 1, at=now() - timedelta(seconds=29))

        assert told(follower, bool) == [("a", 1)]


def test_a_deletion_is_told_once_the_job_is_gone(store: Store, changes: Changes) -> None:
    with changes.follow("me") as follower:
        store.put("a", 1)
        told(follower, bool)
        store.gone.append(Deletion("a", "me", now()))  # noted, and not done yet
        looked = store.looked
        wait_for(lambda: store.looked > looked + 1)
        store.put("b", 1)
        assert told(follower, bool) == [("b", 1)]

        del store.jobs["a"]

        assert told(follower, bool) == [("a", None)]


def test_an_outage_ends_and_nothing_was_missed(store: Store, changes: Changes) -> None:
    with changes.follow("me") as follower:
        store.away = True
        looked = store.looked
        wait_for(lambda: store.looked > looked + 1)
        store.put("a", 1)
        store.away = False

        assert told(follower, bool) == [("a", 1)]


def test_of_a_job_that_changes_often_only_the_latest_waits(store: Store) -> None:
    follower = Follower("me")
    store.put("a", 1)
    first = Change("a", "me", now(), store.jobs["a"])

    for version in range(2, 100):
        follower.tell([replace(first, subject=replace(store.jobs["a"], version=version))])

    assert [version_of(change) for change in follower.take(0)] == [99]
    assert follower.take(0) == []


def test_nobody_looks_when_nobody_follows_and_again_when_somebody_does(
    store: Store, changes: Changes
) -> None:
    with changes.follow("me"):
        wait_for(lambda: store.looked > 0)
    wait_for(lambda: changes._thread is None)
    store.put("a", 1)

    with changes.follow("me") as follower:
        store.put("b", 1)
        assert told(follower, bool) == [("b", 1)]  # and not what was before


def test_a_process_that_stops_ends_all_waiting(changes: Changes, stopping: threading.Event) -> None:
    with changes.follow("me") as follower:
        began = time.monotonic()
        threading.Timer(0.2, stopping.set).start()

        assert follower.take(20) == []
        assert time.monotonic() - began < 10
        assert changes.stopping


def test_who_comes_back_is_told_what_changed_meanwhile_and_what_was_deleted(
    store: Store, changes: Changes
) -> None:
    store.put("old", 1, at=now() - timedelta(minutes=20))
    store.put("a", 1)
    store.put("b", 1)
    store.delete("b")

    found = changes.since("me", now() - timedelta(minutes=10))

    assert {(change.id, change.subject is None) for change in found} == {("a", False), ("b", True)}


def test_who_was_away_for_too_long_is_told_so(changes: Changes) -> None:
    with pytest.raises(TooLongAgo):
        changes.since("me", datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=1))


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.01)
