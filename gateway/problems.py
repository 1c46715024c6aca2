"""Every error that the gateway answers with: its status, its stable code, and what to do about it."""

from http import HTTPStatus

RETRY_SECONDS = 5
DAY_SECONDS = 24 * 60 * 60


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


def stopping() -> Problem:
    """The process is asked to end, and takes no more uploads."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "stopping",
        "this gateway is being stopped and takes no more uploads",
        "Nothing was stored; send it again in a few seconds, another gateway takes it.",
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


def no_such_queue() -> Problem:
    """There is no queue of this name."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "no_such_queue",
        "there is no such queue",
        "The queues are video and mp3.",
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


def missing_scope(scope: str) -> Problem:
    """The token is good, and does not allow this."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        "missing_scope",
        f"this needs a token with the scope {scope}",
        "Log in without asking for fewer scopes; only administrators have the scope admin.",
        {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


def too_many_logins(retry_after: str = "") -> Problem:
    """Logins are tried too often from this address."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_logins",
        "too many logins",
        "Wait a little; a token lasts, so log in once and keep it.",
        {"Retry-After": retry_after or str(RETRY_SECONDS)},
    )


def too_many_requests(limit: int, retry_after: int) -> Problem:
    """The user asks too often."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_requests",
        f"more than {limit} requests in a minute",
        "Wait as long as Retry-After says; GET /v1/jobs/<id>?wait=60 waits for a job with one request.",
        {"Retry-After": str(retry_after)},
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


def wrong_number_of_files(limit: int) -> Problem:
    """The request holds no file, or too many."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "wrong_number_of_files",
        f"a request holds 1 to {limit} files",
        "Send files as multipart/form-data (curl -F file=@talk.mp4), or one as the body (curl -T talk.mp4).",
    )


def invalid_option(name: str, sentence: str) -> Problem:
    """A field or a part of the query asks for what there is not."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_option",
        sentence,
        f"Send another {name[:50]}, or leave it out.",
    )


def malformed_options() -> Problem:
    """The body holds no options."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "malformed_options",
        "the body holds no options",
        "Send a JSON object or a form of options, or nothing to keep them as they are.",
    )


def invalid_parameter(name: str, allowed: str) -> Problem:
    """A part of the query has a value that it cannot have."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_parameter",
        f"{name} has a value that it cannot have: {allowed}",
        f"Send another {name}, or leave it out.",
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


def wrong_state(state: str, wanted: str) -> Problem:
    """The job is not in a state that allows this."""
    return Problem(
        HTTPStatus.CONFLICT,
        "wrong_state",
        f"the job is {state}, and must be {wanted} for this",
        "GET /v1/jobs/<id> tells the job's state.",
    )


def source_gone() -> Problem:
    """The video is not kept any more."""
    return Problem(
        HTTPStatus.GONE,
        "source_gone",
        "the video is not kept any more",
        "Upload it again.",
    )


def conversion_failed(job_id: str, message: str, hint: str) -> Problem:
    """The job that the request waited for failed."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "conversion_failed",
        message,
        hint,
        {"Location": f"/v1/jobs/{job_id}"},
    )


def internal_error() -> Problem:
    """A bug of ours."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "the gateway made a mistake",
        "Report the request id.",
    )
