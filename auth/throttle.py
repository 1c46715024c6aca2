"""Slow down guessing: so many wrong passwords a window for an account, and from an address.

The counts lie in the database, for all replicas.  Only failures count, so many right logins at once
are fine; wrong ones that are looked at at the same time may exceed the limit by their number.
A window passes, so nobody is locked out for good; an unknown account is counted as a known one is.
"""

import hashlib
import ipaddress
from datetime import timedelta

from sqlalchemy import Connection, Engine, Executable, delete, func, select
from sqlalchemy.dialects.mysql import insert

from auth.database import LostDeadlock, failures, transaction
from chassis.crashpoint import crashpoints

TRIES = 10
IPV6_PREFIX = 64
"""What one household is given: it is one address here."""


class TooManyFailures(Exception):
    """No password is looked at for this account, or from this address, for `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many failed logins: try again in {retry_after} s")
        self.retry_after = retry_after


class Throttle:
    """Counts failed logins; safe to use from many threads and replicas.

    Every method raises `DatabaseUnavailable` when the database is away.
    """

    def __init__(self, engine: Engine, *, per_account: int, per_address: int, window: timedelta) -> None:
        self._engine = engine
        self._limits = (per_account, per_address)
        self._seconds = max(1, int(window.total_seconds()))

    def check(self, username: str, address: str) -> None:
        """Return when a password for this account, from this address, may be looked at.

        Raises:
            TooManyFailures: one of them has used up this window.
        """
        with transaction(self._engine) as connection:
            now = self._now(connection)
            for key, limit in zip(_keys(username, address), self._limits, strict=True):
                found = select(failures.c.failures).where(
                    failures.c.window == now // self._seconds, failures.c.key == key
                )
                if (connection.scalar(found) or 0) >= limit:
                    raise TooManyFailures(self._seconds - now % self._seconds)

    @crashpoints
    def failed(self, username: str, address: str) -> None:
        """Count a wrong password, and forget the windows that have passed."""
        with transaction(self._engine) as connection:
            window = self._now(connection) // self._seconds
        self._run(delete(failures).where(failures.c.window < window))
        for key in _keys(username, address):
            row = insert(failures).values(window=window, key=key, failures=1)
            self._run(row.on_duplicate_key_update(failures=failures.c.failures + 1))

    def _run(self, statement: Executable) -> None:
        """Run a statement by itself, again if it lost a deadlock: two that insert the same row can have one.

        https://dev.mysql.com/doc/refman/8.4/en/innodb-deadlocks-handling.html
        """
        for tries_left in reversed(range(TRIES)):
            try:
                with transaction(self._engine) as connection:
                    connection.execute(statement)
            except LostDeadlock:
                if not tries_left:
                    raise
            else:
                return

    def _now(self, connection: Connection) -> int:
        return int(connection.execute(select(func.unix_timestamp())).scalar_one())


def _keys(username: str, address: str) -> tuple[str, str]:
    return _key("account", username.strip().lower()), _key("address", _network(address))


def _key(kind: str, name: str) -> str:
    """Return what is stored of a name: it is as long as strangers like, and nobody else's business."""
    return hashlib.sha256(f"{kind}:{name}".encode("utf-8", "replace")).hexdigest()


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - the protocol's number
        return address
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
