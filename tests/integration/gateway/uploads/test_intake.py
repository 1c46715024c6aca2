"""Uploads while MongoDB misbehaves, in this process, on the real store."""

import io
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask, request
from flask.ctx import RequestContext
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from chassis.web import Problem
from gateway.door.shares import Shares
from gateway.settings import Settings
from gateway.uploads.limits import FreeSpace, Limits
from gateway.uploads.queueing import Queueing
from gateway.uploads.terms import Terms
from gateway.uploads.uploads import UNDO_AT_ONCE, Uploads
from pipeline.broker import BrokerUnavailable
from pipeline.idempotency import IdempotencyKeys, Remembered
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreUnavailable
from tests.integration.gateway.conftest import Stores

SETTINGS = Settings.read({"MONGODB_URL": "-", "RABBITMQ_URL": "-", "MIN_FREE_BYTES": "1000"})
OWNER = "me@example.com"


class Queues:
    """Takes every message, or is away."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.away = False

    def publish(self, queue: str, body: bytes) -> None:
        del body
        if self.away:
            raise BrokerUnavailable("away")
        self.published.append(queue)


class AnswerLost(Jobs):
    """Queues a job, but the answer never arrives."""

    def queue(self, job_id: str, *, size: int, sha256: str, options: Mapping[str, Any]) -> Job | None:
        super().queue(job_id, size=size, sha256=sha256, options=options)
        raise StoreUnavailable("the answer was lost")


class NotQueued(Jobs):
    """Cannot queue a job."""

    def queue(self, *_: Any, **__: Any) -> Job | None:
        raise StoreUnavailable("away")


class Discarded(Jobs):
    """Finds that the reconciler took the upload for abandoned."""

    def queue(self, job_id: str, *, size: int, sha256: str, options: Mapping[str, Any]) -> Job | None:
        self.discard(job_id)
        return super().queue(job_id, size=size, sha256=sha256, options=options)


class GoneForGood(NotQueued):
    """Cannot even clear up."""

    def discard(self, *_: Any) -> bool:
        raise StoreUnavailable("still away")


class Overtaken(Jobs):
    """Finds that another request with the key was faster."""

    def queue(self, job_id: str, *, size: int, sha256: str, options: Mapping[str, Any]) -> Job | None:
        super().queue(job_id, size=size, sha256=sha256, options=options)
        return super().queue(job_id, size=size, sha256=sha256, options=options)


class Dying(Jobs):
    """Queues so many jobs and does nothing more, as in a process that dies."""

    def __init__(self, stores: Stores, queued: int) -> None:
        super().__init__(stores.client)
        self._left = queued

    def queue(self, job_id: str, *, size: int, sha256: str, options: Mapping[str, Any]) -> Job | None:
        self._left -= 1
        if self._left < 0:
            raise StoreUnavailable("dead")
        return super().queue(job_id, size=size, sha256=sha256, options=options)

    def discard(self, job_id: str) -> bool:
        raise StoreUnavailable(f"dead: {job_id} stays")


class SecondPlace(IdempotencyKeys):
    """Finds that another request was first with the key."""

    def __init__(self, stores: Stores, first: Remembered) -> None:
        super().__init__(stores.client)
        self._first = first

    def find(self, owner: str, key: str) -> Remembered | None:
        del owner, key
        return None

    def remember(self, owner: str, key: str, job_ids: object, fingerprint: str) -> Remembered:
        del owner, key, job_ids
        made = self._first
        return Remembered(made.job_ids, made.fingerprint or fingerprint)


def uploads(stores: Stores, **changes: Any) -> Uploads:
    limits = Limits(SETTINGS, stores.jobs, stores.uploads, lambda: None)  # type: ignore[arg-type]  # called, and no more
    parts = {"jobs": stores.jobs, "videos": stores.videos, "publisher": Queues()}
    queueing = Queueing(**{name: changes.pop(name, part) for name, part in parts.items()})
    own = {"keys": IdempotencyKeys(stores.client), "limits": limits, "max_bytes": 10**6}
    own |= {"at_once": 4, "shares": Shares("uploads", 4), "stopping": threading.Event()}
    return Uploads(queueing, **{**own, **changes})


def posted(files: int, **headers: str) -> RequestContext:
    """A form with so many files."""
    content = {f"file {n}": FileStorage(io.BytesIO(b"\0video %d" % n), "talk.mp4") for n in range(files)}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    # Werkzeug makes boundaries of its own up, some of them too long.
    named["Content-Type"] = "multipart/form-data; boundary=b"
    body = encode_multipart(content, "b")[1]
    return Flask("x").test_request_context("/", method="POST", data=body, headers=named)


def receive(to: Uploads, files: int = 1, **headers: str) -> list[Job]:
    with posted(files, **headers):
        return to.receive(request, OWNER, "r", Terms(options={}))


def test_an_upload_whose_queueing_was_done_but_not_answered_is_a_success(stores: Stores) -> None:
    [job] = receive(uploads(stores, jobs=AnswerLost(stores.client)))

    assert job.state == "queued"
    assert stores.chunks() == 1


def test_an_upload_that_another_request_with_its_key_queued_is_a_success(stores: Stores) -> None:
    [job] = receive(uploads(stores, jobs=Overtaken(stores.client)), Idempotency_Key="k")

    assert job.state == "queued"
    assert (stores.documents(), stores.chunks()) == (1, 1)


@pytest.mark.parametrize("queued", [0, 1, 2])
def test_who_sends_again_finishes_what_died_between_storing_and_queueing(stores: Stores, queued: int) -> None:
    queues = Queues()
    with pytest.raises(StoreUnavailable, match="dead"):
        receive(uploads(stores, jobs=Dying(stores, queued)), 3, Idempotency_Key="k")

    jobs = receive(uploads(stores, publisher=queues), 3, Idempotency_Key="k")

    assert [job.state for job in jobs] == ["queued"] * 3
    assert [job.source["sha256"] for job in jobs] == [stores.videos.find(job.id).sha256 for job in jobs]
    assert queues.published == ["video"] * (3 - queued)
    assert (stores.documents(), stores.chunks()) == (3, 3)


def test_who_sends_again_while_the_first_try_is_given_up_is_asked_for_a_third(stores: Stores) -> None:
    with pytest.raises(StoreUnavailable, match="dead"):
        receive(uploads(stores, jobs=Dying(stores, 0)), Idempotency_Key="k")
    [job_id] = stores.videos.ids("")
    stores.videos.delete(job_id)

    with pytest.raises(Problem) as problem:
        receive(uploads(stores), Idempotency_Key="k")

    assert problem.value.status == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("jobs", [NotQueued, Discarded])
def test_an_upload_that_could_not_be_queued_leaves_nothing(stores: Stores, jobs: type[Jobs]) -> None:
    with pytest.raises((StoreUnavailable, Problem)):
        receive(uploads(stores, jobs=jobs(stores.client)))

    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_what_cannot_be_cleared_up_now_is_left_to_the_reconciler(stores: Stores) -> None:
    with pytest.raises(StoreUnavailable, match=r"^away"):
        receive(uploads(stores, jobs=GoneForGood(stores.client)))

    assert (stores.documents(), stores.chunks()) == (1, 1)


def test_an_upload_needs_no_broker(stores: Stores) -> None:
    queues = Queues()
    queues.away = True

    [job] = receive(uploads(stores, publisher=queues))

    assert (job.state, queues.published) == ("queued", [])
    assert stores.jobs.due("video", 10)[0].id == job.id


def test_an_upload_rings_when_there_is_a_broker(stores: Stores) -> None:
    queues = Queues()

    receive(uploads(stores, publisher=queues))

    assert queues.published == ["video"]
    assert stores.jobs.due("video", 10) == []


def test_who_is_second_with_a_key_gets_the_jobs_of_the_first(stores: Stores) -> None:
    first = receive(uploads(stores))
    keys = SecondPlace(stores, Remembered((first[0].id,), ""))

    again = receive(uploads(stores, keys=keys), Idempotency_Key="k")

    assert [job.id for job in again] == [job.id for job in first]
    assert (stores.documents(), stores.chunks()) == (1, 1)


def test_who_is_second_with_a_key_and_another_file_is_refused(stores: Stores) -> None:
    keys = SecondPlace(stores, Remembered(("x",), "another"))

    with pytest.raises(Problem) as told:
        receive(uploads(stores, keys=keys), Idempotency_Key="k")

    assert told.value.code == "key_used_otherwise"
    assert (stores.documents(), stores.chunks()) == (0, 0)


@pytest.mark.parametrize(("free", "taken"), [(None, True), (2000, True), (1001, False), (0, False)])
def test_the_stores_disk_keeps_a_reserve(stores: Stores, free: int | None, *, taken: bool) -> None:
    limits = Limits(SETTINGS, stores.jobs, stores.uploads, lambda: free)  # type: ignore[arg-type]  # called, and no more

    if taken:
        assert receive(uploads(stores, limits=limits))
        return
    with pytest.raises(Problem) as told:
        receive(uploads(stores, limits=limits))
    assert (told.value.code, told.value.status) == ("out_of_space", 507)


def test_more_files_than_a_request_may_hold_are_refused(stores: Stores) -> None:
    with posted(3), pytest.raises(Problem, match="more than 2 files"):
        uploads(stores).receive(request, OWNER, "r", Terms(options={}, max_files=2))

    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_free_space_is_what_the_server_says_and_asked_seldom(stores: Stores) -> None:
    said = stores.client["jobs"].command("dbStats")
    space = FreeSpace(stores.client)

    assert (space() is None) == ("fsTotalSize" not in said)
    asked_at = space._asked_at
    space()
    assert space._asked_at == asked_at


class Busy(Jobs):
    """Notes how many uploads are discarded at the same time, and waits a little for one too many."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(stores.client)
        self.now = self.most = 0
        self._too_many = threading.Event()

    def discard(self, job_id: str) -> bool:
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now > UNDO_AT_ONCE:
            self._too_many.set()
        self._too_many.wait(0.5)
        self.now -= 1
        return super().discard(job_id)


def test_of_uploads_that_break_off_together_a_few_at_a_time_are_cleared_up(stores: Stores) -> None:
    jobs, many = Busy(stores), 3 * UNDO_AT_ONCE
    to = uploads(stores, jobs=jobs, at_once=many, shares=Shares("uploads", many), max_bytes=3)

    with ThreadPoolExecutor(many) as pool:
        refused = [pool.submit(receive, to) for _ in range(many)]

    assert {upload.exception().code for upload in refused} == {"too_large"}  # type: ignore[union-attr]  # a Problem
    assert 0 < jobs.most <= UNDO_AT_ONCE
    assert (stores.documents(), stores.chunks()) == (0, 0)
