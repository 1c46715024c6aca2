"""Whoever listens is told of places that have changed, and not of the passing of time."""

import pytest

from gateway.jobs.places import Place, Places


class World:
    """The places and the time of now."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {"x": (4, 100)}
        self.time = 0.0
        self.listener = Places(lambda: self.places, lambda: self.time)

    def later(self, seconds: float, **places: Place) -> dict[str, Place]:
        self.time += seconds
        self.places = dict(places)
        return self.listener.news()


@pytest.fixture
def world() -> World:
    return World()


def test_time_that_passes_as_foreseen_is_no_news(world: World) -> None:
    assert world.later(10, x=(4, 90)) == {}
    assert world.later(50, x=(4, 42)) == {}


def test_another_position_is_news_once(world: World) -> None:
    assert world.later(10, x=(3, 90)) == {"x": (3, 90)}
    assert world.later(10, x=(3, 80)) == {}


def test_a_later_end_is_news(world: World) -> None:
    assert world.later(10, x=(4, 130)) == {"x": (4, 130)}


def test_a_time_that_is_known_at_last_is_news_and_one_that_is_lost_too(world: World) -> None:
    assert world.later(10, x=(4, None)) == {"x": (4, None)}
    assert world.later(10, x=(4, None)) == {}
    assert world.later(10, x=(4, 50)) == {"x": (4, 50)}


def test_a_new_job_is_news(world: World) -> None:
    assert world.later(10, x=(4, 90), y=(5, 99)) == {"y": (5, 99)}


def test_a_job_that_comes_again_is_told_again(world: World) -> None:
    assert world.later(10) == {}
    assert world.later(10, x=(4, 80)) == {"x": (4, 80)}


def test_places_are_told_every_five_seconds_at_the_most(world: World) -> None:
    assert world.later(4, x=(3, 90)) == {}
    assert world.later(1, x=(3, 90)) == {"x": (3, 90)}
