"""The routes of one's own personal keys."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, request

from auth import audit, authorization, bodies, problems
from auth.personal_key import PersonalKey
from auth.tokens import SCOPES, InvalidScope
from auth.user import NoSuchUser, User
from auth.views import logins

routes = Blueprint("keys", __name__, url_prefix="/keys")


@routes.get("")
def keys() -> Response:
    """List the caller's keys that are good, the newest first."""
    user, _ = _caller()
    return jsonify(keys=[_describe(key) for key in logins().keys.all(user)])


@routes.post("")
def add() -> Response:
    """Make a key that allows no more than the caller's own token; its text is told in this answer only."""
    user, theirs = _caller()
    asked = bodies.read(bodies.NewKey)
    scopes = set(SCOPES) & theirs if asked.scope is None else set(asked.scope.split(" "))
    if not scopes or not scopes <= theirs:
        raise InvalidScope(f"your keys can have the scopes {', '.join(sorted(theirs))}")
    lifetime = timedelta(days=asked.expires_in_days)
    key, text = logins().keys.add(user, name=asked.name, scopes=scopes, lifetime=lifetime)
    audit.record("key made", user=user.username, key=key.id, scope=" ".join(sorted(scopes)))
    response = jsonify({**_describe(key), "key": text})
    response.status_code = HTTPStatus.CREATED
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.delete("/<key_id>")
def revoke(key_id: str) -> Response:
    """Let a key of the caller's in no more."""
    user, _ = _caller()
    logins().keys.revoke(user, key_id)
    audit.record("key revoked", user=user.username, key=key_id)
    return Response(status=HTTPStatus.NO_CONTENT)


def _caller() -> tuple[User, set[str]]:
    """Return who asks, and the scopes of their token.

    Raises:
        Problem: it was given for a key: one that leaked must not outlive itself by making others.
    """
    claims = logins().validate(authorization.bearer(request.headers.get("Authorization", "")) or "")
    if "key" in claims:
        raise problems.login_needed()
    user = logins().users.find(str(claims["username"]))
    if user is None:
        raise NoSuchUser("there is no such user")
    return user, set(str(claims["scope"]).split())


def _describe(key: PersonalKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "start": key.start,
        "scope": " ".join(sorted(key.scopes)),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "last_used_at": key.last_used_at and key.last_used_at.isoformat(),
    }
