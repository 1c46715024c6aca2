"""Answer what is not an HTTP request: gunicorn's parser refuses it before the application sees it."""

import json
from http import HTTPStatus
from uuid import uuid4

from gunicorn.http.errors import (
    ChunkMissingTerminator,
    ExpectationFailed,
    InvalidChunkExtension,
    InvalidChunkSize,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from chassis import logs
from chassis.problem import Problem, Words, phrase
from gateway.problems import errors

BROKEN_CHUNKS = {
    InvalidChunkSize: "the size of a chunk is not a hexadecimal number",
    InvalidChunkExtension: "the size of a chunk is followed by something other than a chunk extension",
    ChunkMissingTerminator: "a chunk does not end with CRLF",
}
"""Gunicorn's own words quote bytes as Python writes them."""

log = logs.get(__name__)


def refusal(error: ParseException, address: str) -> bytes:
    """Return the answer to a client at this address, and log it."""
    return raw(problem_of(error), address, reason=str(error))


def raw(problem: Problem, address: str, reason: str = "") -> bytes:
    """Return a problem as a whole HTTP answer, after which the connection is closed, and log it."""
    request_id = uuid4().hex
    log.info(
        "refused",
        reason=reason or problem.detail,
        address=address,
        status=problem.status,
        request_id=request_id,
    )
    body = json.dumps(problem.as_document(request_id)).encode()
    lines = (
        f"HTTP/1.1 {problem.status.value} {phrase(problem.status)}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        "X-Content-Type-Options: nosniff",
        *(f"{name}: {value}" for name, value in problem.headers.items()),
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def problem_of(error: ParseException) -> Problem:
    """Return what to say of bytes that gunicorn's parser does not take."""
    if isinstance(error, LimitRequestLine):
        return uri_too_long()
    if isinstance(error, LimitRequestHeaders):
        return headers_too_large()
    if isinstance(error, ExpectationFailed):
        return expectation_failed()
    if isinstance(error, UnsupportedTransferCoding):
        return unsupported_transfer_coding()
    if type(error) in BROKEN_CHUNKS:
        return malformed_chunks(BROKEN_CHUNKS[type(error)])
    return malformed_request(str(error)[:200])


@errors.problem(HTTPStatus.REQUEST_URI_TOO_LONG)
def uri_too_long() -> Words:
    """The request line has more than 4,094 bytes."""
    return Words(
        "the address of the request is too long; 4,094 bytes are allowed",
        "Send fewer or shorter parameters; options can be sent as form fields instead.",
    )


@errors.problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
def headers_too_large() -> Words:
    """The request has more than 100 headers, one with more than 8,190 bytes, or more than 32,768 in all."""
    return Words(
        "the request has too many headers, or too long ones",
        "Send fewer or shorter headers: at most 100, each of at most 8,190 bytes, 32,768 bytes in all.",
    )


@errors.problem(HTTPStatus.EXPECTATION_FAILED)
def expectation_failed() -> Words:
    """The `Expect` header asks for something other than `100-continue`."""
    return Words("the only expectation supported is 100-continue", "Leave out the Expect header.")


@errors.problem(HTTPStatus.NOT_IMPLEMENTED)
def unsupported_transfer_coding() -> Words:
    """The `Transfer-Encoding` is not `chunked`."""
    return Words(
        "the only transfer coding supported is chunked",
        "Send the body unencoded, with its length or chunked.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_request(reason: str) -> Words:
    """The bytes sent are not an HTTP request."""
    return Words(f"this is not an HTTP request: {reason}", "Send HTTP/1.1, as curl does.")


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_chunks(what: str) -> Words:
    """The body is not valid chunked coding (RFC 9112, section 7.1)."""
    return Words(
        f"the chunked body is malformed: {what}",
        "Send each chunk as its size in hexadecimal, CRLF, its bytes and CRLF, and a chunk of size 0 at the "
        "end; or leave out Transfer-Encoding and send a Content-Length.",
    )
