"""Every error that auth answers with, and the two forms it comes in.

One line of plain text, or RFC 9457 `application/problem+json` when the client prefers JSON.
"""

from functools import partial
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from auth.database import DatabaseUnavailable
from auth.logins import InvalidCredentials
from auth.password_rules import WeakPassword
from auth.passwords import Busy
from auth.throttle import TooManyFailures
from auth.tokens import InvalidScope
from auth.user import InvalidUsername, NoSuchUser, UserExists
from chassis import logs
from chassis.identity import InvalidToken
from chassis.web import Problem, prefers_json

RETRY_SECONDS = 5
REFUSALS = {
    InvalidScope: (HTTPStatus.BAD_REQUEST, "invalid_scope", "Ask for fewer, or for none to get all."),
    InvalidUsername: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_username", "Correct the address."),
    NoSuchUser: (HTTPStatus.NOT_FOUND, "no_such_user", "GET /v1/admin/users lists the users."),
    UserExists: (HTTPStatus.CONFLICT, "user_exists", "PATCH /v1/admin/users/<username> changes a user."),
    WeakPassword: (HTTPStatus.UNPROCESSABLE_ENTITY, "weak_password", "Choose another; a sentence is good."),
}
"""Exceptions whose own words are the answer, and what to do about each."""

log = logs.get(__name__)


def missing_credentials() -> Problem:
    """The request names no user and password."""
    return _unauthorized(
        "missing credentials", "Send user name and password by HTTP basic: curl -u me@example.com."
    )


def invalid_credentials() -> Problem:
    """User name and password do not belong together."""
    return _unauthorized("invalid credentials", "Check the user name and the password.")


def not_authorized() -> Problem:
    """The token is missing, wrong, too old or revoked."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        "not_authorized",
        "not authorized",
        "Log in with POST /login and send the token as 'Authorization: Bearer <token>'.",
    )


def missing_scope(scope: str) -> Problem:
    """The token is good, but not for this."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        "missing_scope",
        f"the token lacks the scope {scope}",
        "Log in again, as a user who may have it and without asking for fewer scopes.",
    )


def malformed_body() -> Problem:
    """The body is no JSON."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "malformed_body",
        "the body is no JSON",
        """Send a JSON object, for example -d '{"username": "me@example.com"}'.""",
    )


def invalid_body(reason: str) -> Problem:
    """The body is JSON, but not what the route takes."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_body",
        reason,
        "Correct it; /docs tells what the body holds.",
    )


def too_many_failures(retry_after: int) -> Problem:
    """Too many wrong passwords for this account, or from this address."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_failures",
        "too many failed logins",
        f"Try again in {retry_after} s.",
        {"Retry-After": str(retry_after)},
    )


def unavailable(what: str) -> Problem:
    """Something that auth needs is away for now."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        f"{what} right now",
        "Try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


def _unauthorized(detail: str, hint: str) -> Problem:
    challenge = {"WWW-Authenticate": 'Basic realm="video-to-mp3", charset="UTF-8"'}
    return Problem(HTTPStatus.UNAUTHORIZED, detail.replace(" ", "_"), detail, hint, challenge)


def answer(problem: Problem) -> Response:
    """Return the problem in the form that the client prefers."""
    return problem.as_response(in_json=prefers_json())


def _refuse(status: HTTPStatus, code: str, hint: str, error: Exception) -> Response:
    return answer(Problem(status, code, str(error), hint))


def register(app: Flask) -> None:
    """Make the application answer every exception as a problem."""

    @app.errorhandler(Problem)
    def _(problem: Problem) -> Response:
        return answer(problem)

    @app.errorhandler(InvalidCredentials)
    def _(_error: InvalidCredentials) -> Response:
        return answer(invalid_credentials())

    @app.errorhandler(InvalidToken)
    def _(error: InvalidToken) -> Response:
        log.info("token refused", reason=str(error))
        return answer(not_authorized())

    @app.errorhandler(DatabaseUnavailable)
    def _(error: DatabaseUnavailable) -> Response:
        log.warning("the database is away", reason=str(error))
        return answer(unavailable("users cannot be looked up"))

    @app.errorhandler(Busy)
    def _(_error: Busy) -> Response:
        return answer(unavailable("too many are logging in"))

    @app.errorhandler(TooManyFailures)
    def _(error: TooManyFailures) -> Response:
        return answer(too_many_failures(error.retry_after))

    for kind, (status, code, hint) in REFUSALS.items():
        app.register_error_handler(kind, partial(_refuse, status, code, hint))

    @app.errorhandler(HTTPException)
    def _(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return answer(Problem(status, status.name.lower(), error.description or status.phrase, "", headers))

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response:
        log.error("auth has a bug", exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return answer(Problem(status, "internal_error", "auth made a mistake", "Report the request id."))
