"""Read and write users.

One clock, the database's, dates tokens and revocations, so replicas need not agree on the time.
"""

from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, Row, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from auth.database import metadata, transaction, users
from auth.settings import MAX_TOKEN_LIFETIME
from auth.user import NoSuchUser, User, UserExists
from chassis.crashpoint import crashpoints

COLUMNS = (users, func.unix_timestamp().label("read_at"))
"""What `user_of` makes a user from."""


class Users:
    """The users in the database; usernames are canonical ones.

    Every method raises `DatabaseUnavailable` when the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def check(self) -> None:
        """Return when the tables have all that this release reads: a new one waits for its migration."""
        with transaction(self._engine) as connection:
            for table in metadata.sorted_tables:
                connection.execute(select(table).limit(0))

    def find(self, username: str) -> User | None:
        """Return the user of this name."""
        with transaction(self._engine) as connection:
            row = connection.execute(select(*COLUMNS).where(users.c.username == username)).first()
        return None if row is None else user_of(row)

    def all(self) -> list[User]:
        """Return every user, by name."""
        with transaction(self._engine) as connection:
            return [user_of(row) for row in connection.execute(select(*COLUMNS).order_by(users.c.username))]

    def has_admin(self) -> bool:
        """Whether any user is an administrator."""
        with transaction(self._engine) as connection:
            found = connection.execute(select(users.c.id).where(users.c.admin == true()).limit(1)).first()
        return found is not None

    @crashpoints
    def add(self, username: str, password_hash: str, *, admin: bool) -> None:
        """Add a user.

        Raises:
            UserExists: there is one of this name.
        """
        values = {
            "id": uuid4().hex,
            "username": username,
            "password_hash": password_hash,
            "admin": admin,
            "disabled": False,
            "tokens_valid_from": 0,
            "created_at": func.utc_timestamp(),
        }
        try:
            with transaction(self._engine) as connection:
                connection.execute(insert(users).values(values))
        except IntegrityError:
            raise UserExists(f"the user {username} already exists") from None

    def set_password(self, username: str, password_hash: str) -> None:
        """Replace a user's password and revoke the tokens that the old one was good for.

        Raises:
            NoSuchUser: there is none of this name.
        """
        self._update(username, password_hash=password_hash, tokens_valid_from=_next_second())

    @crashpoints
    def rehash(self, user: User, password_hash: str) -> None:
        """Store the same password under newer parameters, unless it was changed meanwhile."""
        with transaction(self._engine) as connection:
            connection.execute(
                update(users)
                .where(users.c.id == user.id, users.c.password_hash == user.password_hash)
                .values(password_hash=password_hash)
            )

    def disable(self, username: str) -> None:
        """Let a user in no more, and revoke their tokens.

        Raises:
            NoSuchUser: there is none of this name.
        """
        self._update(username, disabled=True, tokens_valid_from=_next_second())

    def revoke_tokens(self, username: str) -> None:
        """Refuse every token that a user has now.

        Raises:
            NoSuchUser: there is none of this name.
        """
        self._update(username, tokens_valid_from=_next_second())

    def revocations(self) -> dict[str, int]:
        """Return since when (epoch seconds) whose tokens are good, where that is of any consequence."""
        longest = int(MAX_TOKEN_LIFETIME.total_seconds())
        recent = users.c.tokens_valid_from > func.unix_timestamp() - longest
        with transaction(self._engine) as connection:
            rows = connection.execute(select(users.c.username, users.c.tokens_valid_from).where(recent))
            return {row.username: row.tokens_valid_from for row in rows}

    def enable(self, username: str) -> None:
        """Let a user in again.

        Raises:
            NoSuchUser: there is none of this name.
        """
        self._update(username, disabled=False)

    def set_admin(self, username: str, *, admin: bool) -> None:
        """Make a user an administrator, or one no longer: that revokes their tokens.

        Raises:
            NoSuchUser: there is none of this name.
        """
        self._update(username, admin=admin, **({} if admin else {"tokens_valid_from": _next_second()}))

    @crashpoints
    def _update(self, username: str, **values: object) -> None:
        with transaction(self._engine) as connection:
            # Rows that match, not rows that differ: the driver asks for CLIENT.FOUND_ROWS.
            changed = connection.execute(update(users).where(users.c.username == username).values(values))
            if not changed.rowcount:
                raise NoSuchUser(f"there is no user {username}")


def _next_second() -> ColumnElement[int]:
    """Return the first second whose tokens stay valid: those of this one may be older than the change."""
    now: ColumnElement[int] = func.unix_timestamp()
    return now + 1


def user_of(row: Row[Any]) -> User:
    """Return the user of a row that has `COLUMNS`."""
    return User(**{name: getattr(row, name) for name in User.__slots__})
