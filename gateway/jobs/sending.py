"""Send stored bytes, whole or a range of them, one piece in memory at a time (RFC 9110)."""

import errno
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Literal

from flask import Response, request
from werkzeug.datastructures import ContentRange
from werkzeug.http import http_date

from chassis import logs
from gateway.jobs import problems
from gateway.uploads import names
from pipeline.files import NoSuchBlob

log = logs.get(__name__)

PIECE_BYTES = 256 * 1024
"""What is sent at once; a client must take that much in the time that `connections` allows."""


@dataclass(frozen=True, slots=True)
class Content:
    """Something to download; `read` yields its bytes from one place up to another."""

    filename: str
    mimetype: str
    size: int
    tag: str | None
    """What no other content has; `None` if nobody knows."""
    changed_at: datetime
    read: Callable[[int, int], Iterator[bytes]]
    plain_name: str = "download"
    """Its name for who reads only ASCII, where nothing of the true one is left in that."""


def send(content: Content, kind: Literal["attachment", "inline"] = "attachment") -> Response:
    """Return what the request's range and conditions ask of this.

    Raises:
        Problem: the range lies beyond its end, or the client wants this only as it was at another time.
    """
    if not _is_as_wanted(content):
        raise problems.precondition_failed()
    if _is_known(content):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
    else:
        response = _asked_for(content)
        response.headers["Content-Disposition"] = names.disposition(
            kind, content.filename, content.plain_name
        )
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-cache"
    response.last_modified = content.changed_at
    if content.tag:
        response.set_etag(content.tag)
    return response


def _is_as_wanted(content: Content) -> bool:
    """Whether `If-Match`, or else `If-Unmodified-Since`, holds (RFC 9110, section 13.2.2)."""
    if "If-Match" in request.headers:
        return bool(request.if_match.star_tag or (content.tag and request.if_match.contains(content.tag)))
    since = request.if_unmodified_since
    return since is None or content.changed_at.replace(microsecond=0) <= since


def _is_known(content: Content) -> bool:
    """Whether the client has it already: by `If-None-Match`, or else by `If-Modified-Since`."""
    if "If-None-Match" in request.headers:
        return bool(content.tag and request.if_none_match.contains_weak(content.tag))
    since = request.if_modified_since
    return since is not None and content.changed_at.replace(microsecond=0) <= since


def _asked_for(content: Content) -> Response:
    asked = _range(content)
    start, stop = asked or (0, content.size)
    body = _pieces(content.read(start, stop)) if request.method == "GET" else None
    status = HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK
    response = Response(body, status, mimetype=content.mimetype)
    response.content_length = stop - start
    if asked:
        response.content_range = ContentRange("bytes", start, stop, content.size)
    return response


def _range(content: Content) -> tuple[int, int] | None:
    """Return the first byte that is asked for and the one after the last, or `None` for the whole.

    Several ranges at once are answered with the whole, as RFC 9110 (section 14.2) lets a server do.
    """
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or _changed(content):
        return None
    start, stop = asked.ranges[0]
    start = max(0, start + content.size) if start < 0 else start
    stop = content.size if stop is None else min(stop, content.size)
    if start >= stop:
        raise problems.range_beyond_end(content.size)
    return start, stop


def _changed(content: Content) -> bool:
    """Whether the client has a part of another file than this one (`If-Range`)."""
    condition = request.headers.get("If-Range")
    if condition is None:
        return False
    return condition not in (f'"{content.tag}"', http_date(content.changed_at))


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        for chunk in chunks:
            pieces = deque(chunk[at : at + PIECE_BYTES] for at in range(0, len(chunk), PIECE_BYTES))
            del chunk  # a client that stalls holds no more than it has not taken
            while pieces:
                yield pieces.popleft()
    except NoSuchBlob:
        log.info("deleted during its download")
        # Cutting the connection is all that says so: the length was promised already.
        raise ConnectionResetError(errno.ECONNRESET, "deleted during its download") from None
