"""What one user, and one address, may have under way at once."""

import pytest

from chassis.problem import Problem
from gateway.door.shares import OF_AN_ADDRESS, Shares


def test_a_user_s_shares_are_counted_and_come_back_once() -> None:
    shares = Shares("uploads", 1)
    give_back = shares.take("me", "192.0.2.1")

    with pytest.raises(Problem) as refused:
        shares.take("me", "192.0.2.2")
    shares.take("you", "192.0.2.1")
    give_back()
    give_back()

    assert (refused.value.code, refused.value.status) == ("too_many_at_once", 429)
    shares.take("me", "192.0.2.1")
    with pytest.raises(Problem):
        shares.take("me", "192.0.2.1")


def test_an_address_has_the_shares_of_several_users() -> None:
    shares = Shares("uploads", 1)
    for n in range(OF_AN_ADDRESS):
        shares.take(f"user{n}", "192.0.2.1")

    with pytest.raises(Problem):
        shares.take("one more", "192.0.2.1")
    shares.take("one more", "192.0.2.2")


def test_nothing_is_remembered_of_those_who_left() -> None:
    shares = Shares("uploads", 1)
    with shares.taken("me", "192.0.2.1"):
        assert len(shares._taken) == 2

    assert not shares._taken
