"""The process: what it refuses to start with, and what it does while its database is away."""

import logging
import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from auth import app, database, keys
from auth.database import DatabaseUnavailable
from auth.store import Users
from dev.ports import free_ports
from dev.program import Running
from dev.services import CLONE
from tests.integration.forking import status_after_a_signal

PASSWORD = "violet-kettle-umbrella"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.add(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, mysql_url: str, folder: Path) -> None:
    for name, value in {
        "DATABASE_URL": mysql_url,
        "SIGNING_KEYS_DIR": str(folder),
        "ADMIN_HOST": "127.0.0.1",
        "ADMIN_PORT": "0",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """Leave the logs as they were: a process configures them once."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    structlog.reset_defaults()
    root.setLevel(level)
    root.handlers[:] = handlers


def test_gunicorn_is_configured_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "5001")

    server = runpy.run_module("auth.server")

    assert (server["bind"], server["workers"], server["threads"]) == ("0.0.0.0:5001", 1, 16)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SIGNING_KEYS_DIR", "/nowhere", "no *.pem file"),
        ("DATABASE_URL", "postgresql://auth:pw@db/auth", "mysql://"),
        ("DATABASE_URL", "no url", "mysql://"),
        ("DATABASE_URL", "mysql://auth@db/auth", "no password"),
        ("DATABASE_URL", "mysql://auth:password123@db/auth", "that many people use"),
        ("TOKEN_LIFETIME", "P300D", "TOKEN_LIFETIME"),
    ],
)
def test_it_does_not_start_on_what_is_missing_or_weak(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("auth.server")

    assert reason in str(ended.value)
    assert "password123" not in str(ended.value)


def test_a_signal_that_comes_while_a_worker_is_made_ends_it(tmp_path: Path) -> None:
    [port] = free_ports(1)
    environment = os.environ | {"PYTHONPATH": str(CLONE), "HOST": "127.0.0.1", "PORT": str(port)}

    assert status_after_a_signal("auth", environment, tmp_path) == 0


def test_logins_are_refused_while_the_database_is_away_and_good_when_it_is_back(
    mysql_server: Running, engine: Engine, add_user: Callable[..., str], wait_for: Callable[..., None]
) -> None:
    del engine
    add_user()
    client = app.create_app().test_client()
    token = client.post("/login", auth=("me@example.com", PASSWORD)).text

    mysql_server.kill()
    try:
        login = client.post("/login", auth=("me@example.com", PASSWORD))
        validate = client.post("/validate", headers={"Authorization": f"Bearer {token}"})
        keys_while_away = client.get("/.well-known/jwks.json")
    finally:
        mysql_server.start()

    assert (login.status_code, login.headers["Retry-After"]) == (503, "5")
    assert validate.status_code == 503
    assert keys_while_away.status_code == 200
    wait_for(lambda: client.post("/login", auth=("me@example.com", PASSWORD)).status_code == 200)


def test_a_database_that_is_away_is_not_ready() -> None:
    [port] = free_ports(1)
    away = database.connect(f"mysql://auth:{PASSWORD}@127.0.0.1:{port}/auth")
    with pytest.raises(DatabaseUnavailable, match="connect"):
        Users(away).check()


def test_no_more_connections_are_opened_than_allowed(mysql_url: str, engine: Engine) -> None:
    del engine
    small = database.connect(mysql_url, connections=1, patience=1)

    with database.transaction(small), pytest.raises(DatabaseUnavailable, match="every connection"):
        Users(small).check()

    small.dispose()


def test_a_bug_in_a_statement_is_no_outage(engine: Engine) -> None:
    with pytest.raises(ProgrammingError), database.transaction(engine) as connection:
        connection.execute(text("SELEC 1"))
