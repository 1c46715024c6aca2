"""What is told of the queue: what is known, and no more."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.jobs.outlook import Outlook
from pipeline.broker import BrokerUnavailable
from pipeline.job import Job
from pipeline.job_document import new
from pipeline.job_queries import Converting, Waiting
from pipeline.mongodb import StoreUnavailable, now
from pipeline.speeds import Measured, Sums

SECOND_A_MEGABYTE = Measured({"mp4": Sums(3, 3.0, 6.0, 6.0, 14.0, 14.0)})
NOTHING = Measured({})


@dataclass
class World:
    """A queue, what was measured, and the time."""

    measured: Measured = SECOND_A_MEGABYTE
    queue: list[Waiting] = field(default_factory=list)
    busy: list[Converting] = field(default_factory=list)
    converters: int | None = 1
    time: float = 0.0
    looks: int = 0
    away: bool = False

    def __post_init__(self) -> None:
        self.outlook = Outlook(self, lambda: self.measured, self.count, lambda: self.time)

    def waiting(self, limit: int) -> list[Waiting]:
        self.looks += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.queue[:limit]

    def converting(self) -> list[Converting]:
        return self.busy

    def count(self) -> int:
        if self.converters is None:
            raise BrokerUnavailable("away")
        return self.converters

    def add(self, owner: str = "a", megabytes: float = 10) -> Job:
        job = made("queued", owner)
        size = round(megabytes * 1e6)
        self.queue.append(Waiting(job.id, owner, len(self.queue), job.created_at, "mp4", size))
        return job

    def come_first(self, megabytes: float) -> None:
        self.add("b", megabytes)
        self.queue.insert(0, replace(self.queue.pop(), turn=-1))

    def convert(self, *, megabytes: float = 10, since: float = 0, progress: float = 0.0) -> Job:
        job = made("converting", "b")
        at = now() - timedelta(seconds=since)
        self.busy.append(Converting(job.id, "b", "c", at, progress, "mp4", round(megabytes * 1e6)))
        return job

    def told(self, job: Job) -> tuple[int | None, int | None]:
        return self.outlook.position(job), self.outlook.seconds_left(job)


def made(state: Any, owner: str) -> Job:
    document = new(owner, filename="a.mp4", content_type="video/mp4", options={}, request_id="r")
    return replace(Job.of(document), state=state, source={**document["source"], "size": 10_000_000})


def test_jobs_that_wait_have_a_place_and_a_time() -> None:
    world = World()
    first, second = world.add(), world.add(megabytes=5)

    assert [world.told(first), world.told(second)] == [(1, 10), (2, 15)]


def test_time_passes_between_two_looks() -> None:
    world = World()
    job = world.add()
    world.told(job)
    world.time += 0.9

    assert world.told(job) == (1, 9)
    assert world.looks == 1


def test_nothing_is_told_of_times_before_anything_was_measured() -> None:
    world = World(measured=NOTHING)
    job, running = world.add(), world.convert()

    assert [world.told(job), world.told(running)] == [(1, None), (None, None)]


def test_without_a_converter_no_time_is_told() -> None:
    world = World(converters=0)

    assert world.told(world.add()) == (1, None)


def test_while_the_broker_is_away_the_converters_at_work_count() -> None:
    world = World(converters=None)
    world.convert(megabytes=10)
    world.convert(megabytes=10)

    assert world.told(world.add()) == (1, 20)


def test_the_job_of_a_converter_is_foreseen_by_its_size_and_then_by_its_own_pace() -> None:
    world = World(converters=2)
    young, old = world.convert(since=3), world.convert(since=30, progress=0.75)

    assert [world.told(young), world.told(old)] == [(None, 7), (None, 10)]


def test_a_job_that_takes_longer_than_expected_has_some_time_left_all_the_same() -> None:
    world = World()

    assert world.told(world.convert(since=100, progress=0.05)) == (None, 1)


def test_a_job_that_is_new_is_found_before_the_second_is_over() -> None:
    world = World()
    world.told(world.add())
    world.time += 0.01

    assert world.told(world.add()) == (2, 20)


def test_a_job_that_does_not_wait_for_a_converter_is_looked_for_once() -> None:
    world = World()
    delayed = replace(made("queued", "a"), updated_at=now() - timedelta(seconds=1))
    assert world.told(delayed) == (None, None)
    world.time += 0.01

    assert world.told(delayed) == (None, None)
    assert world.looks == 1


def test_a_job_that_was_done_since_it_was_read_has_nothing_left() -> None:
    world = World()
    done = replace(made("converting", "a"), updated_at=now() - timedelta(seconds=1))

    assert world.told(done) == (None, 0)


def test_a_job_that_was_claimed_a_moment_ago_takes_what_its_size_takes() -> None:
    world = World()
    world.told(world.add())

    assert world.told(made("converting", "a")) == (None, 10)


def test_a_job_that_is_claimed_between_two_looks_is_told_as_claimed() -> None:
    world = World()
    job = world.add()
    world.busy.append(Converting(job.id, "a", "c", now(), 0.0, "mp4", 10_000_000))

    assert world.told(replace(job, state="converting")) == (None, 10)


def test_a_job_that_is_over_has_no_time_left() -> None:
    world = World()

    assert world.told(made("done", "a")) == (None, None)
    assert world.looks == 0


def test_an_outage_of_the_store_is_no_failure() -> None:
    world = World(away=True)

    assert [world.told(world.add()), world.told(world.convert())] == [(None, None), (None, 10)]


def test_of_an_owner_only_his_own_places_are_told() -> None:
    world = World()
    mine = [world.add("a"), world.add("a")]
    world.add("b")

    assert world.outlook.places("a") == {mine[0].id: (1, 10), mine[1].id: (2, 20)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda world: setattr(world, "converters", 1), "1 converters instead of 2"),
        (lambda world: world.come_first(megabytes=500), "1 jobs have come"),
        (lambda world: setattr(world, "measured", Measured({"mp4": Sums(3, 3, 6, 60, 14, 140)})), "longer"),
    ],
)
def test_the_log_tells_why_a_job_ends_over_a_minute_later_than_was_told(change: Any, reason: str) -> None:
    world = World(converters=2)
    jobs = [world.add(megabytes=100) for _ in range(4)]
    world.told(jobs[0])
    change(world)
    world.time += 10

    with capture_logs() as lines:
        world.told(jobs[0])

    assert [line["event"] for line in lines] == ["jobs end later than was told"]
    assert reason in lines[0]["reason"]


def test_a_job_that_ends_as_was_told_is_no_line_in_the_log() -> None:
    world = World()
    job = world.add(megabytes=100)
    world.told(job)
    world.time += 30

    with capture_logs() as lines:
        world.told(job)

    assert lines == []
