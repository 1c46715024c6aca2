"""Sessions of browsers: a random secret in a cookie, stored as its hash, and exchanged for short tokens.

Whatever revokes a user's tokens ends the sessions from before, too: one rule, one column.
"""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, and_, delete, false, func, insert, or_, select, update

from auth.database import LostDeadlock, sessions, transaction, users
from auth.store import COLUMNS, user_of
from auth.user import User
from chassis.crashpoint import crashpoints

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
TOKEN_LIFETIME = timedelta(minutes=10)
"""Of a token that a session is exchanged for; for so long it has to be told that a session was ended."""
MOST = 50
"""How many sessions a user has at once: the one that was used least lately makes room."""
NOTED_EVERY = timedelta(minutes=5)
"""How exactly the last use is kept, so that not every request is a write."""
MAX_AGENT, MAX_ADDRESS = 200, 45


class SessionEnded(Exception):
    """There is no such session, or no longer."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that a user is logged in with; times are epoch seconds."""

    id: str
    created_at: int
    last_used_at: int
    agent: str
    address: str


class Sessions:
    """The sessions in the database, dated by its clock.

    Every method raises `DatabaseUnavailable` when the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @crashpoints
    def begin(self, user: User, agent: str, address: str) -> tuple[str, str]:
        """Return the id and the secret of a new session; the secret is told this once."""
        session_id, secret = uuid4().hex, secrets.token_urlsafe(32)
        # A revocation is valid from the next second on; see `Users.set_password`.
        now = func.greatest(func.unix_timestamp(), user.tokens_valid_from)
        values = {
            "id": session_id,
            "user_id": user.id,
            "secret_hash": _hash(secret),
            "created_at": now,
            "last_used_at": now,
            "agent": agent[:MAX_AGENT],
            "address": address[:MAX_ADDRESS],
        }
        with suppress(LostDeadlock):  # the next one makes room
            self._make_room(user)
        with transaction(self._engine) as connection:
            connection.execute(insert(sessions).values(values))
        return session_id, secret

    def use(self, secret: str) -> tuple[str, User]:
        """Return the id of the session with this secret, and whose it is.

        Raises:
            SessionEnded: there is none, or no longer.
        """
        found = (
            select(
                *COLUMNS,
                sessions.c.id.label("session_id"),
                (sessions.c.last_used_at < _ago(NOTED_EVERY)).label("to_note"),
            )
            .join_from(sessions, users, sessions.c.user_id == users.c.id)
            .where(sessions.c.secret_hash == _hash(secret), _good())
        )
        with transaction(self._engine) as connection:
            row = connection.execute(found).first()
        if row is None:
            raise SessionEnded("there is no such session, or no longer")
        if row.to_note:
            self._note(row.session_id)
        return row.session_id, user_of(row)

    def is_good(self, session_id: str) -> bool:
        """Tell whether a session goes on."""
        found = (
            select(sessions.c.id)
            .join_from(sessions, users, sessions.c.user_id == users.c.id)
            .where(sessions.c.id == session_id, _good())
        )
        with transaction(self._engine) as connection:
            return connection.execute(found).first() is not None

    def of(self, user_id: str) -> list[Session]:
        """Return a user's sessions, the last used first."""
        found = (
            select(*(sessions.c[name] for name in Session.__slots__))
            .join_from(sessions, users, sessions.c.user_id == users.c.id)
            .where(sessions.c.user_id == user_id, _good())
            .order_by(sessions.c.last_used_at.desc(), sessions.c.id)
        )
        with transaction(self._engine) as connection:
            return [Session(**row._asdict()) for row in connection.execute(found)]

    @crashpoints
    def end(self, user_id: str, session_id: str) -> bool:
        """End one of a user's sessions; tell whether it went on until now."""
        mine = and_(sessions.c.id == session_id, sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
        with transaction(self._engine) as connection:
            ended = connection.execute(update(sessions).where(mine).values(ended_at=func.unix_timestamp()))
        return bool(ended.rowcount)

    def ended(self) -> list[str]:
        """Return the ids of sessions that were ended so lately that a token of theirs may still be good."""
        found = select(sessions.c.id).where(sessions.c.ended_at >= _ago(TOKEN_LIFETIME + NOTED_EVERY))
        with transaction(self._engine) as connection:
            return list(connection.scalars(found))

    def _make_room(self, user: User) -> None:
        """Forget what is over, and end what is one too many."""
        kept = select(sessions.c.id).where(sessions.c.user_id == user.id, sessions.c.ended_at.is_(None))
        kept = kept.order_by(sessions.c.last_used_at.desc(), sessions.c.id).offset(MOST - 1).limit(MOST)
        with transaction(self._engine) as connection:
            connection.execute(delete(sessions).where(_over()))
            for session_id in connection.scalars(kept).all():
                too_many = update(sessions).where(sessions.c.id == session_id)
                connection.execute(too_many.values(ended_at=func.unix_timestamp()))

    @crashpoints
    def _note(self, session_id: str) -> None:
        with transaction(self._engine) as connection:
            used = update(sessions).where(sessions.c.id == session_id)
            connection.execute(used.values(last_used_at=func.unix_timestamp()))


def _hash(secret: str) -> str:
    """Return what is stored of a secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _ago(time: timedelta) -> ColumnElement[Any]:
    now: ColumnElement[Any] = func.unix_timestamp()
    return now - int(time.total_seconds())


def _good() -> ColumnElement[bool]:
    """Match a session that goes on, joined with its user."""
    return and_(
        sessions.c.ended_at.is_(None),
        sessions.c.last_used_at >= _ago(IDLE),
        sessions.c.created_at >= _ago(LONGEST),
        sessions.c.created_at >= users.c.tokens_valid_from,
        users.c.disabled == false(),
    )


def _over() -> ColumnElement[bool]:
    """Match a session that nobody has to be told of any more."""
    return or_(
        sessions.c.ended_at < _ago(TOKEN_LIFETIME + NOTED_EVERY),
        sessions.c.last_used_at < _ago(IDLE),
        sessions.c.created_at < _ago(LONGEST),
    )
