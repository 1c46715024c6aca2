"""The errors that the gateway answers with: status, stable code, and what to do about it.

Those of uploads are in `upload_problems`.
"""

from collections.abc import Sequence
from http import HTTPStatus

from chassis.web import Problem

RETRY_SECONDS = 5


def not_authorized() -> Problem:
    """The token is missing, wrong or too old."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "not_authorized",
        "not authorized",
        "Send user name and password (curl -u me@example.com), or a token of POST /login as "
        "'Authorization: Bearer <token>'; one that was good before has expired or was revoked.",
        {"WWW-Authenticate": "Bearer"},
    )


def busy() -> Problem:
    """As many uploads are under way as this process takes."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        "too many uploads are under way",
        "Try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


def fid_required() -> Problem:
    """A download without the id of a file."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "fid_required",
        "fid is required",
        "Name the job: /download?fid=<id>, with the id from the mail.",
    )


def no_such_job() -> Problem:
    """The id is unknown, or somebody else's: both answer the same."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "no_such_job",
        "there is no such job",
        "Use the id from the mail, or from the Location header of the upload's answer.",
    )


def no_such_route(path: str) -> Problem:
    """There is nothing under this address."""
    slash = " Leave the slash at its end out." if path.endswith("/") and path != "/" else ""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "not_found",
        f"there is nothing at {path[:100]}: /docs tells what there is",
        f"Look the address up on /docs.{slash}",
    )


def method_not_allowed(method: str, allowed: str) -> Problem:
    """There is something under this address, for other methods."""
    return Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method_not_allowed",
        f"{method} is not allowed here: {allowed} are",
        "Use another method, or look the address up on /docs.",
        {"Allow": allowed},
    )


def no_such_queue() -> Problem:
    """There is no queue of this name."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "no_such_queue",
        "there is no such queue",
        "The queues are video and mp3.",
    )


def not_ready(state: str) -> Problem:
    """The job has no MP3 yet, or never will have one."""
    return Problem(
        HTTPStatus.CONFLICT,
        "not_ready",
        f"there is no mp3 to download: the job is {state}",
        "GET /v1/jobs/<id> tells how far the job is, and why it failed if it did.",
    )


def range_beyond_end(size: int) -> Problem:
    """The range that is asked for begins after the file's last byte."""
    return Problem(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        "range_beyond_end",
        f"the file has {size} bytes, and the range begins after them",
        "The file is complete if you have as many bytes.",
        {"Content-Range": f"bytes */{size}"},
    )


def unavailable(what: str) -> Problem:
    """A server behind the gateway is away for now."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        f"{what} is not available right now",
        "Nothing was changed; try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


def missing_scope(scope: str) -> Problem:
    """The token is good, and does not allow this."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        "missing_scope",
        f"this needs a token with the scope {scope}",
        "Log in without asking for fewer scopes; only administrators have the scope admin.",
        {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


def too_many_logins(retry_after: str = "") -> Problem:
    """Logins are tried too often from this address."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_logins",
        "too many logins",
        "Wait a little; a token lasts, so log in once and keep it.",
        {"Retry-After": retry_after or str(RETRY_SECONDS)},
    )


def too_many_requests(limit: int, retry_after: int) -> Problem:
    """The user asks too often."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_requests",
        f"more than {limit} requests in a minute",
        "Wait as long as Retry-After says; GET /v1/jobs/<id>?wait=60 waits for a job with one request.",
        {"Retry-After": str(retry_after)},
    )


def invalid_option(sentence: str) -> Problem:
    """A field or a part of the query asks for what there is not."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_option",
        sentence,
        "Correct it, or leave it out.",
    )


def malformed_options() -> Problem:
    """The body holds no options."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "malformed_options",
        "the body holds no options: a form of them, or a JSON object of texts, numbers, true and false",
        "Correct it, or send nothing to keep the options as they are.",
    )


def invalid_parameter(name: str, allowed: str) -> Problem:
    """A part of the query has a value that it cannot have."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_parameter",
        f"{name} must be {allowed}",
        f"Send another {name}, or leave it out.",
    )


def unknown_parameter(name: str, known: Sequence[str]) -> Problem:
    """A part of the query means nothing here."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_parameter",
        f"there is no parameter {name[:50]!r} here; there are {', '.join(known)}",
        "Correct it, or leave it out.",
    )


def wrong_state(state: str, wanted: str) -> Problem:
    """The job is not in a state that allows this."""
    return Problem(
        HTTPStatus.CONFLICT,
        "wrong_state",
        f"the job is {state}, and must be {wanted} for this",
        "GET /v1/jobs/<id> tells the job's state.",
    )


def source_gone() -> Problem:
    """The video is not kept any more."""
    return Problem(
        HTTPStatus.GONE,
        "source_gone",
        "the video is not kept any more",
        "Upload it again.",
    )


def conversion_failed(job_id: str, message: str, hint: str) -> Problem:
    """The job that the request waited for failed."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "conversion_failed",
        message,
        hint,
        {"Location": f"/v1/jobs/{job_id}"},
    )


def internal_error() -> Problem:
    """A bug of ours."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "the gateway made a mistake",
        "Report the request id.",
    )


def too_large(limit: int) -> Problem:
    """The upload is larger than the gateway takes."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"the file is larger than the {limit} bytes that are allowed",
        "Send a shorter or a smaller video.",
    )


def ended_early(received: int, expected: int | None) -> Problem:
    """The connection broke, or the body is shorter than its Content-Length."""
    of = "" if expected is None else f" of {expected}"
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "ended_early",
        f"the upload ended after {received}{of} bytes",
        "Nothing was stored; send it again.",
    )


def too_slow() -> Problem:
    """The client sends less than the least rate."""
    return Problem(
        HTTPStatus.REQUEST_TIMEOUT,
        "too_slow",
        "the upload comes too slowly",
        "Nothing was stored; send it again over a better connection.",
    )


def malformed_digest() -> Problem:
    """The Content-Digest header holds no SHA-256."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "malformed_digest",
        "the Content-Digest cannot be read",
        "Send Content-Digest: sha-256=:<base64 of the body's SHA-256>: or leave it out.",
    )


def wrong_digest() -> Problem:
    """The body is another than the Content-Digest was computed from."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "wrong_digest",
        "the body does not match its Content-Digest",
        "It was changed on its way, or the digest is of something else; nothing was stored, send it again.",
    )
