"""A username is an e-mail address, in one spelling."""

import pytest

from auth.user import InvalidUsername, canonical


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("me@example.com", "me@example.com"),
        ("Me.Too+mp3@EXAMPLE.com", "me.too+mp3@example.com"),
        ("demo@localhost", "demo@localhost"),
    ],
)
def test_an_address_has_one_spelling(typed: str, stored: str) -> None:
    assert canonical(typed) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me",
        "@example.com",
        "me@",
        "me@example.com\n",
        "me@exa mple.com",
        "me@example.com\r\nBcc: you@example.com",
        "me@example.com,you@example.com",
        "<me@example.com>",
        "a/b@example.com",
        ".me@example.com",
        "me..too@example.com",
        "me@-example.com",
        "me@example..com",
        "mé@example.com",
        "\N{KELVIN SIGN}@example.com",  # the sign for kelvin, whose lower case is a plain k
        "m" * 65 + "@example.com",
        "me@" + "a." * 130 + "com",
    ],
)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidUsername, match="e-mail address"):
        canonical(text)
