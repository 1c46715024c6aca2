"""Every error that the gateway answers with, and the two forms it comes in.

Under `/v1`, or when the client accepts JSON, it is RFC 9457 `application/problem+json`; on the
original routes it is the sentence as one line of plain text.
"""

import json
from http import HTTPStatus

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from chassis import logs
from chassis.identity import KeysUnavailable
from chassis.mongodb import StoreRefused, StoreUnavailable

log = logs.get(__name__)

RETRY_SECONDS = 5


class Problem(Exception):
    """An answer other than success; carries its HTTP status."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        hint: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = headers or {}


def not_authorized() -> Problem:
    """The token is missing, wrong or too old."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "not_authorized",
        "not authorized",
        "Log in with POST /login and send the token as 'Authorization: Bearer <token>'.",
        {"WWW-Authenticate": "Bearer"},
    )


def exactly_one_file() -> Problem:
    """The upload holds no file, or more than one."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "exactly_one_file",
        "exactly 1 file required",
        "Send one file as multipart/form-data, for example curl -F file=@talk.mp4.",
    )


def malformed_upload(reason: str) -> Problem:
    """The body is not the multipart form that its headers announce."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "malformed_upload",
        f"the upload cannot be read: {reason}",
        "Send one file as multipart/form-data, for example curl -F file=@talk.mp4.",
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


def answer(problem: Problem) -> Response:
    """Return the problem in the form that the route and the client speak."""
    json_accepted = request.accept_mimetypes.quality("application/json") > 0
    wants_json = request.path.startswith("/v1/") or (json_accepted and not _accepts_anything())
    if wants_json:
        body = {
            "type": "about:blank",
            "title": problem.status.phrase,
            "status": problem.status.value,
            "code": problem.code,
            "detail": problem.detail,
            "hint": problem.hint,
            "request_id": g.request_id,
        }
        response = Response(json.dumps(body), problem.status, mimetype="application/problem+json")
    else:
        response = Response(problem.detail, problem.status, mimetype="text/plain")
    response.headers.update(problem.headers)
    return response


def register(app: Flask) -> None:
    """Make the application answer every exception as a problem."""

    @app.errorhandler(Problem)
    def _(problem: Problem) -> Response:
        return answer(problem)

    @app.errorhandler(StoreUnavailable)
    def _(error: StoreUnavailable) -> Response:
        log.warning("the store is away", reason=str(error))
        return answer(unavailable("the file store"))

    @app.errorhandler(StoreRefused)
    def _(error: StoreRefused) -> Response:
        log.error("the store refused", reason=str(error))
        return answer(unavailable("the file store"))

    @app.errorhandler(KeysUnavailable)
    def _(error: KeysUnavailable) -> Response:
        log.warning("no keys to verify tokens with", reason=str(error))
        return answer(unavailable("the auth service"))

    @app.errorhandler(HTTPException)
    def _(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return answer(Problem(status, status.name.lower(), error.description or status.phrase, "", headers))

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response:
        log.error("the gateway has a bug", exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return answer(
            Problem(status, "internal_error", "the gateway made a mistake", "Report the request id.")
        )


def _accepts_anything() -> bool:
    return request.accept_mimetypes.quality("text/plain") >= request.accept_mimetypes.quality(
        "application/json"
    )
