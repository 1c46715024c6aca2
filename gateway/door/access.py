"""Who asks, and whether they may: tokens, user names with passwords, and scopes."""

import base64
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Literal, ParamSpec

from flask import Response, g, request

from chassis.identity import Identity, InvalidToken
from gateway import problems
from gateway.door import audit
from gateway.door.door import the_door

P = ParamSpec("P")
Scope = Literal["jobs:read", "jobs:write", "admin"]


def requires(scope: Scope) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Let only requests through whose token has the scope; `g.identity` says whose it is, `g.token` is it."""

    def guard(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            g.identity = _identify()
            _count(g.identity.username)
            if scope not in g.identity.scopes:
                audit.record("refused", reason=f"no scope {scope}")
                raise problems.missing_scope(scope)
            return view(*args, **kwargs)

        guarded.scope = scope  # type: ignore[attr-defined]  # `openapi` reads it
        return guarded

    return guard


def limits_logins(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let only so many requests with a password through from one address."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        _count_login()
        return view(*args, **kwargs)

    guarded.takes_password = True  # type: ignore[attr-defined]  # `openapi` reads it
    return guarded


def ask_auth_as_caller(path: str) -> Response:
    """Pass the request on to auth with the caller's token; for views behind `requires`.

    Raises:
        Problem: auth refuses the token, which was revoked so lately that this process does not know yet.
    """
    response = the_door().auth.forward(request, path, g.request_id, g.token)
    if response.status_code == HTTPStatus.FORBIDDEN:  # the scope was looked at here
        the_door().passwords.forget(request.headers.get("Authorization", ""))
        raise problems.not_authorized()
    return response


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


def _count_login() -> None:
    g.rate = the_door().rates.count(f"login:{request.remote_addr}", the_door().settings.logins_per_minute)
    if g.rate.exceeded:
        raise problems.too_many_logins(str(g.rate.reset_seconds))


def _identify() -> Identity:
    given = request.headers.get("Authorization", "")
    kind, _, value = given.partition(" ")
    value = value.strip()
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
    passwords = the_door().passwords
    for _ in range(2):  # the token that is remembered may have been revoked since
        token = passwords.token(credentials, _ask_auth)
        if token is None:
            break
        try:
            identity = the_door().verifier.verify(token)
        except InvalidToken:
            passwords.forget(credentials)
        else:
            g.token = token
            return identity
    audit.record("refused", reason="wrong user name or password")
    raise problems.not_authorized()


def _ask_auth(credentials: str) -> str | None:
    _count_login()
    return the_door().auth.token(credentials, request.remote_addr or "", g.request_id)
