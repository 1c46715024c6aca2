"""Passwords that are guessed first are refused."""

import pytest

from auth.password_rules import WeakPassword, check
from auth.passwords import generate


@pytest.mark.parametrize(
    "password", ["violet kettle umbrella", "pässwörter-sind-läng", "x" * 60 + "abcdefgh"]
)
def test_a_long_password_of_its_own_is_good(password: str) -> None:
    check(password, "me@example.com")


def test_a_generated_password_is_good() -> None:
    check(generate(), "me@example.com")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "12 to 128"),
        ("elevenchars", "12 to 128"),
        ("ab" * 65, "12 to 128"),
        ("abababababab", "different characters"),
        ("my-adalovelace-1", "the user name"),
        ("my-AdaLovelace-1", "the user name"),
        ("qwertyuiop123", "too common"),
        ("123456789012", "not be a number"),
        ("123456789abc", "too common"),
        ("Password1234!", "too common"),
        ("!!!123football", "too common"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, reason: str) -> None:
    with pytest.raises(WeakPassword, match=reason):
        check(password, "adalovelace@example.com")


def test_a_short_name_may_be_in_a_password_by_chance() -> None:
    check("some-metal-fence", "me@example.com")
