"""Why an upload is refused: its files, its form, its owner's limits."""

from http import HTTPStatus

from chassis.problem import Words
from gateway.problems import RETRY_SECONDS, errors

HOUR_SECONDS = 60 * 60


@errors.problem(HTTPStatus.BAD_REQUEST)
def exactly_one_file() -> Words:
    """The upload contains no file, or more than one."""
    return Words(
        "exactly 1 file required",
        "Send one file as multipart/form-data, for example curl -F file=@talk.mp4.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_upload(reason: str) -> Words:
    """The body is not the multipart form that its headers announce."""
    return Words(
        f"the upload cannot be read: {reason}",
        "Send one file as multipart/form-data, for example curl -F file=@talk.mp4.",
    )


@errors.problem(HTTPStatus.SERVICE_UNAVAILABLE)
def stopping() -> Words:
    """This gateway is shutting down and accepts no more uploads."""
    return Words(
        "this gateway is shutting down and accepts no more uploads",
        "Nothing was stored; send it again in a few seconds, and another gateway will accept it.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


@errors.problem(HTTPStatus.TOO_MANY_REQUESTS)
def too_many_active_jobs(limit: int) -> Words:
    """The user has as many unfinished jobs as allowed."""
    return Words(
        f"you already have {limit} unfinished jobs, the most that are allowed",
        "Wait until one is done, or cancel one.",
        {"Retry-After": "60"},
    )


@errors.problem(HTTPStatus.TOO_MANY_REQUESTS)
def too_many_jobs_today(limit: int) -> Words:
    """The user has created as many jobs in 24 hours as allowed."""
    return Words(
        f"you have created {limit} jobs in the last 24 hours, the most that are allowed",
        "Try again later.",
        {"Retry-After": str(HOUR_SECONDS)},
    )


@errors.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
def quota_full(stored: int, limit: int) -> Words:
    """The user's files take up all the space allowed."""
    return Words(
        f"your files take up {stored} of the {limit} bytes that you may store",
        "Delete jobs that you no longer need: DELETE /v1/jobs/<id>.",
    )


@errors.problem(HTTPStatus.INSUFFICIENT_STORAGE)
def out_of_space() -> Words:
    """The file store is nearly full."""
    return Words(
        "there is not enough space for this file right now",
        "Nothing was stored. The operators have been alerted; try again later.",
        {"Retry-After": "600"},
    )


@errors.problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
def not_media(looks_like: str) -> Words:
    """The file is not a video; the detail says what it looks like."""
    return Words(f"the file is not a video: it looks like {looks_like}", "Send a video or an audio file.")


@errors.problem(HTTPStatus.BAD_REQUEST)
def wrong_number_of_files(found: int, limit: int) -> Words:
    """The request contains no file, or more files than allowed."""
    return Words(
        f"the request contains more than {limit} file{'s' * (limit > 1)}"
        if found
        else "the request contains no file",
        "Send files as multipart/form-data (curl -F file=@talk.mp4), or one file as the body "
        "(curl -T talk.mp4). An empty body counts as no file.",
    )


@errors.problem(HTTPStatus.BAD_REQUEST)
def malformed_key(limit: int) -> Words:
    """The `Idempotency-Key` is too long, empty, or not printable ASCII."""
    return Words(
        f"an Idempotency-Key must have 1 to {limit} printable ASCII characters",
        "Use, for example, a random UUID.",
    )


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def key_used_otherwise() -> Words:
    """The `Idempotency-Key` was used before with other files or options."""
    return Words(
        "this Idempotency-Key was used with other files or options", "Use a new key for each new upload."
    )
