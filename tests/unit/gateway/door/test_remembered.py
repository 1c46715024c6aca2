"""Credentials are asked about once, and not kept."""

from gateway.door.remembered import MAX_REMEMBERED, Remembered


class Auth:
    """Knows one password; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, credentials: str) -> str | None:
        self.asked += 1
        return f"token {self.asked}" if credentials == "right" else None


def test_right_credentials_are_asked_about_once() -> None:
    auth, remembered = Auth(), Remembered()

    assert [remembered.token("right", auth) for _ in range(3)] == ["token 1"] * 3


def test_wrong_credentials_are_asked_about_each_time() -> None:
    auth, remembered = Auth(), Remembered()

    assert [remembered.token("wrong", auth) for _ in range(3)] == [None] * 3
    assert auth.asked == 3


def test_what_is_forgotten_or_too_old_is_asked_about_again() -> None:
    auth, remembered, brief = Auth(), Remembered(), Remembered(seconds=0)

    remembered.token("right", auth)
    remembered.forget("right")
    remembered.forget("never known")

    assert remembered.token("right", auth) == "token 2"
    assert [brief.token("right", auth) for _ in range(2)] == ["token 3", "token 4"]


def test_the_credentials_themselves_are_nowhere() -> None:
    remembered = Remembered()

    remembered.token("right", Auth())

    assert "right" not in repr(vars(remembered))


def test_no_more_than_so_many_are_remembered() -> None:
    full, old = Remembered(), Remembered()
    full._known = {bytes([n % 256, n // 256]): ("t", float("inf")) for n in range(MAX_REMEMBERED)}
    old._known = {bytes([n % 256, n // 256]): ("t", 0.0) for n in range(MAX_REMEMBERED)}
    auth = Auth()

    for remembered in (full, old):
        remembered.token("right", auth)

    assert (len(full._known), len(old._known)) == (MAX_REMEMBERED, 1)
