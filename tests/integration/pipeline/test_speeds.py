"""Conversions are counted on a real store."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline import mongodb
from pipeline.speeds import Speeds


@pytest.fixture
def speeds(mongodb_url: str) -> Iterator[Speeds]:
    with mongodb.connect(mongodb_url) as client:
        client.drop_database("jobs")
        yield Speeds(client)


def test_what_was_noted_tells_how_long_the_next_takes(speeds: Speeds) -> None:
    for megabytes in (1, 2, 3):
        assert speeds.measured().seconds("mp4", 1) is None
        speeds.note("mp4", megabytes * 1_000_000, 0.5 + 2 * megabytes)

    assert speeds.measured().seconds("mp4", 10_000_000) == pytest.approx(20.5)


def test_what_is_told_follows_the_machines_as_they_are_now(speeds: Speeds) -> None:
    for pace in (1, 5):
        for number in range(60):
            speeds.note("mp4", 1_000_000 * (number % 3 + 1), pace * (number % 3 + 1))

    assert speeds.measured().seconds("mp4", 2_000_000) == pytest.approx(10, rel=0.1)


def test_none_is_lost_of_those_that_are_noted_at_once(speeds: Speeds) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: speeds.note("mp4", 1_000_000 * number, number), range(1, 41)))

    assert speeds._speeds.find_one({"_id": "mp4"}, {"jobs": 1}) == {"_id": "mp4", "jobs": 40}
