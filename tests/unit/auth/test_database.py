"""How the database is connected to."""

from auth import database


def test_a_connection_that_may_have_been_forgotten_on_its_way_is_not_used_again() -> None:
    engine = database.connect("mysql://auth:a password of the tests@127.0.0.1:9/auth")

    assert engine.pool._recycle == 60  # type: ignore[attr-defined]  # seconds; has no public name
