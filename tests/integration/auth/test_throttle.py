"""Guessing is slowed down, for an account and from an address, over all replicas."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from auth.database import LostDeadlock
from auth.throttle import Throttle, TooManyFailures

PASSWORD = "violet-kettle-umbrella"
HOUR = timedelta(hours=1)


def throttle(engine: Engine, window: timedelta = HOUR) -> Throttle:
    return Throttle(engine, per_account=3, per_address=6, window=window)


def test_an_account_is_slowed_down_whatever_the_address_and_the_replica(engine: Engine) -> None:
    for number in range(3):
        throttle(engine).check("me@example.com", f"10.0.0.{number}")
        throttle(engine).failed("me@example.com", f"10.0.0.{number}")

    with pytest.raises(TooManyFailures) as refused:
        throttle(engine).check("ME@example.com", "10.0.0.9")
    throttle(engine).check("you@example.com", "10.0.0.9")

    assert 1 <= refused.value.retry_after <= 3600


@pytest.mark.parametrize(
    ("address", "same"),
    [("10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::ffff:1"), ("no address", "no address")],
)
def test_an_address_is_slowed_down_whatever_the_account(address: str, same: str, engine: Engine) -> None:
    for number in range(6):
        throttle(engine).check(f"user{number}@example.com", address)
        throttle(engine).failed(f"user{number}@example.com", address)

    with pytest.raises(TooManyFailures):
        throttle(engine).check("another@example.com", same)
    throttle(engine).check("another@example.com", "2001:db8:1::1")


def test_a_window_passes_and_is_forgotten(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO login_failures VALUES (1, 'old', 1000)"))

    throttle(engine).failed("me@example.com", "10.0.0.1")

    with engine.begin() as connection:
        left = connection.execute(text("SELECT failures FROM login_failures")).scalars().all()
    assert left == [1, 1]


def test_failures_at_the_same_time_are_all_counted(engine: Engine) -> None:
    with ThreadPoolExecutor(12) as pool:
        for done in [
            pool.submit(throttle(engine).failed, f"{n % 3}@example.com", "10.0.0.1") for n in range(60)
        ]:
            done.result(timeout=60)

    with engine.begin() as connection:
        counts = connection.execute(text("SELECT failures FROM login_failures")).scalars().all()
    assert sorted(counts) == [20, 20, 20, 60]


def test_a_deadlock_that_is_lost_every_time_is_an_outage() -> None:
    class AlwaysLost:
        tries = 0

        def begin(self) -> object:
            self.tries += 1
            raise LostDeadlock("lost")

    losing = AlwaysLost()

    with pytest.raises(LostDeadlock):
        Throttle(losing, per_account=1, per_address=1, window=HOUR)._run(text("SELECT 1"))  # type: ignore[arg-type]  # it begins nothing

    assert losing.tries == 10


def test_a_login_that_is_slowed_down_is_told_when_to_come_back(client: FlaskClient, engine: Engine) -> None:
    del engine
    statuses = [client.post("/login", auth=("nobody@example.com", "wrong")).status_code for _ in range(3)]

    response = client.post("/login", auth=("nobody@example.com", "wrong"))

    assert statuses == [401, 401, 401]
    assert (response.status_code, response.data) == (429, b"too many failed logins")
    assert 1 <= int(response.headers["Retry-After"]) <= 3600
