"""Why an upload is refused: its files, its form, its owner's limits."""

from http import HTTPStatus

from chassis.web import Problem
from gateway.problems import RETRY_SECONDS

DAY_SECONDS = 24 * 60 * 60


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


def stopping() -> Problem:
    """The process is asked to end, and takes no more uploads."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "stopping",
        "this gateway is being stopped and takes no more uploads",
        "Nothing was stored; send it again in a few seconds, another gateway takes it.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


def too_many_active_jobs(limit: int) -> Problem:
    """As many jobs of the user are under way as may be."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_active_jobs",
        f"{limit} of your jobs are under way already",
        "Wait until one of them is done, or cancel one.",
        {"Retry-After": "60"},
    )


def too_many_jobs_today(limit: int) -> Problem:
    """The user began as many jobs in 24 hours as may be."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_jobs_today",
        f"you began {limit} jobs in the last 24 hours, and more are not allowed",
        "Come back later.",
        {"Retry-After": str(DAY_SECONDS // 24)},
    )


def quota_full(stored: int, limit: int) -> Problem:
    """The user's files take up all that they may."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "quota_full",
        f"your files take up {stored} of the {limit} bytes that they may",
        "Delete jobs that you do not need any more: DELETE /v1/jobs/<id>.",
    )


def out_of_space() -> Problem:
    """The store's disk is nearly full."""
    return Problem(
        HTTPStatus.INSUFFICIENT_STORAGE,
        "out_of_space",
        "there is no space for this file now",
        "Nothing was stored; the operators know, try again later.",
        {"Retry-After": "600"},
    )


def not_media(looks_like: str) -> Problem:
    """The file is surely neither a video nor a sound."""
    return Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "not_media",
        f"the file is no video: it looks like {looks_like}",
        "Send a video or a sound file.",
    )


def wrong_number_of_files(found: int, limit: int) -> Problem:
    """The request holds no file, or too many: as many as were `found` until it was refused."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "wrong_number_of_files",
        f"the request holds more than {limit} file{'s' * (limit > 1)}"
        if found
        else "the request holds no file",
        "Send files as multipart/form-data (curl -F file=@talk.mp4), or one as the body (curl -T talk.mp4); "
        "an empty body is none.",
    )


def malformed_key(limit: int) -> Problem:
    """The Idempotency-Key is no key."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "malformed_key",
        f"an Idempotency-Key has 1 to {limit} printable ASCII characters",
        "A random UUID is a good key.",
    )


def key_used_otherwise() -> Problem:
    """The Idempotency-Key stands for other files or options."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "key_used_otherwise",
        "this Idempotency-Key was used with other files or options",
        "Use a new key for a new upload.",
    )
