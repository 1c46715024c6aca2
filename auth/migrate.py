"""Bring the database to this release's schema, and make the first administrator: `python -m auth.migrate`.

It runs once a release, before the service; two at once wait for each other, and again changes nothing.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from auth import database, password_rules
from auth.database import DatabaseUnavailable, InvalidDatabaseUrl
from auth.password_rules import WeakPassword
from auth.passwords import Passwords
from auth.settings import MigrateSettings
from auth.store import Users
from auth.user import InvalidUsername, UserExists, canonical
from chassis import logs
from chassis.settings import InvalidSettings

LOCK_SECONDS = 300
"""How long the other migration, and a single statement of this one, may take."""
LOCK = "LEFT(CONCAT('auth.migrate ', DATABASE()), 64)"

log = logs.get(__name__)


def wait_for(users_database: Engine, patience: timedelta) -> None:
    """Return when the database answers.

    Raises:
        DatabaseUnavailable: it does not in the time given.
    """
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            with database.transaction(users_database) as connection:
                connection.execute(text("SELECT 1"))
        except DatabaseUnavailable as error:
            if time.monotonic() > deadline:
                raise
            log.info("waiting for the database", reason=str(error))
            time.sleep(1)
        else:
            return


def upgrade(connection: Connection) -> None:
    """Apply the migrations that are missing; the next run goes on where this one stopped.

    The schema of a newer release stays: migrations only add, so a release that was taken back runs on it.
    """
    config = Config()
    config.set_main_option("script_location", "auth:migrations")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    connection.commit()  # whatever was begun: Alembic commits only the transactions that it begins itself
    if found is not None and found not in known:
        log.warning("the schema belongs to a newer release and is left unchanged", revision=found)
        return
    command.upgrade(config, "head")


def add_first_admin(users: Users, passwords: Passwords, username: str, password: str) -> bool:
    """Make this user an administrator when there is none; tell whether that was done.

    Raises:
        InvalidUsername: it is no e-mail address.
        WeakPassword: the rules refuse the password.
    """
    if users.has_admin():
        return False
    username = canonical(username)
    password_rules.check(password, username)
    try:
        users.add(username, passwords.hash(password), admin=True)
    except UserExists:
        users.set_admin(username, admin=True)
    log.info("first administrator", user=username)
    return True


@contextmanager
def locked(users_database: Engine) -> Iterator[Connection]:
    """Let one process at a time in, by the server's named lock; it ends with the connection that it gives.

    Raises:
        DatabaseUnavailable: the database went away, or another process does not give the lock back.
    """
    with database.translated(), users_database.connect() as connection:
        got = connection.scalar(text(f"SELECT GET_LOCK({LOCK}, :seconds)"), {"seconds": LOCK_SECONDS})
        if got != 1:
            raise DatabaseUnavailable(f"another migration has held the lock for {LOCK_SECONDS} s")
        try:
            yield connection
        finally:
            connection.execute(text(f"SELECT RELEASE_LOCK({LOCK})"))


def _see_to_an_admin(settings: MigrateSettings, users: Users) -> None:
    if settings.first_admin and settings.first_admin_password:
        password = settings.first_admin_password.get_secret_value()
        add_first_admin(users, Passwords(), settings.first_admin, password)
    elif not users.has_admin():
        log.warning("there is no administrator: set FIRST_ADMIN and FIRST_ADMIN_PASSWORD")


def main() -> int:
    """Migrate; return the process's exit status."""
    try:
        settings = MigrateSettings.read()
        url = settings.database_url.get_secret_value()
        # One connection holds the lock and migrates, another makes the administrator.
        engine = database.connect(url, connections=2, patience=LOCK_SECONDS + 30)
    except (InvalidSettings, InvalidDatabaseUrl) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("auth-migrate", settings.log_level, settings.log_format)
    users = Users(engine)
    try:
        wait_for(engine, settings.database_wait)
        with locked(engine) as connection:
            upgrade(connection)
            _see_to_an_admin(settings, users)
    except (DatabaseUnavailable, InvalidUsername, WeakPassword) as error:
        log.error("not migrated", reason=str(error))
        return 1
    log.info("migrated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
