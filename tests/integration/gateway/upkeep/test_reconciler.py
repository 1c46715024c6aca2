"""What the reconciler mends, gives up and sweeps away, on a real store."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gateway.settings import Settings
from gateway.upkeep.reconciler import Bells, Reconciler, lease_rules
from gateway.upkeep.retention import Retention
from gateway.upkeep.rules import Rule, apply_all
from gateway.upkeep.sweep import Sweep
from pipeline import mongodb
from pipeline.broker import BrokerUnavailable
from pipeline.files import Blobs, BlobWriter
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import Client, StoreRefused, StoreUnavailable, now

OWNER = "me@example.com"
ERROR = {"code": "not_media", "message": "It is no video.", "hint": "Upload one.", "retryable": False}
DAY = timedelta(days=1)
NOWHERE = "amqp://app:x@127.0.0.1:9/"


@dataclass
class Queue:
    """Takes messages, or is away."""

    away: bool = False
    taken: list[str] = field(default_factory=list)

    def publish(self, queue: str, body: bytes) -> None:
        assert body
        if self.away:
            raise BrokerUnavailable("away")
        self.taken.append(queue)


@dataclass(frozen=True)
class World:
    """The stores, and jobs in every state."""

    client: Client
    jobs: Jobs
    videos: Blobs
    mp3s: Blobs

    def uploading(self) -> Job:
        return self.jobs.begin_upload(
            OWNER, filename="talk.mp4", content_type="video/mp4", options={}, request_id="r"
        )

    def queued(self) -> Job:
        job = self.uploading()
        self.store(self.videos, job.id)
        return some(self.jobs.queue(job.id, size=3, sha256="00", options={}))

    def claimed(self, holder: str = "c1") -> Job:
        return some(self.jobs.claim(self.queued().id, holder))

    def done(self) -> Job:
        job = self.claimed()
        self.store(self.mp3s, job.claimed.blob_id)
        return some(self.jobs.finish(job.claimed, {"blob": job.claimed.blob_id, "size": 3, "complete": True}))

    def split(self) -> Job:
        job = self.claimed()
        for blob_id in job.claimed.blob_ids:
            self.store(self.mp3s, blob_id)
        result = {"blob": job.claimed.blob_id, "size": 3, "complete": True, "parts": [{"number": 1}]}
        return some(self.jobs.finish(job.claimed, result))

    def failed(self) -> Job:
        return some(self.jobs.fail(self.claimed().claimed, ERROR))

    def store(self, blobs: Blobs, blob_id: str) -> None:
        with blobs.create(blob_id, "a") as writer:
            writer.write(b"abc")

    def begin(self, blobs: Blobs, blob_id: str) -> BlobWriter:
        """Store some chunks of a blob and no more."""
        writer = blobs.create(blob_id, "a")
        writer.write(b"x" * 3_000_000)
        writer._wait(0)
        return writer

    def alter(self, job: Job, **values: Any) -> Job:
        changes = {name.replace("__", "."): value for name, value in values.items()}
        self.client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": changes})
        return self.now(job)

    def now(self, job: Job) -> Job:
        return some(self.jobs.get(job.id))

    def pieces(self, database: str) -> set[str]:
        """The ids that have a files document or chunks."""
        files = self.client[database]["fs.files"].distinct("_id")
        return {*files, *self.client[database]["fs.chunks"].distinct("files_id")}


@pytest.fixture
def world(mongodb_url: str) -> Iterator[World]:
    with mongodb.connect(mongodb_url) as client:
        for name in ("jobs", "videos", "mp3s"):
            client.drop_database(name)
        world = World(client, Jobs(client), Blobs(client, "videos"), Blobs(client, "mp3s"))
        for store in (world.jobs, world.videos, world.mp3s):
            store.ensure_indexes()
        yield world


def some(job: Job | None) -> Job:
    assert job is not None
    return job


def tick() -> None:
    """There is no heart to beat here."""


def settings(**values: str) -> Settings:
    return Settings.read({"MONGODB_URL": "mongodb://x", "RABBITMQ_URL": NOWHERE, **values})


def bells(world: World, queue: Queue, waiting: int = 0) -> list[Rule[Job]]:
    return Bells(world.jobs, queue, lambda _: waiting, timedelta(seconds=30)).rules()


def retention(world: World) -> list[Rule[Job]]:
    return Retention(world.jobs, world.videos, world.mp3s, settings()).rules(100)


def sweep(world: World) -> None:
    Sweep(world.jobs, world.videos, world.mp3s).rule().apply(tick)


def rung_lately(job: Job) -> bool:
    return bool(job.doorbell["video"]["rung_at"] > now() - timedelta(minutes=1))


def counted(metric: str, rule: str) -> float:
    return REGISTRY.get_sample_value(f"reconciler_{metric}_total", {"rule": rule}) or 0.0


def test_a_bell_that_is_due_is_rung_once(world: World) -> None:
    queue = Queue()
    job = world.queued()

    apply_all(bells(world, queue), tick)
    apply_all(bells(world, queue), tick)

    assert queue.taken == ["video"]
    assert world.now(job).doorbell["video"]["due_at"] is None


def test_a_bell_that_nobody_answered_is_rung_again_when_its_queue_is_empty(world: World) -> None:
    queue = Queue()
    job = world.queued()
    world.jobs.mark_rung(job, "video")
    world.alter(job, doorbell__video__rung_at=now() - timedelta(seconds=31))

    apply_all(bells(world, queue), tick)

    assert queue.taken == ["video"]


@pytest.mark.parametrize(("messages", "again"), [(3, []), (2, [0]), (1, [0, 1]), (0, [0, 1, 2]), (9, [])])
def test_as_many_bells_are_rung_again_as_there_are_messages_missing(
    world: World, messages: int, again: list[int]
) -> None:
    queue = Queue()
    jobs = [world.queued() for _ in range(3)]
    for number, job in enumerate(jobs):
        world.jobs.mark_rung(job, "video")
        world.alter(job, doorbell__video__rung_at=now() - timedelta(hours=1, minutes=-number))

    apply_all(bells(world, queue, waiting=messages), tick)

    assert len(queue.taken) == len(again)
    assert [n for n, job in enumerate(jobs) if rung_lately(world.now(job))] == again


def test_a_mail_that_nobody_took_up_rings_again(world: World) -> None:
    queue = Queue()
    job = world.failed()
    world.jobs.mark_rung(job, "mp3")
    world.alter(job, doorbell__mp3__rung_at=now() - timedelta(minutes=1))

    apply_all(bells(world, queue), tick)

    assert queue.taken == ["mp3"]


def test_what_a_dead_process_held_is_due_again(world: World) -> None:
    converting, mailing = world.claimed(), some(world.jobs.claim_notice(world.failed().id))
    world.alter(converting, lease__until=now() - timedelta(minutes=1))
    world.alter(mailing, notice__until=now() - timedelta(minutes=1))

    apply_all(lease_rules(world.jobs), tick)

    assert world.now(converting).state == "queued"
    assert world.now(mailing).notice == {**(mailing.notice or {}), "state": "pending", "until": None}


def test_without_a_broker_the_rules_of_the_store_are_applied_all_the_same(world: World) -> None:
    queue = Queue(away=True)
    queued, converting = world.queued(), world.claimed()
    world.alter(converting, lease__until=now() - timedelta(minutes=1))

    Reconciler(settings(), world.client, queue).run_once(tick)

    assert world.now(queued).doorbell["video"]["due_at"] is not None
    assert world.now(converting).state == "queued"


def test_a_rule_that_meets_a_bug_is_counted_and_stands_in_nobodys_way(world: World) -> None:
    first, second = world.queued(), world.queued()
    mended: list[str] = []

    def mend(job: Job) -> bool:
        if job.id == first.id:
            raise KeyError("a bug")
        mended.append(job.id)
        return True

    def find() -> list[Job]:
        raise KeyError("another bug")

    before = counted("failures", "picky"), counted("repairs", "picky"), counted("failures", "blind")
    apply_all([Rule("blind", find, mend), Rule("picky", lambda: [first, second], mend)], tick)
    after = counted("failures", "picky"), counted("repairs", "picky"), counted("failures", "blind")

    assert mended == [second.id]
    assert [late - early for early, late in zip(before, after, strict=True)] == [1, 1, 1]


def test_what_the_store_refuses_of_one_job_stands_in_no_others_way(world: World) -> None:
    first, second = world.queued(), world.queued()
    mended: list[str] = []

    def mend(job: Job) -> bool:
        if job.id == first.id:
            raise StoreRefused("this document only")
        mended.append(job.id)
        return True

    apply_all([Rule("any", lambda: [first, second], mend)], tick)

    assert mended == [second.id]


def test_when_the_store_is_away_the_pass_ends_and_says_so() -> None:
    def find() -> list[Job]:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        apply_all([Rule("any", find, lambda _: True)], tick)


def test_two_reconcilers_at_once_take_a_job_back_once(world: World) -> None:
    converting = [world.claimed(f"c{n}") for n in range(10)]
    for job in converting:
        world.alter(job, lease__until=now() - timedelta(minutes=1))
    before = counted("repairs", "lease expired")

    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(apply_all, lease_rules(world.jobs), tick)

    assert counted("repairs", "lease expired") - before == 10
    assert [world.now(job).version - job.version for job in converting] == [1] * 10


def test_an_upload_that_never_ended_leaves_nothing(world: World) -> None:
    old, young = world.uploading(), world.uploading()
    world.alter(old, created_at=now() - timedelta(hours=25))
    for job in (old, young):
        with world.videos.create(job.id, "a") as writer:
            writer.write(b"abc")

    apply_all(retention(world), tick)

    assert world.jobs.get(old.id) is None
    assert world.pieces("videos") == {young.id}


def test_the_video_of_a_success_is_kept_for_a_day_and_that_of_a_failure_for_a_week(world: World) -> None:
    jobs = {name: make() for name, make in (("done", world.done), ("failed", world.failed))}
    young = world.done()
    for job in jobs.values():
        world.alter(job, ended_at=now() - 1.1 * DAY)

    apply_all(retention(world), tick)

    assert world.pieces("videos") == {jobs["failed"].id, young.id}
    assert not world.now(jobs["done"]).source["kept"]
    assert world.now(jobs["done"]).state == "done"
    assert world.pieces("mp3s") == {f"{job.id}.1" for job in (jobs["done"], young)}


def test_files_are_kept_for_a_week_and_jobs_for_a_month(world: World) -> None:
    ended = {"week": world.split(), "failed": world.failed(), "month": world.done()}
    for name, days in (("week", 8), ("failed", 8), ("month", 31)):
        world.alter(ended[name], ended_at=now() - days * DAY)

    apply_all(retention(world), tick)

    assert [world.now(ended[name]).state for name in ("week", "failed")] == ["expired", "expired"]
    assert world.jobs.get(ended["month"].id) is None
    assert world.pieces("videos") == world.pieces("mp3s") == set()


def test_the_sweep_leaves_what_a_job_wants_or_is_about_to_want(world: World) -> None:
    uploading, converting, done = world.uploading(), world.claimed(), world.split()
    unfinished = [
        world.begin(world.videos, uploading.id),
        *(world.begin(world.mp3s, blob_id) for blob_id in converting.claimed.blob_ids),
    ]
    before = world.pieces("videos"), world.pieces("mp3s")

    sweep(world)

    assert (world.pieces("videos"), world.pieces("mp3s")) == before
    assert before[1] == {*converting.claimed.blob_ids, *done.blob_ids}
    for writer in unfinished:
        writer.commit()


LEFT_BEHIND: dict[str, Callable[[World], tuple[str, str]]] = {}


def left_behind(name: str) -> Callable[[Callable[[World], tuple[str, str]]], None]:
    def remember(make: Callable[[World], tuple[str, str]]) -> None:
        LEFT_BEHIND[name] = make

    return remember


@left_behind("the video of a job that is gone")
def _(world: World) -> tuple[str, str]:
    job = world.queued()
    world.client["jobs"]["jobs"].delete_one({"_id": job.id})
    return "videos", job.id


@left_behind("a video that was given up and not deleted")
def _(world: World) -> tuple[str, str]:
    job = world.done()
    world.jobs.release_source(job)
    return "videos", job.id


@left_behind("the chunks of an upload that was killed")
def _(world: World) -> tuple[str, str]:
    job = world.uploading()
    world.begin(world.videos, job.id)
    world.jobs.discard(job.id)
    return "videos", job.id


@left_behind("the MP3 of a converter that lost its lease")
def _(world: World) -> tuple[str, str]:
    job = world.claimed()
    world.store(world.mp3s, job.claimed.blob_id)
    world.alter(job, lease__until=now() - timedelta(minutes=5))
    world.jobs.claim(job.id, "another")
    return "mp3s", job.claimed.blob_id


@left_behind("the parts of a converter that was killed before it stored the MP3")
def _(world: World) -> tuple[str, str]:
    job = world.claimed()
    world.begin(world.mp3s, job.claimed.parts_id)
    world.jobs.give_back(job.claimed)
    return "mp3s", job.claimed.parts_id


@left_behind("the parts of an earlier run")
def _(world: World) -> tuple[str, str]:
    job = world.split()
    world.jobs.retry(job.id, OWNER)
    return "mp3s", job.claimed.parts_id


@left_behind("the parts of an MP3 that was not split any more")
def _(world: World) -> tuple[str, str]:
    job = world.done()
    world.store(world.mp3s, job.claimed.parts_id)
    return "mp3s", job.claimed.parts_id


@left_behind("the MP3 of an attempt that was given back")
def _(world: World) -> tuple[str, str]:
    job = world.claimed()
    world.store(world.mp3s, job.claimed.blob_id)
    world.jobs.give_back(job.claimed)
    return "mp3s", job.claimed.blob_id


@left_behind("the MP3 of an earlier run")
def _(world: World) -> tuple[str, str]:
    job = world.done()
    world.jobs.retry(job.id, OWNER)
    return "mp3s", job.claimed.blob_id


@left_behind("the MP3 of a job whose files expired")
def _(world: World) -> tuple[str, str]:
    job = world.done()
    world.jobs.expire(job)
    return "mp3s", job.claimed.blob_id


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_the_sweep_removes_all_of_what_no_job_wants(world: World, name: str) -> None:
    database, blob_id = LEFT_BEHIND[name](world)
    others = world.done()
    before = counted("repairs", "blob unwanted")

    sweep(world)

    assert blob_id not in world.pieces(database)
    assert others.id in world.pieces("videos")
    assert others.claimed.blob_id in world.pieces("mp3s")
    assert counted("repairs", "blob unwanted") - before >= 1


def test_the_sweep_leaves_alone_what_other_tools_stored(world: World) -> None:
    world.store(world.videos, "holiday.mp4")
    world.store(world.videos, "abc")

    sweep(world)

    assert world.pieces("videos") == {"holiday.mp4", "abc"}


def test_the_sweep_runs_at_the_start_and_then_when_it_is_due(world: World) -> None:
    reconciler = Reconciler(settings(SWEEP_EVERY="3600"), world.client, Queue())
    reconciler.run_once(tick)
    world.store(world.videos, "f" * 32)

    reconciler.run_once(tick)

    assert world.pieces("videos") == {"f" * 32}
    Reconciler(settings(SWEEP_EVERY="3600"), world.client, Queue()).run_once(tick)
    assert world.pieces("videos") == set()
