"""Send a stored MP3, whole or a range of it, one chunk in memory at a time (RFC 9110)."""

from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, request
from werkzeug.datastructures import ContentRange
from werkzeug.http import http_date

from gateway import problems
from gateway.uploads import names
from pipeline.files import Blob, Blobs, NoSuchBlob
from pipeline.job import Job

PIECE_BYTES = 256 * 1024
"""What is sent at once; a client must take that much in the time that `connections` allows."""


def send_mp3(job: Job, mp3s: Blobs) -> Response:
    """Return the job's MP3, or what the request's range and conditions ask of it.

    Raises:
        Problem: when the job has none, or the range lies beyond its end.
    """
    if job.state != "done" or job.result is None:
        raise problems.not_ready(job.state)
    try:
        blob = mp3s.find(job.result["blob"])
    except NoSuchBlob:
        raise problems.not_ready("expired") from None
    if blob.sha256 and request.if_none_match.contains_weak(blob.sha256):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
    else:
        response = _content(blob, mp3s)
        kind = "inline" if request.args.get("inline") else "attachment"
        response.headers["Content-Disposition"] = names.disposition(
            kind, names.of_mp3(job.source["filename"])
        )
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-cache"
    response.last_modified = blob.uploaded_at
    if blob.sha256:
        response.set_etag(blob.sha256)
    return response


def _content(blob: Blob, mp3s: Blobs) -> Response:
    asked = _range(blob)
    start, stop = asked or (0, blob.size)
    body = _pieces(mp3s.read(blob, start, stop)) if request.method == "GET" else None
    response = Response(body, HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK, mimetype="audio/mpeg")
    response.content_length = stop - start
    if asked:
        response.content_range = ContentRange("bytes", start, stop, blob.size)
    return response


def _range(blob: Blob) -> tuple[int, int] | None:
    """Return the first byte that is asked for and the one after the last, or `None` for the whole.

    Several ranges at once are answered with the whole, as RFC 9110 (section 14.2) lets a server do.
    """
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or _changed(blob):
        return None
    start, stop = asked.ranges[0]
    start = max(0, start + blob.size) if start < 0 else start
    stop = blob.size if stop is None else min(stop, blob.size)
    if start >= stop:
        raise problems.range_beyond_end(blob.size)
    return start, stop


def _changed(blob: Blob) -> bool:
    """Whether the client has a part of another file than this one (`If-Range`)."""
    condition = request.headers.get("If-Range")
    if condition is None:
        return False
    return condition not in (f'"{blob.sha256}"', http_date(blob.uploaded_at))


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE_BYTES):
            yield chunk[start : start + PIECE_BYTES]
