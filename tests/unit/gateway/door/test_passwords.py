"""Credentials are asked about once, and not kept."""

from gateway.door.passwords import MAX_REMEMBERED, Passwords


class Auth:
    """Knows one password; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, credentials: str) -> str | None:
        self.asked += 1
        return f"token {self.asked}" if credentials == "right" else None


def test_right_credentials_are_asked_about_once() -> None:
    auth, passwords = Auth(), Passwords()

    assert [passwords.token("right", auth) for _ in range(3)] == ["token 1"] * 3


def test_wrong_credentials_are_asked_about_each_time() -> None:
    auth, passwords = Auth(), Passwords()

    assert [passwords.token("wrong", auth) for _ in range(3)] == [None] * 3
    assert auth.asked == 3


def test_what_is_forgotten_or_too_old_is_asked_about_again() -> None:
    auth, passwords, brief = Auth(), Passwords(), Passwords(seconds=0)

    passwords.token("right", auth)
    passwords.forget("right")
    passwords.forget("never known")

    assert passwords.token("right", auth) == "token 2"
    assert [brief.token("right", auth) for _ in range(2)] == ["token 3", "token 4"]


def test_the_credentials_themselves_are_nowhere() -> None:
    passwords = Passwords()

    passwords.token("right", Auth())

    assert "right" not in repr(vars(passwords))


def test_no_more_than_so_many_are_remembered() -> None:
    full, old = Passwords(), Passwords()
    full._known = {bytes([n % 256, n // 256]): ("t", float("inf")) for n in range(MAX_REMEMBERED)}
    old._known = {bytes([n % 256, n // 256]): ("t", 0.0) for n in range(MAX_REMEMBERED)}
    auth = Auth()

    for passwords in (full, old):
        passwords.token("right", auth)

    assert (len(full._known), len(old._known)) == (MAX_REMEMBERED, 1)
