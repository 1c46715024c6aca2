"""The routes of the original contract, of one's own account, and what the gateway polls."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from auth import authorization, bodies, problems
from auth.logins import Logins
from auth.personal_key import PREFIX
from auth.sessions import Session
from chassis.web import prefers_json

JWKS_SECONDS = 30
"""How long a key set may be cached: no longer than the gateway takes to fetch it again."""

routes = Blueprint("routes", __name__)


@routes.post("/login")
def login() -> Response:
    """Return a token for a user name and a password (HTTP basic), or for a personal key (bearer)."""
    key = authorization.bearer(request.headers.get("Authorization", ""))
    if key is not None and key.startswith(PREFIX):
        token = logins().log_in_with_key(key, _address(), bodies.scopes())
    else:
        token = logins().log_in(*_credentials(), _address(), bodies.scopes())
    if prefers_json():
        response = jsonify(token=token.text, expires_at=token.expires_at.isoformat())
    else:
        response = Response(token.text, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.post("/validate")
def validate() -> Response:
    """Return the claims of a valid token."""
    return jsonify(logins().validate(_token()))


@routes.post("/logout")
def logout() -> Response:
    """Refuse every token of the caller from now on."""
    logins().log_out(_token())
    return Response(status=HTTPStatus.NO_CONTENT)


@routes.put("/password")
def change_password() -> Response:
    """Give the caller, who shows the old password, another one."""
    user = logins().identify(*_credentials(), _address())
    logins().change_password(user, bodies.read(bodies.NewPassword).password)
    return Response(status=HTTPStatus.NO_CONTENT)


@routes.post("/sessions")
def begin_session() -> Response:
    """Begin a session for a user name and a password (HTTP basic); its secret is told in this answer only."""
    session_id, secret = logins().begin_session(
        *_credentials(), _address(), request.headers.get("User-Agent", "")
    )
    response = jsonify(id=session_id, secret=secret)
    response.status_code = HTTPStatus.CREATED
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.post("/sessions/token")
def exchange() -> Response:
    """Return a short token for the secret of a session, which comes as a bearer does."""
    response = Response(logins().exchange(_token()).text, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.get("/sessions")
def sessions() -> Response:
    """List the sessions of the caller, the last used first."""
    response = jsonify(sessions=[_describe(session) for session in logins().sessions_of(_token())])
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.delete("/sessions/<session_id>")
def end_session(session_id: str) -> Response:
    """End one session of the caller."""
    logins().end_session(_token(), session_id)
    return Response(status=HTTPStatus.NO_CONTENT)


@routes.get("/revocations")
def revocations() -> Response:
    """Return since when (epoch seconds) whose tokens are good, and what ended lately that tokens were for."""
    response = jsonify(
        revocations=logins().users.revocations(),
        ended_sessions=logins().sessions.ended(),
        revoked_keys=logins().keys.revoked(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Return the public keys that tokens are verified with (RFC 7517)."""
    response = jsonify(logins().tokens.jwks())
    response.headers["Cache-Control"] = f"public, max-age={JWKS_SECONDS}"
    return response


def logins() -> Logins:
    """Return what lets users in, in the application that answers now."""
    found: Logins = current_app.extensions["auth"]
    return found


def _describe(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "created_at": _time(session.created_at),
        "last_used_at": _time(session.last_used_at),
        "agent": session.agent,
        "address": session.address,
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _credentials() -> tuple[str, str]:
    credentials = authorization.basic(request.headers.get("Authorization", ""))
    if credentials is None:
        raise problems.missing_credentials()
    return credentials


def _token() -> str:
    token = authorization.bearer(request.headers.get("Authorization", ""))
    if token is None:
        raise problems.not_authorized()
    return token


def _address() -> str:
    """Return the client's address as the gateway, which alone can reach this service, saw it."""
    return request.headers.get("X-Forwarded-For", request.remote_addr or "").rpartition(",")[2].strip()
