"""auth on a real MariaDB, migrated once and emptied for every test."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from auth import database, keys, migrate
from auth.app import build
from auth.key_store import PersonalKeys
from auth.keyring import Keyring
from auth.logins import Logins
from auth.passwords import Passwords
from auth.sessions import Sessions
from auth.store import Users
from auth.throttle import Throttle
from auth.tokens import Tokens

PASSWORD = "violet-kettle-umbrella"


@pytest.fixture(scope="session")
def migrated(mysql_url: str) -> Iterator[Engine]:
    engine = database.connect(mysql_url, connections=16)
    with migrate.locked(engine) as connection:
        migrate.upgrade(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(migrated: Engine) -> Engine:
    with migrated.begin() as connection:
        connection.execute(text("DELETE FROM users"))
        connection.execute(text("DELETE FROM login_failures"))
        connection.execute(text("DELETE FROM sessions"))
        connection.execute(text("DELETE FROM personal_keys"))
    return migrated


@pytest.fixture
def users(engine: Engine) -> Users:
    return Users(engine)


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    return Passwords()


@pytest.fixture(scope="session")
def password_hash(passwords: Passwords) -> str:
    """The hash of `PASSWORD`."""
    return passwords.hash(PASSWORD)


@pytest.fixture
def logins(users: Users, passwords: Passwords, engine: Engine, tmp_path: Path) -> Logins:
    keys.add(tmp_path)
    tokens = Tokens(Keyring(tmp_path), issuer="iss", audience="aud", lifetime=timedelta(hours=1))
    throttle = Throttle(engine, per_account=3, per_address=6, window=timedelta(hours=1))
    return Logins(users, passwords, tokens, throttle, Sessions(engine), PersonalKeys(engine))


@pytest.fixture
def client(logins: Logins) -> FlaskClient:
    return build(logins).test_client()


@pytest.fixture
def add_user(users: Users, password_hash: str) -> Callable[..., str]:
    def add(username: str = "me@example.com", *, admin: bool = False) -> str:
        users.add(username, password_hash, admin=admin)
        return username

    return add


@pytest.fixture
def log_in(client: FlaskClient) -> Callable[..., dict[str, str]]:
    """Return the header of who is logged in."""

    def log_in(username: str = "me@example.com", password: str = PASSWORD) -> dict[str, str]:
        response = client.post("/login", auth=(username, password))
        assert response.status_code == 200, response.data
        return {"Authorization": f"Bearer {response.text}"}

    return log_in


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    def wait(fact: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not fact():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.05)

    return wait
