"""Limits that replicas share."""

from gateway.door import rates
from gateway.door.rates import Rates
from pipeline.mongodb import StoreUnavailable


class Counters:
    """The shared counters, in memory, or away."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], int] = {}
        self.away = False
        self.cleared = 0

    def add(self, name: str, window: int, count: int) -> int:
        if self.away:
            raise StoreUnavailable("away")
        self.counts[name, window] = self.counts.get((name, window), 0) + count
        return self.counts[name, window]

    def clear(self) -> None:
        self.cleared += 1


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = 6000.0

    def __call__(self) -> float:
        return self.now


def replica(counters: Counters, clock: Clock) -> Rates:
    return Rates(counters, clock)  # type: ignore[arg-type]  # what it calls of the counters is there


def test_a_limit_is_counted_down_and_begins_anew_with_the_next_minute() -> None:
    clock = Clock()
    own = replica(Counters(), clock)

    left = [own.count("me", 3).remaining for _ in range(4)]
    clock.now += rates.WINDOW_SECONDS

    assert left == [2, 1, 0, -1]
    assert own.count("me", 3).remaining == 2
    assert own.count("other", 3).remaining == 2


def test_only_what_is_over_the_limit_is_too_much() -> None:
    own = replica(Counters(), Clock())

    assert [own.count("me", 2).exceeded for _ in range(3)] == [False, False, True]


def test_the_end_of_the_minute_is_told() -> None:
    clock = Clock()
    own = replica(Counters(), clock)
    clock.now += 18.5

    assert own.count("me", 2).reset_seconds == 42


def test_replicas_learn_of_each_other_within_a_second() -> None:
    counters, clock = Counters(), Clock()
    one, two = replica(counters, clock), replica(counters, clock)
    for _ in range(5):
        one.count("me", 10)
        two.count("me", 10)
    clock.now += rates.SHARE_SECONDS

    one.count("me", 10)
    left = two.count("me", 10).remaining

    assert left == 10 - 12


def test_a_request_costs_no_look_at_the_store() -> None:
    class Counting(Counters):
        asked = 0

        def add(self, name: str, window: int, count: int) -> int:
            self.asked += 1
            return super().add(name, window, count)

    counters = Counting()
    own = replica(counters, Clock())

    for _ in range(100):
        own.count("me", 1000)

    assert counters.asked == 1


def test_while_the_store_is_away_a_replica_counts_by_itself() -> None:
    counters = Counters()
    counters.away = True
    own = replica(counters, Clock())

    assert [own.count("me", 2).exceeded for _ in range(3)] == [False, False, True]


def test_old_counters_are_cleared_now_and_then_and_names_do_not_pile_up() -> None:
    counters, clock = Counters(), Clock()
    own = replica(counters, clock)
    for number in range(rates.MAX_NAMES):
        own.count(f"name {number}", 1)
    clock.now += rates.WINDOW_SECONDS * rates.CLEAR_WINDOWS
    own.count("me", 1)

    assert counters.cleared == 2
    assert len(own._counts) == 1
