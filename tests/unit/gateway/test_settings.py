"""The gateway's settings."""

from datetime import timedelta

import pytest

from chassis.settings import InvalidSettings
from gateway.settings import Settings

GOOD = {"MONGODB_URL": "mongodb://u:hidden@h", "RABBITMQ_URL": "amqp://u:hidden@h"}


def test_the_two_urls_are_enough() -> None:
    settings = Settings.read(GOOD)

    assert (settings.port, str(settings.auth_url)) == (8080, "http://auth:5000/")
    assert "hidden" not in repr(settings)


def test_without_them_both_are_named() -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.read({})

    assert [line.split()[0] for line in str(told.value).splitlines()] == ["MONGODB_URL", "RABBITMQ_URL"]


def test_times_are_written_as_iso_8601() -> None:
    assert Settings.read({**GOOD, "SLOW_AFTER": "PT1M"}).slow_after == timedelta(minutes=1)
