"""The migration brings any database to this release, once, whoever runs it how often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, make_url, text

from auth import database, migrate
from auth.database import DatabaseUnavailable
from auth.passwords import Passwords
from auth.store import Users
from dev.ports import free_ports

PASSWORD = "violet-kettle-umbrella"


@pytest.fixture
def empty_url(mysql_url: str) -> Iterator[str]:
    """A database without tables."""
    server = database.connect(mysql_url)
    with server.begin() as connection:
        connection.execute(text("CREATE DATABASE auth_empty"))
    yield make_url(mysql_url).set(database="auth_empty").render_as_string(hide_password=False)
    with server.begin() as connection:
        connection.execute(text("DROP DATABASE auth_empty"))
    server.dispose()


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    engine = database.connect(empty_url, connections=4)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, empty_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_url)
    monkeypatch.setenv("FIRST_ADMIN", "Admin@example.com")
    monkeypatch.setenv("FIRST_ADMIN_PASSWORD", PASSWORD)


def test_an_empty_database_gets_the_schema_that_the_code_uses(engine: Engine) -> None:
    assert migrate.main() == 0

    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), database.metadata) == []


def test_a_database_that_is_not_migrated_is_not_ready(engine: Engine) -> None:
    with pytest.raises(DatabaseUnavailable, match="not migrated"):
        Users(engine).check()

    migrate.main()
    Users(engine).check()


@pytest.mark.parametrize(
    "missing",
    ["users DROP COLUMN disabled", "login_failures DROP COLUMN failures", "sessions DROP COLUMN agent"],
)
def test_a_release_whose_column_is_not_there_yet_is_not_ready(engine: Engine, missing: str) -> None:
    migrate.main()
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {missing}"))

    with pytest.raises(DatabaseUnavailable, match="not migrated"):
        Users(engine).check()


def test_a_release_that_is_taken_back_runs_on_the_newer_schema(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate.main()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN newer INT"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert migrate.main() == 0

    assert "the schema belongs to a newer release" in capsys.readouterr().out
    Users(engine).check()
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_a_second_run_changes_nothing(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    migrate.main()
    assert "Running upgrade" in capsys.readouterr().out
    before = Users(engine).all()

    assert migrate.main() == 0

    assert "Running upgrade" not in capsys.readouterr().out
    assert [replace(user, read_at=0) for user in Users(engine).all()] == [
        replace(user, read_at=0) for user in before
    ]


def test_the_first_administrator_can_log_in_and_is_made_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.main()
    monkeypatch.setenv("FIRST_ADMIN", "second@example.com")

    assert migrate.main() == 0

    [admin] = Users(engine).all()
    assert (admin.username, admin.admin) == ("admin@example.com", True)
    assert Passwords().verify(admin.password_hash, PASSWORD)


def test_a_user_who_is_named_as_first_administrator_becomes_one_and_keeps_the_password(
    engine: Engine,
) -> None:
    with migrate.locked(engine) as connection:
        migrate.upgrade(connection)
    Users(engine).add("admin@example.com", "hash", admin=False)

    assert migrate.main() == 0

    [admin] = Users(engine).all()
    assert (admin.password_hash, admin.admin) == ("hash", True)


def test_several_at_once_migrate_once(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = [done.result(timeout=60) for done in [pool.submit(run, engine) for _ in range(4)]]

    assert sorted(results) == [False, False, False, True]


def run(engine: Engine) -> bool:
    """Migrate; tell whether there was anything to do."""
    own = database.connect(engine.url.render_as_string(hide_password=False))
    try:
        with migrate.locked(own) as connection:
            before = MigrationContext.configure(connection).get_current_heads()
            migrate.upgrade(connection)
    finally:
        own.dispose()
    return not before


def test_a_run_that_died_between_a_table_and_its_record_is_taken_up(engine: Engine) -> None:
    migrate.main()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    assert migrate.main() == 0


def test_without_an_administrator_the_schema_is_migrated_all_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRST_ADMIN_PASSWORD")

    assert migrate.main() == 0

    assert Users(engine).all() == []


@pytest.mark.parametrize(("name", "value"), [("FIRST_ADMIN", "admin"), ("FIRST_ADMIN_PASSWORD", "short")])
def test_an_administrator_who_cannot_be_fails_the_migration(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    monkeypatch.setenv(name, value)

    assert migrate.main() == 1

    assert Users(engine).all() == []


def test_a_missing_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    assert migrate.main() == 2
    assert "DATABASE_URL is not set" in capsys.readouterr().err


def test_a_database_that_stays_away_is_waited_for_no_longer_than_told() -> None:
    [port] = free_ports(1)
    away = database.connect(f"mysql://auth:{PASSWORD}@127.0.0.1:{port}/auth")

    with pytest.raises(DatabaseUnavailable, match="connect"):
        migrate.wait_for(away, timedelta(seconds=1))


def test_a_lock_that_another_holds_is_not_waited_for_for_ever(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 1)

    with (
        migrate.locked(engine),
        pytest.raises(DatabaseUnavailable, match="another migration"),
        migrate.locked(engine),
    ):
        pass
