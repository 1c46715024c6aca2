"""The queue played through: in the order in which it is claimed."""

from datetime import UTC, datetime, timedelta

from pipeline.forecast import Running, forecast
from pipeline.job_queries import Waiting

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def line(*names: str) -> list[Waiting]:
    """Return jobs that wait: the owner's letter, the turn, and how many seconds it takes, as `a0:10`."""
    jobs = []
    for number, name in enumerate(names):
        turn, seconds = name[1:].split(":")
        at = BEGIN + timedelta(seconds=number)
        jobs.append(Waiting(name, name[0], int(turn), at, "mp4", int(seconds)))
    return sorted(jobs, key=lambda job: (job.turn, job.created_at))


def played(
    waiting: list[Waiting], running: list[Running] | None = None, converters: int = 1
) -> dict[str, tuple[int, float]]:
    places = forecast(waiting, running or [], converters, lambda job: float(job.size))
    return {name: (place.position, place.ends) for name, place in places.items()}


def test_one_converter_takes_owners_in_turn() -> None:
    assert played(line("a0:10", "a1:10", "b0:5")) == {"a0:10": (1, 10), "b0:5": (2, 15), "a1:10": (3, 25)}


def test_a_job_begins_when_a_converter_is_free() -> None:
    assert played(line("a0:10"), [Running("b", 7), Running("b", 3)], 2) == {"a0:10": (1, 13)}


def test_two_converters_take_the_next_job_each() -> None:
    assert played(line("a0:10", "b0:2", "c0:3"), converters=2) == {
        "a0:10": (1, 10),
        "b0:2": (2, 2),
        "c0:3": (3, 5),
    }


def test_what_is_being_converted_counts_against_its_owner() -> None:
    running = [Running("a", 1), Running("a", 100), Running("a", 100)]

    assert played(line("a0:1", "b1:1"), running, 3) == {"b1:1": (1, 2), "a0:1": (2, 3)}


def test_what_is_done_counts_against_nobody_any_more() -> None:
    assert played(line("a0:1", "b0:1"), [Running("a", 1)]) == {"a0:1": (1, 2), "b0:1": (2, 3)}


def test_without_a_converter_there_are_places_all_the_same() -> None:
    assert played(line("a0:1", "a1:1"), converters=0) == {"a0:1": (1, 1), "a1:1": (2, 2)}


def test_nothing_waits_in_an_empty_queue() -> None:
    assert played([], [Running("a", 1)], 1) == {}
