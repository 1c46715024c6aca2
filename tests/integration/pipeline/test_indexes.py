"""What the reconciler asks for every few seconds is answered by an index, however many jobs there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from pipeline.job_queries import OVER, JobQueries
from pipeline.mongodb import now

DAY = timedelta(days=1)


class Asked(CommandListener):
    """Remembers what was looked for."""

    def __init__(self) -> None:
        self.queries: list[set[str]] = []
        self.sorts: list[list[str]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            self.queries.append(set(event.command["filter"]))
            self.sorts.append(list(event.command.get("sort", ())))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


@pytest.mark.parametrize(
    ("look_up", "fields"),
    [
        (lambda jobs: jobs.due("video", 1), 1),
        (lambda jobs: jobs.due("mp3", 1), 1),
        (lambda jobs: jobs.unanswered("video", DAY, 1), 1),
        (lambda jobs: jobs.unanswered("mp3", DAY, 1), 1),
        (lambda jobs: jobs.abandoned(1), 1),
        (lambda jobs: jobs.unsent(1), 1),
        (lambda jobs: jobs.stale_uploads(DAY, 1), 2),
        (lambda jobs: jobs.ended(OVER, DAY, 1), 2),
        (lambda jobs: jobs.versions_since(["me"], now() - DAY), 2),
        (lambda jobs: jobs.ended(["done"], DAY, 1, source_kept=True), 3),
    ],
)
def test_an_index_begins_with_what_a_look_up_asks_for(
    mongodb_url: str, look_up: Callable[[JobQueries], object], fields: int
) -> None:
    asked = Asked()
    with MongoClient[dict[str, Any]](mongodb_url, event_listeners=[asked]) as client:
        jobs = JobQueries(client)
        jobs.ensure_indexes()

        look_up(jobs)

        beginnings = [set(list(index["key"])[:fields]) for index in client["jobs"]["jobs"].list_indexes()]
    [query] = asked.queries
    assert any(len(beginning) == fields and beginning <= query for beginning in beginnings)


@pytest.mark.parametrize(
    "look_up",
    [lambda jobs: jobs.waiting(64), lambda jobs: jobs.last_turn("me")],
    ids=["waiting", "last turn"],
)
def test_an_index_holds_what_a_turn_is_found_by_in_its_order(
    mongodb_url: str, look_up: Callable[[JobQueries], object]
) -> None:
    """Then as many documents are examined as are returned, however many wait."""
    asked = Asked()
    with MongoClient[dict[str, Any]](mongodb_url, event_listeners=[asked]) as client:
        jobs = JobQueries(client)
        jobs.ensure_indexes()

        look_up(jobs)

        indexes = [list(index["key"]) for index in client["jobs"]["jobs"].list_indexes()]
    [query], [sort] = asked.queries, asked.sorts
    wanted = [(set(index[: len(query)]), index[len(query) :]) for index in indexes]
    assert (query, sort) in wanted
