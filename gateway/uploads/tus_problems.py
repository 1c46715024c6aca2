"""Why a request of the tus protocol is refused.

After 409, 423 and every 5xx, tus clients retry from the offset that `HEAD` reports; after any other 4xx
they give up. So an error after which a retry helps has one of these statuses.
"""

from http import HTTPStatus

from chassis.problem import CHECKSUM_MISMATCH, Words
from gateway.problems import RETRY_SECONDS, errors

GO_ON = "The bytes that arrived are kept: HEAD returns the offset to continue from."


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_upload() -> Words:
    """The id is unknown, or the upload has expired, was deleted, or belongs to another user."""
    return Words(
        "there is no such upload",
        "It has expired, was deleted, or never existed: start a new one with POST /v1/uploads.",
    )


@errors.problem(HTTPStatus.PRECONDITION_FAILED)
def unsupported_version(version: str) -> Words:
    """The request uses another version of tus, or names none."""
    return Words(
        f"resumable uploads require tus {version}",
        f"Send the header Tus-Resumable: {version}.",
        {"Tus-Version": version},
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_header(name: str, allowed: str) -> Words:
    """A tus header is missing or has an invalid value."""
    return Words(
        f"{name} must be {allowed}",
        "Correct it; docs/api.md and https://tus.io/protocols/resumable-upload describe each header.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def not_offered(extension: str) -> Words:
    """The request needs an extension that is not supported."""
    return Words(
        f"the tus extension {extension} is not supported",
        "Send the file as one upload; OPTIONS /v1/uploads lists the supported extensions.",
    )


@errors.problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
def wrong_content_type(content_type: str) -> Words:
    """The body does not have the `Content-Type` of a part of an upload."""
    return Words(
        f"the body's Content-Type must be {content_type}",
        f"Send the header Content-Type: {content_type}.",
    )


@errors.problem(HTTPStatus.CONFLICT)
def wrong_offset(offset: int) -> Words:
    """The bytes do not follow those already received."""
    return Words(
        f"the next byte expected is at offset {offset}",
        "Send the bytes from there on, with this number as Upload-Offset.",
        {"Upload-Offset": str(offset)},
    )


@errors.problem(HTTPStatus.CONFLICT)
def another_file() -> Words:
    """The request's `Upload-Metadata` differs from the upload's: it is another file."""
    return Words(
        "the upload began with a different Upload-Metadata",
        "Start a new upload for this file, or continue with the original file.",
    )


@errors.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
def beyond_length(length: int) -> Words:
    """The request holds more bytes than the upload has left."""
    return Words(
        f"the upload has {length} bytes, and the request goes beyond them",
        "Send no more bytes than Upload-Length, or start a new upload.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def length_known(length: int) -> Words:
    """The length was set before, or is less than the bytes received."""
    return Words(
        f"the upload's length is {length} and can no longer change",
        "Leave out Upload-Length, or start a new upload.",
    )


@errors.problem(CHECKSUM_MISMATCH)
def wrong_checksum() -> Words:
    """The bytes do not match the checksum."""
    return Words(
        "the bytes do not match their Upload-Checksum",
        "They were changed in transit. None of this request's bytes were kept; send them again.",
    )


@errors.problem(HTTPStatus.CONFLICT)
def cut_short(offset: int) -> Words:
    """The connection broke, or bytes came too slowly."""
    return Words(
        f"the request ended before its last byte; {offset} bytes have arrived",
        GO_ON,
        {"Upload-Offset": str(offset)},
    )


@errors.problem(HTTPStatus.CONFLICT)
def displaced() -> Words:
    """A newer request has taken over the upload."""
    return Words(
        "a newer request has taken over this upload",
        GO_ON,
    )


@errors.problem(HTTPStatus.LOCKED)
def locked() -> Words:
    """Other requests keep taking over the upload."""
    return Words(
        "other requests keep taking over this upload",
        "Use one program at a time to send it, and try again in a few seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.CONFLICT)
def already_complete(job_id: str) -> Words:
    """The upload has already become a job."""
    return Words(
        "the upload is complete and has become a job",
        f"Cancel the job, or delete it once it has ended: /v1/jobs/{job_id}.",
        {"Location": f"/v1/jobs/{job_id}"},
    )


@errors.problem(HTTPStatus.SERVICE_UNAVAILABLE, "stopping")
def stopping() -> Words:
    """This gateway is shutting down."""
    return Words(
        "this gateway is shutting down",
        f"{GO_ON} Another gateway accepts the rest.",
        {"Retry-After": "1"},
    )
