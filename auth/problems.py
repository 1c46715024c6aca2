"""The errors that auth answers with, and the two forms they come in.

One line of plain text, or RFC 9457 `application/problem+json` when the client prefers JSON.
`make docs` writes the catalogue into docs/api.md.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from auth.database import DatabaseUnavailable
from auth.logins import InvalidCredentials
from auth.password_rules import WeakPassword
from auth.passwords import Busy
from auth.personal_key import NoSuchKey, TooManyKeys
from auth.sessions import SessionEnded
from auth.throttle import TooManyFailures
from auth.tokens import InvalidScope
from auth.user import InvalidUsername, NoSuchUser, UserExists
from chassis import logs, refusals
from chassis.identity import InvalidToken
from chassis.problem import Catalogue, Problem, Words
from chassis.web import prefers_json, respond

RETRY_SECONDS = 5
CHALLENGE = {"WWW-Authenticate": 'Basic realm="video-to-mp3", charset="UTF-8"'}

log = logs.get(__name__)
errors = Catalogue()

bad_request = errors.problem(HTTPStatus.BAD_REQUEST)(refusals.bad_request)
login_needed = errors.problem(HTTPStatus.FORBIDDEN)(refusals.login_needed)
method_not_allowed = errors.problem(HTTPStatus.METHOD_NOT_ALLOWED)(refusals.method_not_allowed)
not_found = errors.problem(HTTPStatus.NOT_FOUND)(refusals.not_found)
too_large = errors.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)(refusals.too_large)


@errors.problem(HTTPStatus.UNAUTHORIZED)
def missing_credentials() -> Words:
    """The request names no user and password."""
    return Words(
        "missing credentials",
        "Send a user name and password with HTTP basic authentication: curl -u me@example.com.",
        CHALLENGE,
    )


@errors.problem(HTTPStatus.UNAUTHORIZED)
def invalid_credentials() -> Words:
    """The user name or the password is wrong."""
    return Words("invalid credentials", "Check the user name and the password.", CHALLENGE)


@errors.problem(HTTPStatus.FORBIDDEN)
def not_authorized() -> Words:
    """The token is missing, wrong, expired or revoked."""
    return Words(
        "not authorized",
        "Log in with POST /login and send the token as 'Authorization: Bearer <token>'.",
    )


@errors.problem(HTTPStatus.FORBIDDEN)
def missing_scope(scope: str) -> Words:
    """The token is valid, but does not allow this."""
    return Words(
        f"the token lacks the scope {scope}",
        "Log in again as a user who has this scope, without limiting the scopes.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_body() -> Words:
    """The body is not JSON."""
    return Words(
        "the body is not JSON", """Send a JSON object, for example -d '{"username": "me@example.com"}'."""
    )


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def invalid_body(reason: str) -> Words:
    """The body is JSON, but not what this address accepts."""
    return Words(reason, "Correct the body; /docs describes it.")


@errors.problem(HTTPStatus.TOO_MANY_REQUESTS)
def too_many_failures(retry_after: int) -> Words:
    """Too many wrong passwords for this account, or from this address."""
    return Words(
        "too many failed logins", f"Try again in {retry_after} s.", {"Retry-After": str(retry_after)}
    )


@errors.problem(HTTPStatus.SERVICE_UNAVAILABLE)
def unavailable(what: str) -> Words:
    """A server that auth needs cannot be reached right now."""
    return Words(f"{what} right now", "Try again in a few seconds.", {"Retry-After": str(RETRY_SECONDS)})


@errors.problem(HTTPStatus.BAD_REQUEST)
def invalid_scope(sentence: str) -> Words:
    """The login requests a scope that the user does not have."""
    return Words(sentence, "Request fewer scopes, or none to get all of yours.")


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def invalid_username(sentence: str) -> Words:
    """The user name is not an e-mail address."""
    return Words(sentence, "Correct the address.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_user(sentence: str) -> Words:
    """There is no user with this name."""
    return Words(sentence, "GET /v1/admin/users lists the users.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_session(sentence: str) -> Words:
    """The session has ended, or it belongs to another user."""
    return Words(sentence, "GET /v1/me/sessions lists your sessions.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_key(sentence: str) -> Words:
    """The personal key was revoked, has expired, or belongs to another user."""
    return Words(sentence, "GET /v1/me/keys lists your keys.")


@errors.problem(HTTPStatus.CONFLICT)
def too_many_keys(sentence: str) -> Words:
    """The user has as many personal keys as allowed."""
    return Words(sentence, "Revoke one that you no longer use.")


@errors.problem(HTTPStatus.CONFLICT)
def user_exists(sentence: str) -> Words:
    """There is a user with this name already."""
    return Words(sentence, "PATCH /v1/admin/users/<username> changes a user.")


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def weak_password(sentence: str) -> Words:
    """The password is too short, too long, or one that attackers try first."""
    return Words(sentence, "Choose another one; a whole sentence is good.")


@errors.problem(HTTPStatus.INTERNAL_SERVER_ERROR)
def internal_error() -> Words:
    """Auth has a bug."""
    return Words("auth failed to handle this request", "Report the request id to the operators.")


REFUSALS: dict[type[Exception], Callable[[str], Problem]] = {
    InvalidScope: invalid_scope,
    InvalidUsername: invalid_username,
    NoSuchKey: no_such_key,
    NoSuchUser: no_such_user,
    SessionEnded: no_such_session,
    TooManyKeys: too_many_keys,
    UserExists: user_exists,
    WeakPassword: weak_password,
}
"""Exceptions whose own words are the answer."""


def answer(problem: Problem) -> Response:
    """Return the problem in the form that the client prefers."""
    return respond(problem, in_json=prefers_json())


def _refuse(problem: Callable[[str], Problem], error: Exception) -> Response:
    return answer(problem(str(error)))


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
        log.warning("the database is unavailable", reason=str(error))
        return answer(unavailable("users cannot be looked up"))

    @app.errorhandler(Busy)
    def _(_error: Busy) -> Response:
        return answer(unavailable("too many users are logging in"))

    @app.errorhandler(TooManyFailures)
    def _(error: TooManyFailures) -> Response:
        return answer(too_many_failures(error.retry_after))

    for kind, problem in REFUSALS.items():
        app.register_error_handler(kind, partial(_refuse, problem))

    @app.errorhandler(HTTPException)
    def _(error: HTTPException) -> Response:
        return answer(_of_flask(error))

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response:
        log.error("unhandled exception in auth", exc_info=error)
        return answer(internal_error())


def _of_flask(error: HTTPException) -> Problem:
    """Return what Flask itself refuses, before any view is asked."""
    if isinstance(error, MethodNotAllowed):
        return method_not_allowed(request.method, ", ".join(sorted(error.valid_methods or ())))
    if isinstance(error, NotFound):
        return not_found(request.path)
    if isinstance(error, RequestEntityTooLarge):
        return too_large(current_app.config["MAX_CONTENT_LENGTH"])
    return bad_request(error.description or "")
