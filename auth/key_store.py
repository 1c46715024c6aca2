"""Read and write personal keys; like `store`, by the database's clock alone."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, Row, delete, func, insert, or_, select, update

from auth import personal_key
from auth.database import personal_keys, transaction, users
from auth.personal_key import NoSuchKey, PersonalKey, TooManyKeys
from auth.settings import MAX_TOKEN_LIFETIME
from auth.user import User
from chassis.crashpoint import crashpoints

MAX_KEYS = 50
"""How many keys one user may have."""
USE_NOTED_EVERY = timedelta(hours=1)

_longest = int(MAX_TOKEN_LIFETIME.total_seconds())
_now: ColumnElement[int] = func.unix_timestamp()
_good = (personal_keys.c.revoked_at.is_(None)) & (personal_keys.c.expires_at > _now)


class PersonalKeys:
    """The keys in the database.

    Every method raises `DatabaseUnavailable` when the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, user: User) -> list[PersonalKey]:
        """Return a user's keys that are good, the newest first."""
        mine = select(personal_keys).where(personal_keys.c.user_id == user.id, _good)
        newest_first = mine.order_by(personal_keys.c.created_at.desc(), personal_keys.c.id)
        with transaction(self._engine) as connection:
            return [_key(row) for row in connection.execute(newest_first)]

    @crashpoints
    def add(
        self, user: User, *, name: str, scopes: Collection[str], lifetime: timedelta
    ) -> tuple[PersonalKey, str]:
        """Add a key; return it and its text, which nothing tells again.

        Raises:
            TooManyKeys: there are `MAX_KEYS` already.
        """
        text = personal_key.generate()
        values = {
            "id": uuid4().hex,
            "user_id": user.id,
            "name": name,
            "start": text[: personal_key.SHOWN],
            "sha256": personal_key.digest(text),
            "scopes": " ".join(sorted(scopes)),
            "created_at": _now,
            "expires_at": _now + int(lifetime.total_seconds()),
        }
        mine = personal_keys.c.user_id == user.id
        over = or_(personal_keys.c.revoked_at < _now - _longest, personal_keys.c.expires_at < _now - _longest)
        with transaction(self._engine) as connection:
            connection.execute(delete(personal_keys).where(mine, over))
            good = connection.scalar(select(func.count()).select_from(personal_keys).where(mine, _good))
            if int(good or 0) >= MAX_KEYS:
                raise TooManyKeys(f"you already have {MAX_KEYS} keys, the most that are allowed")
            connection.execute(insert(personal_keys).values(values))
            made = select(personal_keys).where(personal_keys.c.id == values["id"])
            return _key(connection.execute(made).one()), text

    @crashpoints
    def revoke(self, user: User, key_id: str) -> PersonalKey:
        """Let a key of a user's in no more, nor the tokens that it was worth.

        Raises:
            NoSuchKey: the user has none with this id.
        """
        its = (personal_keys.c.id == key_id) & (personal_keys.c.user_id == user.id)
        with transaction(self._engine) as connection:
            changed = connection.execute(update(personal_keys).where(its, _good).values(revoked_at=_now))
            if not changed.rowcount:
                raise NoSuchKey("there is no such key")
            return _key(connection.execute(select(personal_keys).where(its)).one())

    def find(self, sha256: str) -> tuple[PersonalKey, str] | None:
        """Return the good key with this digest and the name of its user."""
        found = (
            select(personal_keys, users.c.username)
            .join(users, users.c.id == personal_keys.c.user_id)
            .where(personal_keys.c.sha256 == sha256, _good)
        )
        with transaction(self._engine) as connection:
            row = connection.execute(found).first()
        return None if row is None else (_key(row), row.username)

    def is_good(self, key_id: str) -> bool:
        """Whether a key is neither revoked nor expired."""
        with transaction(self._engine) as connection:
            found = select(personal_keys.c.id).where(personal_keys.c.id == key_id, _good)
            return connection.execute(found).first() is not None

    @crashpoints
    def note_use(self, key: PersonalKey) -> None:
        """Note that a key was used just now, at most once an hour."""
        last = personal_keys.c.last_used_at
        seldom = or_(last.is_(None), last < _now - int(USE_NOTED_EVERY.total_seconds()))
        with transaction(self._engine) as connection:
            noted = update(personal_keys).where(personal_keys.c.id == key.id, seldom)
            connection.execute(noted.values(last_used_at=_now))

    def revoked(self) -> list[str]:
        """Return the ids of revoked keys whose tokens could still be in use."""
        recent = personal_keys.c.revoked_at > _now - _longest
        with transaction(self._engine) as connection:
            return list(connection.scalars(select(personal_keys.c.id).where(recent)))


def _key(row: Row[Any]) -> PersonalKey:
    return PersonalKey(
        id=row.id,
        name=row.name,
        start=row.start,
        scopes=frozenset(row.scopes.split()),
        created_at=_time(row.created_at),
        expires_at=_time(row.expires_at),
        last_used_at=None if row.last_used_at is None else _time(row.last_used_at),
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
