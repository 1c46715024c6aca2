"""Why a request of the tus protocol is refused.

Clients of tus try again, from the offset that `HEAD` tells, after 409, 423 and every 5xx, and give up
after any other 4xx: so what ends with another try is one of these.
"""

from http import HTTPStatus

from chassis.problem import CHECKSUM_MISMATCH, Words
from gateway.problems import RETRY_SECONDS, errors

GO_ON = "What arrived is kept: HEAD tells the offset to go on from."


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_upload() -> Words:
    """The id is unknown, expired, terminated, or somebody else's: all answer the same."""
    return Words(
        "there is no such upload",
        "It has expired, was ended, or never was: begin a new one with POST /v1/uploads.",
    )


@errors.problem(HTTPStatus.PRECONDITION_FAILED)
def unsupported_version(version: str) -> Words:
    """The request speaks another tus, or none."""
    return Words(
        f"resumable uploads here speak tus {version}",
        f"Send the header Tus-Resumable: {version}.",
        {"Tus-Version": version},
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_header(name: str, allowed: str) -> Words:
    """A header of tus is missing, or has a value that it cannot have."""
    return Words(
        f"{name} must be {allowed}",
        "Correct it; docs/api.md and https://tus.io/protocols/resumable-upload tell each header.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def not_offered(extension: str) -> Words:
    """The request asks for an extension that there is not."""
    return Words(
        f"the extension {extension} of tus is not offered",
        "Send the file as one upload; OPTIONS /v1/uploads lists what is offered.",
    )


@errors.problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
def wrong_content_type(content_type: str) -> Words:
    """The body is not called a part of an upload."""
    return Words(
        f"the body's Content-Type must be {content_type}",
        f"Send the header Content-Type: {content_type}.",
    )


@errors.problem(HTTPStatus.CONFLICT)
def wrong_offset(offset: int) -> Words:
    """The bytes do not follow those that are there."""
    return Words(
        f"the next byte is that at offset {offset}",
        "Send the bytes from there on, with this number as Upload-Offset.",
        {"Upload-Offset": str(offset)},
    )


@errors.problem(HTTPStatus.CONFLICT)
def another_file() -> Words:
    """The request's `Upload-Metadata` is not that of the upload: it is another file."""
    return Words(
        "the upload began with another Upload-Metadata",
        "Begin a new upload for this file, or continue with the file that this upload is of.",
    )


@errors.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
def beyond_length(length: int) -> Words:
    """The request holds more bytes than the upload has left."""
    return Words(
        f"the upload has {length} bytes, and the request goes beyond them",
        "Send no more than Upload-Length says, or begin a new upload.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def length_known(length: int) -> Words:
    """The length was said before, or is less than what is there."""
    return Words(
        f"the upload's length is {length}, and cannot be another any more",
        "Leave Upload-Length out, or begin a new upload.",
    )


@errors.problem(CHECKSUM_MISMATCH)
def wrong_checksum() -> Words:
    """The bytes are others than the checksum was computed from."""
    return Words(
        "the bytes do not match their Upload-Checksum",
        "They were changed on their way; none of this request's counts, send it again.",
    )


@errors.problem(HTTPStatus.CONFLICT)
def cut_short(offset: int) -> Words:
    """The connection broke, or bytes came too slowly."""
    return Words(
        f"the request ended before its last byte; {offset} bytes are there",
        GO_ON,
        {"Upload-Offset": str(offset)},
    )


@errors.problem(HTTPStatus.CONFLICT)
def displaced() -> Words:
    """A newer request goes on with the upload."""
    return Words(
        "a newer request goes on with this upload",
        GO_ON,
    )


@errors.problem(HTTPStatus.LOCKED)
def locked() -> Words:
    """Other requests take the upload, again and again."""
    return Words(
        "other requests for this upload keep coming in before this one",
        "Let one program at a time send it, and try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.CONFLICT)
def already_complete(job_id: str) -> Words:
    """The upload is a job by now."""
    return Words(
        "the upload is complete and has become a job",
        f"Cancel it, or delete it when it is over: /v1/jobs/{job_id}.",
        {"Location": f"/v1/jobs/{job_id}"},
    )


@errors.problem(HTTPStatus.SERVICE_UNAVAILABLE, "stopping")
def stopping() -> Words:
    """The process is asked to end."""
    return Words(
        "this gateway is being stopped",
        f"{GO_ON} Another gateway takes the rest.",
        {"Retry-After": "1"},
    )
