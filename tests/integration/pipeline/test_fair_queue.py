"""Whose turn it is, on a real store, and with the messages of a real RabbitMQ."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from chassis.admin import Heartbeat
from pipeline import broker, mongodb
from pipeline.broker import Publisher
from pipeline.consumer import Consumer
from pipeline.doorbell import ring
from pipeline.fair_queue import WINDOW, FairQueue, order
from pipeline.job import Job
from pipeline.job_queries import Waiting
from pipeline.jobs import MAX_ATTEMPTS, Jobs
from pipeline.mongodb import Client, StoreUnavailable, now
from pipeline.turns import Turns
from pipeline.worker import Answerer
from tests.integration.rabbitmqctl import Rabbit, is_not_raised, wait_for

RESULT = {"blob": "x.1", "size": 3, "sha256": "00", "duration": 1.0, "complete": True, "warnings": []}
NONE = "0" * 32
"""The id of no job: what a message names says nothing of what is claimed."""


class Forgetful(Turns):
    """A store that is cut off before the turn is noted."""

    def serve(self, owner: str, turn: int) -> None:
        raise StoreUnavailable(f"{owner}: {turn}")


class Mute(Jobs):
    """A store that claims, and whose answer is lost the first time."""

    answers = False

    def claim(self, job_id: str, holder: str) -> Job | None:
        job = super().claim(job_id, holder)
        if job is not None and not self.answers:
            self.answers = True
            raise StoreUnavailable("cut off")
        return job


@dataclass
class Line:
    """Jobs that wait, as if RabbitMQ had taken each message, and converters that claim them."""

    client: Client
    jobs: Jobs
    queue: FairQueue
    names: dict[str, str] = field(default_factory=dict)

    def add(self, *names: str, rung: bool = True) -> list[Job]:
        """Queue a job for each name; its first letter is the owner."""
        return [self._add(name, rung) for name in names]

    def _add(self, name: str, rung: bool) -> Job:  # noqa: FBT001 - said by its name in `add`
        begun = self.jobs.begin_upload(
            name[0], filename=name, content_type="video/mp4", options={}, request_id="r"
        )
        job = some(self.jobs.queue(begun.id, size=3, sha256="00", options={}))
        self.names[job.id] = name
        if rung:
            assert self.jobs.mark_rung(job, "video")
        return job

    def claim(self, holder: str = "c", hint: str = NONE) -> Job | None:
        return self.queue.claim(hint, holder)

    def served(self, most: int = 1000) -> list[str]:
        """Let one converter work, job after job, and return their names."""
        names: list[str] = []
        while len(names) < most and (job := self.claim()) is not None:
            names.append(self.names.get(job.id, job.owner))
            assert self.jobs.finish(job.claimed, RESULT)
        return names

    def multiply(self, job: Job, times: int) -> None:
        """Have as many jobs like this one wait after it, each a turn later."""
        jobs = self.client["jobs"]["jobs"]
        document = jobs.find_one({"_id": job.id})
        assert document is not None
        jobs.insert_many(
            {**document, "_id": f"{number:032x}", "turn": job.turn + number} for number in range(1, times + 1)
        )


@pytest.fixture
def line(mongodb_url: str) -> Iterator[Line]:
    with mongodb.connect(mongodb_url) as client:
        client.drop_database("jobs")
        jobs = Jobs(client)
        jobs.ensure_indexes()
        yield Line(client, jobs, FairQueue(jobs, Turns(client)))


def some(job: Job | None) -> Job:
    assert job is not None
    return job


# -- the order ----------------------------------------------------------------------------------


def test_owners_are_served_in_turn_and_each_in_order(line: Line) -> None:
    line.add("a1", "a2", "a3", "b1", "b2", "c1")

    assert line.served() == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_after_a_thousand_of_one_owner_the_first_of_another_is_next(line: Line) -> None:
    [first] = line.add("a1")
    line.multiply(first, 999)
    assert line.served(100) == ["a1", *["a"] * 99]

    line.add("b1")

    assert line.served(1) == ["b1"]


def test_who_comes_late_has_not_saved_up_turns(line: Line) -> None:
    line.add("a1", "a2", "a3", "a4", "a5")
    line.served(3)

    line.add("b1", "b2", "b3", "b4")

    assert line.served() == ["b1", "a4", "b2", "a5", "b3", "b4"]


def test_who_brings_one_job_after_another_keeps_nobody_waiting(line: Line) -> None:
    line.add("a1", "a2", "a3", "b0", "c0")
    served: list[str] = []

    for number in range(1, 8):
        served += line.served(1)
        if served[-1][0] in "bc":
            line.add(f"{served[-1][0]}{number}")

    assert [name for name in served if name[0] == "a"] == ["a1", "a2", "a3"]


def test_jobs_that_are_being_converted_count_against_their_owner() -> None:
    a = Waiting("1" * 32, "a", 4, now(), "mp4", 1)
    b = Waiting("2" * 32, "b", 5, now(), "mp4", 1)

    assert sorted([b, a], key=order({})) == [a, b]
    assert sorted([a, b], key=order({"a": 2})) == [b, a]


def test_of_two_converters_each_works_for_another_owner(line: Line) -> None:
    line.add("a1", "a2", "a3")
    assert line.names[some(line.claim("c1")).id] == "a1"
    assert line.names[some(line.claim("c2")).id] == "a2"
    line.add("b1")

    assert line.names[some(line.claim("c3")).id] == "b1"


def test_of_four_converters_two_work_for_each_of_two_owners(line: Line) -> None:
    line.add("a1", "a2", "a3", "a4")
    served = [line.names[some(line.claim(holder)).id] for holder in ("c1", "c2")]
    line.add("b1", "b2", "b3")

    served += [line.names[some(line.claim(holder)).id] for holder in ("c3", "c4")]

    assert served == ["a1", "a2", "b1", "b2"]


def test_turns_of_jobs_that_were_canceled_are_free_again(line: Line) -> None:
    for job in line.add(*[f"a{number}" for number in range(8)]):
        assert line.jobs.cancel(job.id, "a")

    line.add("b1", "b2", "b3", "a8")

    assert line.served() == ["b1", "a8", "b2", "b3"]


def test_a_retry_by_the_owner_is_a_turn_like_any_other(line: Line) -> None:
    [a, *_] = line.add("a1", "a2", "b1", "b2")
    line.served(1)

    again = some(line.jobs.retry(a.id, "a"))
    assert line.jobs.mark_rung(again, "video")

    assert line.served() == ["b1", "a2", "b2", "a1"]


def test_what_is_given_back_is_the_next_of_its_owner(line: Line) -> None:
    line.add("a1", "a2", "a3")
    given_back = some(line.jobs.give_back(some(line.claim()).claimed))

    assert line.jobs.mark_rung(given_back, "video")

    assert line.served() == ["a1", "a2", "a3"]


# -- what can be claimed ------------------------------------------------------------------------


def test_a_job_of_an_older_gateway_has_no_turn_and_is_claimed(line: Line) -> None:
    line.add("b1")
    [old] = line.add("a1")
    line.client["jobs"]["jobs"].update_one({"_id": old.id}, {"$unset": {"turn": 1}})

    assert line.served() == ["b1", "a1"]


def test_a_job_whose_message_came_before_the_record_of_it_is_claimed_by_its_name(line: Line) -> None:
    [job] = line.add("a1", rung=False)

    assert line.claim() is None
    assert some(line.claim(hint=job.id)).id == job.id


def test_a_job_whose_message_is_still_to_be_sent_is_left_to_that_message(line: Line) -> None:
    [unsent, _] = line.add("a1", rung=False) + line.add("b1")

    assert line.names[some(line.claim(hint=unsent.id)).id] == "b1"


def test_a_delayed_job_is_not_claimed_before_its_bell(line: Line) -> None:
    line.add("a1", "b1")
    job = some(line.claim())
    delayed = some(line.jobs.give_back(job.claimed, delay=timedelta(hours=1)))

    assert line.served() == ["b1"]
    assert line.claim(hint=delayed.id) is None

    assert line.jobs.end_delay(delayed, "video")
    assert line.jobs.mark_rung(delayed, "video")
    assert line.served() == ["a1"]


def test_a_canceled_job_is_passed_over(line: Line) -> None:
    [first, _] = line.add("a1", "a2")
    assert line.jobs.cancel(first.id, "a")

    assert line.served() == ["a2"]


def test_a_job_that_killed_its_converters_fails_and_the_next_is_claimed(line: Line) -> None:
    [killer, _] = line.add("a1", "b1")
    line.client["jobs"]["jobs"].update_one({"_id": killer.id}, {"$set": {"attempt": MAX_ATTEMPTS}})

    assert line.names[some(line.claim()).id] == "b1"
    assert some(line.jobs.get(killer.id)).state == "failed"


def test_a_claim_whose_answer_was_lost_is_found_before_anything_else_is_claimed(line: Line) -> None:
    [first, _] = line.add("a1", "a2")
    queue = FairQueue(Mute(line.client), Turns(line.client))
    with pytest.raises(StoreUnavailable):
        queue.claim(NONE, "c1")

    assert some(queue.claim(NONE, "c1")).id == first.id


def test_a_turn_that_is_not_noted_is_no_obstacle(line: Line) -> None:
    line.add("a1")
    queue = FairQueue(line.jobs, Forgetful(line.client))

    assert some(queue.claim(NONE, "c")).owner == "a"


def test_more_jobs_of_one_turn_than_a_claim_looks_at_are_all_claimed(line: Line) -> None:
    [first] = line.add("a1")
    line.multiply(first, 3 * WINDOW)

    assert len(line.served()) == 3 * WINDOW + 1


def test_of_sixteen_converters_each_claims_another_job(line: Line) -> None:
    for job in line.add(*"abcdefgh", *"abcdefgh"):
        assert job.state == "queued"

    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(lambda number: line.claim(f"c{number}"), range(16)))

    assert len({some(job).id for job in claims}) == 16
    assert line.claim() is None


# -- with messages ------------------------------------------------------------------------------


def test_as_many_messages_as_jobs_convert_them_all_in_turn(line: Line, rabbit: Rabbit) -> None:
    publisher = Publisher(rabbit.url, "gateway")
    wait_for(lambda: publisher.connected)
    for job in line.add("a1", "a2", "a3", "a4", "b1", "b2", rung=False):
        ring(line.jobs, publisher, job, "video")
    served: list[str] = []
    stop = threading.Event()

    def look_at(hint: str) -> None:
        job = some(line.claim(hint=hint))
        served.append(line.names[job.id])
        assert line.jobs.finish(job.claimed, RESULT)

    consumer = Consumer(rabbit.url, "test", "video", Answerer(look_at, stop), Heartbeat())
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    wait_for(lambda: is_not_raised(consumer.check))

    wait_for(lambda: len(served) == 6)

    stop.set()
    thread.join()
    publisher.close()
    assert served == ["a1", "b1", "a2", "b2", "a3", "a4"]
    assert (broker.depth(rabbit.url, "video"), line.jobs.rung("video")) == (0, 0)
