"""The errors that the gateway answers with: status, code, what is wrong and what to do.

One catalogue for all rooms; those of `jobs`, `uploads` and `sharing` have modules of their own, which
declare theirs in it, as `door/malformed.py` does.
`make docs` writes it into docs/api.md.
"""

from collections.abc import Sequence
from http import HTTPStatus

from chassis import refusals
from chassis.problem import Catalogue, Problem, Words

RETRY_SECONDS = 5

errors = Catalogue()

bad_request = errors.problem(HTTPStatus.BAD_REQUEST)(refusals.bad_request)
login_needed = errors.problem(HTTPStatus.FORBIDDEN)(refusals.login_needed)
method_not_allowed = errors.problem(HTTPStatus.METHOD_NOT_ALLOWED)(refusals.method_not_allowed)
not_found = errors.problem(HTTPStatus.NOT_FOUND)(refusals.not_found)
too_large = errors.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)(refusals.too_large)


@errors.problem(HTTPStatus.UNAUTHORIZED)
def not_authorized() -> Words:
    """The token or password is missing, wrong, expired or revoked."""
    return Words(
        "not authorized",
        "Send a user name and password (curl -u me@example.com), or a personal key or a token from POST "
        "/login as 'Authorization: Bearer <token>'. A token that worked before has expired or was revoked.",
        {"WWW-Authenticate": "Bearer"},
    )


@errors.problem(HTTPStatus.UNAUTHORIZED)
def invalid_credentials() -> Words:
    """The user name or the password is wrong."""
    return Words(
        "invalid credentials",
        "Check the user name and the password.",
        {"WWW-Authenticate": "Bearer"},  # at `Basic` a browser would ask by a window of its own
    )


@errors.problem(HTTPStatus.FORBIDDEN)
def cross_site() -> Words:
    """A request with a session's cookie does not come from a page of this origin."""
    return Words(
        "this request does not come from a page of this site",
        "A browser must send 'Sec-Fetch-Site: same-origin' or an Origin that matches. "
        "A proxy must not change either of them or Host. A script must send Authorization, not the cookie.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_login() -> Words:
    """The body of a login is neither a form nor a JSON object with a user name and a password."""
    return Words(
        "the body contains no username and password; allowed is a form, or a JSON object of strings",
        """For example, send {"username": "me@example.com", "password": "…"} as application/json.""",
    )


@errors.problem(HTTPStatus.SERVICE_UNAVAILABLE)
def busy() -> Words:
    """The gateway is handling as many uploads as it can."""
    return Words(
        "too many uploads are in progress",
        "Try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.SERVICE_UNAVAILABLE)
def full() -> Words:
    """The gateway has as many connections as it can hold, all with a request in progress."""
    return Words(
        "this gateway cannot accept more connections right now",
        "Try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def fid_required() -> Words:
    """A download names no file id."""
    return Words("fid is required", "Name the file: /download?fid=<id>, with the id from the mail.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_job() -> Words:
    """The id is unknown, or the job belongs to another user."""
    return Words(
        "there is no such job",
        "Use the id from the mail, or the one in the Location header of the upload.",
    )


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_queue() -> Words:
    """There is no queue with this name."""
    return Words("there is no such queue", "The queues are video and mp3.")


@errors.problem(HTTPStatus.SERVICE_UNAVAILABLE)
def unavailable(what: str) -> Words:
    """A server behind the gateway cannot be reached right now."""
    return Words(
        f"{what} is not available right now",
        "Nothing was changed; try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.FORBIDDEN)
def missing_scope(scope: str) -> Words:
    """The token is valid, but does not allow this."""
    return Words(
        f"this needs a token with the scope {scope}",
        "Log in without limiting the scopes. Only administrators have the scope admin.",
        {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def invalid_url(sentence: str) -> Words:
    """The URL is not one that a webhook can be sent to."""
    return Words(sentence, "Give a public address: https://host/path, on port 443 or 8443.")


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def invalid_body(sentence: str) -> Words:
    """The body is JSON, but not what this address accepts."""
    return Words(sentence, "Correct the body; /docs describes it.")


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_body() -> Words:
    """The body is not JSON."""
    return Words("the body is not JSON", "Send a JSON object with Content-Type: application/json.")


@errors.problem(HTTPStatus.TOO_MANY_REQUESTS)
def too_many_logins(retry_after: str = "") -> Words:
    """Too many logins from this address."""
    return Words(
        "too many logins",
        "Wait as long as Retry-After says. Log in once and reuse the token.",
        {"Retry-After": retry_after or str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.TOO_MANY_REQUESTS)
def too_many_requests(limit: int, retry_after: int) -> Words:
    """Too many requests from this user in one minute."""
    return Words(
        f"more than {limit} requests in one minute",
        "Wait as long as Retry-After says. GET /v1/jobs/<id>?wait=60 waits for a job with one request.",
        {"Retry-After": str(retry_after)},
    )


def later(problem: Problem) -> Problem:
    """Return a 429 as 503, and any other problem as it is: some clients wait at 503 and give up at 429."""
    if problem.status != HTTPStatus.TOO_MANY_REQUESTS:
        return problem
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return Problem(status, problem.code, problem.detail, problem.hint, problem.headers)


@errors.problem(HTTPStatus.TOO_MANY_REQUESTS)
def too_many_at_once(what: str, limit: int) -> Words:
    """The user, or the address, has as many uploads, downloads or streams in progress as allowed."""
    return Words(
        f"you have {limit} {what} in progress, the most that are allowed at once",
        "Wait until one of them has ended. GET /v1/limits shows the limits.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def invalid_option(sentence: str) -> Words:
    """A conversion option does not exist, or has a value that is not allowed."""
    return Words(sentence, "Correct the option, or leave it out.")


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_options() -> Words:
    """The body is neither a form nor a JSON object with options."""
    return Words(
        "the body contains no options; allowed is a form, or a JSON object of strings, numbers and booleans",
        "Correct the body, or send none to keep the options as they are.",
    )


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def invalid_parameter(name: str, allowed: str) -> Words:
    """A query parameter does not exist, or has a value that is not allowed."""
    return Words(f"{name} must be {allowed}", f"Correct {name}, or leave it out.")


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_parameter")
def unknown_parameter(name: str, known: Sequence[str]) -> Words:
    """A query parameter does not exist, or has a value that is not allowed."""
    return Words(
        f"there is no parameter {name[:50]!r} here; allowed: {', '.join(known)}",
        "Correct the parameter's name, or leave it out.",
    )


@errors.problem(HTTPStatus.INTERNAL_SERVER_ERROR)
def internal_error() -> Words:
    """The gateway has a bug."""
    return Words("the gateway failed to handle this request", "Report the request id to the operators.")


@errors.problem(HTTPStatus.BAD_REQUEST)
def ended_early(received: int, expected: int | None) -> Words:
    """The connection broke, or the body is shorter than its `Content-Length`."""
    of = "" if expected is None else f" of {expected}"
    return Words(f"the upload ended after {received}{of} bytes", "Nothing was stored; send it again.")


@errors.problem(HTTPStatus.REQUEST_TIMEOUT)
def too_slow() -> Words:
    """The client sends more slowly than `min_bytes_per_second` of `/v1/limits`."""
    return Words(
        "the request is arriving too slowly", "Nothing was stored; send it again over a better connection."
    )


@errors.problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
def compressed_body(coding: str) -> Words:
    """The body has a `Content-Encoding`."""
    return Words(
        f"the body is sent as Content-Encoding: {coding[:50]}, which is not supported",
        "Send the body as it is, without Content-Encoding. Videos are compressed already.",
        {"Accept-Encoding": "identity"},
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_digest() -> Words:
    """The `Content-Digest` header contains no SHA-256."""
    return Words(
        "the Content-Digest header cannot be read",
        "Send Content-Digest: sha-256=:<base64 of the body's SHA-256>: or leave it out.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def wrong_digest() -> Words:
    """The body does not match its `Content-Digest`."""
    return Words(
        "the body does not match its Content-Digest",
        "The body was changed in transit, or the digest belongs to another file. "
        "Nothing was stored; send it again.",
    )
