"""The routes of the original contract, and the key set."""

from flask import Blueprint, Response, current_app, jsonify, request

from auth import authorization, problems
from auth.logins import Logins

JWKS_SECONDS = 30
"""How long a key set may be cached: no longer than the gateway takes to fetch it anew."""

routes = Blueprint("routes", __name__)


@routes.post("/login")
def login() -> Response:
    """Return a token for a user name and a password (HTTP basic)."""
    credentials = authorization.basic(request.headers.get("Authorization", ""))
    if credentials is None:
        raise problems.missing_credentials()
    token = _logins().log_in(*credentials)
    if problems.prefers_json():
        response = jsonify(token=token.text, expires_at=token.expires_at.isoformat())
    else:
        response = Response(token.text, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.post("/validate")
def validate() -> Response:
    """Return the claims of a valid token."""
    token = authorization.bearer(request.headers.get("Authorization", ""))
    if token is None:
        raise problems.not_authorized()
    return jsonify(_logins().validate(token))


@routes.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Return the public keys that tokens are verified with (RFC 7517)."""
    response = jsonify(_logins().tokens.jwks())
    response.headers["Cache-Control"] = f"public, max-age={JWKS_SECONDS}"
    return response


def _logins() -> Logins:
    logins: Logins = current_app.extensions["auth"]
    return logins
