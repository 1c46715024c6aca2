"""Why a job, or a file of it, is not as a request wants it."""

from http import HTTPStatus

from chassis.problem import Words
from gateway.problems import errors


@errors.problem(HTTPStatus.CONFLICT)
def not_ready(state: str) -> Words:
    """The job has no MP3: not yet, or no longer."""
    return Words(
        f"there is no MP3 to download: the job is {state}",
        "GET /v1/jobs/<id> shows the job's progress, or why it failed.",
    )


@errors.problem(HTTPStatus.NOT_FOUND)
def no_cover() -> Words:
    """The MP3 has no picture, or none of this kind."""
    return Words("this MP3 has no such picture", "The feed lists the pictures that exist.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_peaks() -> Words:
    """The MP3 has no waveform."""
    return Words(
        "this MP3 has no waveform",
        "It was made by an older version, or is too short. POST /v1/jobs/<id>/retry converts it again.",
    )


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_part(count: int) -> Words:
    """The MP3 has no part of this number, or was not split."""
    if not count:
        return Words(
            "this MP3 has no parts",
            "POST /v1/jobs/<id>/retry?split=chapters makes them, or split=silence.",
        )
    return Words("there is no such part", f"The parts are numbered 1 to {count}.")


@errors.problem(HTTPStatus.CONFLICT)
def wrong_state(state: str, wanted: str) -> Words:
    """The job is in a state that does not allow this."""
    return Words(
        f"the job is {state}; this needs a job that is {wanted}", "GET /v1/jobs/<id> shows the job's state."
    )


@errors.problem(HTTPStatus.GONE)
def source_gone() -> Words:
    """The video has been deleted."""
    return Words("the video has been deleted", "Upload it again.")


@errors.problem(HTTPStatus.UNPROCESSABLE_ENTITY)
def conversion_failed(job_id: str, message: str, hint: str) -> Words:
    """The conversion that the request waited for has failed."""
    return Words(message, hint, {"Location": f"/v1/jobs/{job_id}"})


@errors.problem(HTTPStatus.PRECONDITION_FAILED)
def precondition_failed() -> Words:
    """The job or file does not match `If-Match` or `If-Unmodified-Since`."""
    return Words(
        "this does not match If-Match or If-Unmodified-Since",
        "HEAD shows the current ETag, and the Last-Modified of a file.",
    )


@errors.problem(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
def range_beyond_end(size: int) -> Words:
    """The range begins after the end of the file."""
    return Words(
        f"the file has {size} bytes, and the range begins after the last one",
        "If you have that many bytes, your copy is complete.",
        {"Content-Range": f"bytes */{size}"},
    )
