"""The operators' tool changes users and never shows a password."""

import getpass
import io
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from auth import users as tool
from auth.passwords import Passwords
from auth.store import Users
from auth.user import NoSuchUser
from dev.ports import free_ports

PASSWORD = "violet-kettle-umbrella"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def works(users: Users, username: str, password: str) -> bool:
    user = users.find(username)
    return user is not None and Passwords().verify(user.password_hash, password)


def test_a_user_is_added_with_a_password_from_standard_input(
    users: Users, type_in: Callable[[str], None]
) -> None:
    type_in(f"{PASSWORD}\n")

    assert tool.main(["add", "Me@example.com", "--stdin"]) == 0

    assert works(users, "me@example.com", PASSWORD)


def test_a_user_is_added_with_a_generated_password(users: Users, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["add", "me@example.com", "--admin", "--generate"]) == 0

    assert works(users, "me@example.com", capsys.readouterr().out.strip())
    assert users.has_admin()


@pytest.mark.parametrize(("second", "status"), [(PASSWORD, 0), ("another", 1)])
def test_a_password_is_asked_for_twice(
    second: str, status: int, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([PASSWORD, second])
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(answers))

    assert tool.main(["add", "me@example.com"]) == status

    assert works(users, "me@example.com", PASSWORD) is (status == 0)


def test_a_new_password_revokes_the_tokens_of_the_old(
    users: Users, add_user: Callable[..., str], type_in: Callable[[str], None]
) -> None:
    add_user()
    type_in("another one of mine\n")

    assert tool.main(["passwd", "me@example.com"]) == 0

    assert works(users, "me@example.com", "another one of mine")
    assert list(users.revocations()) == ["me@example.com"]


def test_a_user_is_disabled_and_enabled(
    add_user: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    add_user()
    add_user("admin@example.com", admin=True)

    assert tool.main(["disable", "me@example.com"]) == 0
    assert tool.main(["list"]) == 0
    listed = [line.split("\t")[:3] for line in capsys.readouterr().out.splitlines()]
    assert listed == [["admin@example.com", "admin", "enabled"], ["me@example.com", "user", "disabled"]]

    assert tool.main(["enable", "me@example.com"]) == 0
    tool.main(["list"])
    assert "disabled" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["add", "me@example.com", "--stdin"], "the user me@example.com already exists"),
        (["add", "new@example.com", "--stdin"], "12 to 128"),
        (["add", "me", "--generate"], "e-mail address"),
        (["disable", "nobody@example.com"], "no user nobody@example.com"),
        (["passwd", "nobody@example.com", "--generate"], "no user nobody@example.com"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    arguments: list[str],
    reason: str,
    add_user: Callable[..., str],
    type_in: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_user()
    type_in(f"{PASSWORD}\n" if "already" in reason else "short\n")

    assert tool.main(arguments) == 1

    assert reason in capsys.readouterr().err


def test_a_missing_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    assert tool.main(["list"]) == 2
    assert "DATABASE_URL is not set" in capsys.readouterr().err


def test_a_database_that_is_away_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [port] = free_ports(1)
    monkeypatch.setenv("DATABASE_URL", f"mysql://auth:{PASSWORD}@127.0.0.1:{port}/auth")

    assert tool.main(["list"]) == 1
    assert "connect" in capsys.readouterr().err


def test_a_user_who_is_not_there_cannot_be_changed(users: Users) -> None:
    for change in (users.disable, users.enable, users.revoke_tokens):
        with pytest.raises(NoSuchUser):
            change("nobody@example.com")
