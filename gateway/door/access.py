"""Who asks, and whether they may: tokens, passwords, personal keys, sessions of browsers, and scopes."""

import base64
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Literal, ParamSpec

from flask import Response, g, request

from chassis.identity import Identity, InvalidToken
from chassis.problem import Problem
from gateway import problems
from gateway.door import audit, session
from gateway.door.door import the_door
from gateway.door.remembered import Ask, Remembered

P = ParamSpec("P")
Scope = Literal["jobs:read", "jobs:write", "admin"]
KEY_PREFIX = "v2m_"
"""How personal keys begin, and no token of auth's."""


def requires(
    scope: Scope, *, waits: bool = False
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Let only requests through whose token has the scope; `g.identity` says whose it is, `g.token` is it.

    `waits`: whoever asks too often is told so by 503 in place of 429, at which clients of tus give up.
    """

    def guard(view: Callable[P, Response]) -> Callable[P, Response]:
        def let_in(*args: P.args, **kwargs: P.kwargs) -> Response:
            g.identity = _identify()
            _count(g.identity.username)
            if scope not in g.identity.scopes:
                audit.record("refused", reason=f"no scope {scope}")
                raise problems.missing_scope(scope)
            return view(*args, **kwargs)

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                return let_in(*args, **kwargs)
            except Problem as problem:
                raise problems.later(problem) if waits else problem from None

        guarded.scope = scope  # type: ignore[attr-defined]  # `openapi` reads it
        return guarded

    return guard


def limits_logins(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let only so many requests with a password through from one address."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        count_login()
        return view(*args, **kwargs)

    guarded.takes_password = True  # type: ignore[attr-defined]  # `openapi` reads it
    return guarded


def count_guess() -> None:
    """Count an address that was made up; who makes up too many is told to wait.

    Raises:
        Problem: they were too many.
    """
    limit = the_door().settings.logins_per_minute
    rate = the_door().rates.count(f"guess:{request.remote_addr}", limit)
    if rate.exceeded:
        raise problems.too_many_logins(str(rate.reset_seconds))


def ask_auth_as_caller(path: str) -> Response:
    """Pass the request on to auth with the caller's token; for views behind `requires`.

    Raises:
        Problem: auth refuses the token, which was revoked so lately that this process does not know yet.
    """
    response = the_door().auth.forward(request, path, g.request_id, g.token)
    if response.status_code == HTTPStatus.FORBIDDEN:  # the scope was looked at here
        forget_caller()
        raise problems.not_authorized()
    return response


def is_still_good() -> bool:
    """Tell whether the caller would still be let in by what `requires` let them in with."""
    try:
        the_door().verifier.verify(g.token)
    except InvalidToken:
        return False
    return True


def forget_caller() -> None:
    """Ask auth again next time who it is that shows what the caller has shown."""
    the_door().passwords.forget(request.headers.get("Authorization", ""))
    the_door().sessions.forget(session.secret() or "")


def user_of(header: str) -> str | None:
    """Return the user name of `Basic` credentials, `None` where there are none.

    Werkzeug's own reader breaks on what is no ASCII.
    """
    kind, _, value = header.partition(" ")
    try:
        name, colon, _ = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return name if kind.lower() == "basic" and colon else None


def _count(username: str) -> None:
    g.rate = the_door().rates.count(f"user:{username}", the_door().settings.requests_per_minute)
    if g.rate.exceeded:
        raise problems.too_many_requests(g.rate.limit, g.rate.reset_seconds)


def count_login() -> None:
    """Count a look at a password for the caller's address.

    Raises:
        Problem: there were too many in this minute.
    """
    g.rate = the_door().rates.count(f"login:{request.remote_addr}", the_door().settings.logins_per_minute)
    if g.rate.exceeded:
        raise problems.too_many_logins(str(g.rate.reset_seconds))


def _identify() -> Identity:
    given = request.headers.get("Authorization")
    if given is None:
        return _of_session()
    kind, _, value = given.partition(" ")
    value = value.strip()
    if kind.lower() == "bearer" and value.startswith(KEY_PREFIX):
        return _of_password(given)
    if kind.lower() == "bearer" and value:
        return _of_token(value)
    if kind.lower() == "basic" and user_of(given) is not None:
        return _of_password(given)
    raise problems.not_authorized()


def _of_token(token: str) -> Identity:
    try:
        identity = the_door().verifier.verify(token)
    except InvalidToken as error:
        audit.record("refused", reason=str(error))
        raise problems.not_authorized() from None
    g.token = token
    return identity


def _of_password(credentials: str) -> Identity:
    found = _exchanged(credentials, the_door().passwords, _ask_by_password)
    if found is None:
        audit.record("refused", reason="wrong user name, password or key")
        raise problems.not_authorized()
    return found


def _of_session() -> Identity:
    found = who_is_logged_in()
    if found is None:
        raise problems.not_authorized()
    return found


def who_is_logged_in() -> Identity | None:
    """Return who the session of the request's browser belongs to; `None` where there is no good one.

    Raises:
        Problem: it is used by another site's page, or auth is away.
    """
    secret = session.secret()
    return None if secret is None else identity_of_session(secret)


def identity_of_session(secret: str) -> Identity | None:
    """Return who the session with this secret belongs to; `None` when there is none."""
    return _exchanged(secret, the_door().sessions, _ask_by_session)


def _exchanged(credentials: str, remembered: Remembered, ask: Ask) -> Identity | None:
    """Return the identity of the token that auth gives for credentials; `g.token` is it."""
    for _ in range(2):  # the token that is remembered may have been revoked since
        token = remembered.token(credentials, ask)
        if token is None:
            break
        try:
            identity = the_door().verifier.verify(token)
        except InvalidToken:
            remembered.forget(credentials)
        else:
            g.token = token
            return identity
    return None


def _ask_by_password(credentials: str) -> str | None:
    count_login()
    return the_door().auth.token(credentials, request.remote_addr or "", g.request_id)


def _ask_by_session(secret: str) -> str | None:
    """Ask auth; only so many made-up secrets are looked at from one address."""
    door, name = the_door(), f"session:{request.remote_addr}"
    limit = door.settings.logins_per_minute
    rate = door.rates.count(name, limit, 0)
    if rate.exceeded:
        raise problems.too_many_logins(str(rate.reset_seconds))
    token = door.auth.token_of_session(secret, request.remote_addr or "", g.request_id)
    if token is None:
        door.rates.count(name, limit)
        audit.record("refused", reason="no such session")
    return token
