"""What is answered to what is no request: gunicorn's parser refuses it before the application sees it."""

import json
from http import HTTPStatus
from uuid import uuid4

from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from chassis import logs
from chassis.web import Problem

log = logs.get(__name__)


def refusal(error: ParseException, address: str) -> bytes:
    """Return the answer to a client at this address, and log it."""
    problem, request_id = _problem(error), uuid4().hex
    log.info("refused", reason=str(error), address=address, status=problem.status, request_id=request_id)
    body = json.dumps(problem.as_document(request_id)).encode()
    lines = (
        f"HTTP/1.1 {problem.status.value} {problem.status.phrase}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        "X-Content-Type-Options: nosniff",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def _problem(error: ParseException) -> Problem:
    if isinstance(error, LimitRequestLine):
        return Problem(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            "uri_too_long",
            "the address of the request is too long",
            "Send fewer or shorter parameters; options may stand in a form's fields instead.",
        )
    if isinstance(error, LimitRequestHeaders):
        return Problem(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
            "the request has too many headers, or one that is too long",
            "Send fewer or shorter headers; a header has 8,190 bytes at the most, a request 100 headers.",
        )
    if isinstance(error, ExpectationFailed):
        return Problem(
            HTTPStatus.EXPECTATION_FAILED,
            "expectation_failed",
            "the only expectation that is met is 100-continue",
            "Leave the header Expect out.",
        )
    if isinstance(error, UnsupportedTransferCoding):
        return Problem(
            HTTPStatus.NOT_IMPLEMENTED,
            "unsupported_transfer_coding",
            "the only transfer coding that is known is chunked",
            "Send the body as it is, with its length or in chunks.",
        )
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "malformed_request",
        f"this is no HTTP request: {str(error)[:200]}",
        "Send HTTP/1.1, as curl does.",
    )
