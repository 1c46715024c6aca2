"""The notification service's settings."""

import pytest

from chassis.settings import InvalidSettings
from notification.settings import Settings

GOOD = {
    "MONGODB_URL": "mongodb://u:hidden@h",
    "RABBITMQ_URL": "amqp://u:hidden@h",
    "SMTP_URL": "smtp://u:hidden@h",
    "MAIL_FROM": "mp3@example.com",
}


def test_the_servers_and_a_sender_are_enough() -> None:
    settings = Settings.read(GOOD)

    assert settings.public_url == "http://mp3converter.com"
    assert "hidden" not in repr(settings)


def test_without_them_each_is_named() -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.read({})

    assert [line.split()[0] for line in str(told.value).splitlines()] == list(GOOD)


@pytest.mark.parametrize(
    "sender", ["mp3", "a@b@c", "Me <mp3@example.com>", "ä@example.com", "a@x.org\nBcc: b"]
)
def test_a_sender_is_one_plain_address(sender: str) -> None:
    with pytest.raises(InvalidSettings, match="MAIL_FROM"):
        Settings.read({**GOOD, "MAIL_FROM": sender})


@pytest.mark.parametrize("url", ["mp3converter.com", "http://mp3converter.com/", "http://mp3 converter.com"])
def test_the_address_in_the_mails_ends_without_a_slash(url: str) -> None:
    with pytest.raises(InvalidSettings, match="PUBLIC_URL"):
        Settings.read({**GOOD, "PUBLIC_URL": url})
