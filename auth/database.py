"""Connect to MySQL or MariaDB, and say in our own words what their driver raises.

This module and those that run statements (`store`, `sessions`, `key_store`, `throttle`, `migrate`,
`migrations`) are the only ones that import SQLAlchemy.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    create_engine,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from auth.password_rules import is_common

CONNECT_SECONDS = 2
CONNECTION_SECONDS = 60
"""How old a connection may be: firewalls forget those that are idle for minutes, and tell nobody."""
NO_SUCH_TABLE, NO_SUCH_COLUMN, DEADLOCK = 1146, 1054, 1213


class Ascii(TypeDecorator[str]):
    """A text of ASCII, told apart by case.

    Other text is found nowhere: MySQL refuses to compare it ("illegal mix of collations").
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length, collation="ascii_bin")

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Write what is not ASCII with backslashes, which no column of this type has."""
        return value and value.encode("ascii", "backslashreplace").decode()


metadata = MetaData()
users = Table(
    "users",
    metadata,
    Column("id", Ascii(32), primary_key=True),
    Column("username", Ascii(254), nullable=False, unique=True),
    Column("password_hash", Ascii(255), nullable=False),
    Column("admin", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("tokens_valid_from", BigInteger, nullable=False),
    Column("created_at", DateTime, nullable=False),
)
failures = Table(
    "login_failures",
    metadata,
    Column("window", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Ascii(64), primary_key=True),
    Column("failures", Integer, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", Ascii(32), primary_key=True),
    Column("user_id", Ascii(32), nullable=False, index=True),
    Column("secret_hash", Ascii(64), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False, index=True),
    Column("ended_at", BigInteger, index=True),
    Column("agent", String(200), nullable=False),
    Column("address", Ascii(45), nullable=False),
)
personal_keys = Table(
    "personal_keys",
    metadata,
    Column("id", Ascii(32), primary_key=True),
    Column("user_id", Ascii(32), nullable=False, index=True),
    Column("name", String(100, collation="utf8mb4_bin"), nullable=False),
    Column("start", Ascii(8), nullable=False),
    Column("sha256", Ascii(64), nullable=False, unique=True),
    Column("scopes", Ascii(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger, index=True),
)


class DatabaseUnavailable(Exception):
    """The database is away, is not migrated, or lets nobody in; it may be back in a moment."""


class LostDeadlock(DatabaseUnavailable):
    """The transaction was undone, as another one needed the same rows: it may be run again."""


class InvalidDatabaseUrl(Exception):
    """The URL names no MySQL database, or a password that protects nothing."""


def connect(url: str, *, connections: int = 1, patience: int = 5) -> Engine:
    """Return an engine; nothing is connected before its first use.

    Args:
        url: mysql://user:password@host:port/database.
        connections: the most that are open at once.
        patience: seconds that a statement, or the wait for a free connection, may take.

    Raises:
        InvalidDatabaseUrl: it is of another form, or its password protects nothing.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() != "mysql" or not parsed.database:
        raise InvalidDatabaseUrl("DATABASE_URL must have the form mysql://user:password@host:port/database")
    if not parsed.password or is_common(parsed.password):
        raise InvalidDatabaseUrl("DATABASE_URL holds no password, or one that many people use")
    return create_engine(
        parsed.set(drivername="mysql+mysqldb"),
        isolation_level="READ COMMITTED",
        pool_size=connections,
        max_overflow=0,
        pool_timeout=patience,
        pool_pre_ping=True,
        pool_recycle=CONNECTION_SECONDS,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": patience,
            "write_timeout": patience,
            "init_command": "SET time_zone = '+00:00'",
        },
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run the block in one transaction.

    Raises:
        DatabaseUnavailable: the database did not answer, or not as a migrated one does.
    """
    with translated(), engine.begin() as connection:
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's ways of saying that the database is away into one."""
    try:
        yield
    except PoolTimeout:
        raise DatabaseUnavailable("every connection is in use") from None
    except DBAPIError as error:
        if code(error) in (NO_SUCH_TABLE, NO_SUCH_COLUMN):
            raise DatabaseUnavailable(f"not migrated: {_first_line(error)}") from None
        if code(error) == DEADLOCK:
            raise LostDeadlock(_first_line(error)) from None
        if isinstance(error, OperationalError | InterfaceError | InternalError):
            raise DatabaseUnavailable(_first_line(error)) from None
        raise


def code(error: DBAPIError) -> int | None:
    """Return MySQL's number of an error (the manual's "Server Error Message Reference")."""
    return error.orig.args[0] if error.orig is not None and error.orig.args else None


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0]
