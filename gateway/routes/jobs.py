"""Jobs: upload, list, follow, cancel, retry, delete."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, g, jsonify, request, url_for
from werkzeug.routing import BaseConverter

from chassis.problem import Problem
from gateway import problems
from gateway.collaborators import own_job, own_jobs, use
from gateway.description.documented import QUERY_OF_OPTIONS, documented
from gateway.door import audit, parameters
from gateway.door.access import requires
from gateway.door.body import Body
from gateway.jobs import problems as job_problems
from gateway.jobs.archive import MOST
from gateway.jobs.archive import of as archive_of
from gateway.jobs.downloads import send_mp3, send_part, send_peaks
from gateway.jobs.events import stream
from gateway.jobs.job_view import describe
from gateway.jobs.sending import send
from gateway.uploads.limits import MAX_WAIT_SECONDS
from gateway.uploads.terms import Terms
from pipeline.job import STATES, Job
from pipeline.job_queries import OVER, InvalidCursor, cursor
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.options import InvalidOption, Options

MAX_OPTIONS_BYTES = 16 * 1024

routes = Blueprint("jobs", __name__, url_prefix="/v1/jobs")


class JobId(BaseConverter):
    """What may be a job's id: any text but `archive`, an address with methods of its own."""

    regex = "(?!archive$)[^/]+"
    part_isolating = True  # one segment: else a regex with a slash is taken for several


@routes.post("")
@requires("jobs:write")
@documented(
    {202: "Jobs"},
    errors=(400, 408, 413, 415, 422, 507),
    query=("name", *QUERY_OF_OPTIONS),
    headers=("Idempotency-Key",),
    body="files",
)
def create() -> Response:
    """Upload videos: a form with one file or more, or one file as the body."""
    terms = Terms(options=parameters.options("name"), name=request.args.get("name") or "video")
    jobs = use().uploads.receive(request, g.identity.username, g.request_id, terms)
    response = jsonify({"jobs": [describe(job) for job in jobs]})
    response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = url_for("jobs.show", job_id=jobs[0].id)
    return response


@routes.get("")
@requires("jobs:read")
@documented({200: "Page"}, errors=(422,), query=("state", "q", "limit", "before"))
def index() -> Response:
    """List your jobs, the newest first."""
    parameters.only("state", "q", "limit", "before")
    limit = parameters.number("limit", 20, 1, parameters.MAX_PAGE)
    state = parameters.one_of("state", STATES)
    try:
        page = use().jobs.page(
            g.identity.username,
            limit=limit + 1,
            state=state,  # type: ignore[arg-type]  # one of STATES, looked at above
            text=parameters.text("q"),
            before=request.args.get("before"),
        )
    except InvalidCursor:
        raise problems.invalid_parameter("before", "the cursor of an earlier answer's next") from None
    following = _following(page[limit - 1]) if len(page) > limit else None
    response = jsonify({"jobs": [describe(job) for job in page[:limit]], "next": following})
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _following(last: Job) -> str:
    query = {**request.args.to_dict(), "before": cursor(last)}
    return f"{url_for('jobs.index')}?{urlencode(query)}"


@routes.get("/<job_id:job_id>")
@requires("jobs:read")
@documented({200: "Job", 304: "nothing"}, errors=(404, 422), query=("wait",))
def show(job_id: str) -> Response:
    """Tell how far a job is, with `wait` only when its state changes or it is over."""
    seconds = parameters.number("wait", 0, 0, MAX_WAIT_SECONDS)
    job = own_job(job_id)
    if seconds and job.state not in (*OVER, "expired"):
        with use().streams.taken(g.identity.username, request.remote_addr or ""):
            job = use().watch.for_another_state(job, seconds, lambda: own_job(job_id))
    response = _told(job)
    if job.state != "queued":  # its place in the queue changes without it
        response.make_conditional(request)
    return response


@routes.get("/<job_id>/events")
@requires("jobs:read")
@documented({200: "events", 204: "nothing"}, errors=(404,), headers=("Last-Event-ID",))
def events(job_id: str) -> Response:
    """Follow a job by Server-Sent Events until it is over."""
    response = stream(own_job(job_id), use().jobs, use().watch)
    response.call_on_close(use().streams.take(g.identity.username, request.remote_addr or ""))
    return response


@routes.get("/<job_id>/mp3")
@requires("jobs:read")
@documented(
    {200: "mp3", 206: "mp3", 304: "nothing"},
    errors=(404, 409, 412, 416),
    query=("inline",),
    headers=("Range",),
)
def mp3(job_id: str) -> Response:
    """Download the MP3 of a finished job."""
    return send_mp3(own_job(job_id), use().mp3s, use().downloads)


@routes.get("/<job_id>/parts/<number>")
@requires("jobs:read")
@documented(
    {200: "mp3", 206: "mp3", 304: "nothing"},
    errors=(404, 409, 412, 416),
    query=("inline",),
    headers=("Range",),
)
def part(job_id: str, number: str) -> Response:
    """Download a part of a split MP3."""
    return send_part(own_job(job_id), number, use().mp3s, use().downloads)


@routes.get("/<job_id>/peaks")
@requires("jobs:read")
@documented({200: "Peaks", 304: "nothing"}, errors=(404, 409))
def peaks(job_id: str) -> Response:
    """Tell the waveform of the MP3: the peaks of up to 2,000 equal parts."""
    return send_peaks(own_job(job_id), use().mp3s)


@routes.get("/archive")
@requires("jobs:read")
@documented(
    {200: "zip", 206: "zip", 304: "nothing"},
    errors=(404, 409, 412, 416, 422),
    query=("ids",),
    headers=("Range",),
)
def archive() -> Response:
    """Download the MP3s of finished jobs as one zip; of a split one its parts, in a folder."""
    ids = dict.fromkeys(request.args.get("ids", "").split(","))
    if not 0 < len(ids) <= MOST or "" in ids:
        raise problems.invalid_parameter("ids", f"the ids of 1 to {MOST} jobs, separated by commas")
    response = send(archive_of(own_jobs(list(ids)), use().mp3s))
    response.call_on_close(use().downloads.take(g.identity.username, request.remote_addr or ""))
    return response


@routes.post("/<job_id>/cancel")
@requires("jobs:write")
@documented({200: "Job"}, errors=(404, 409, 412), headers=("If-Match",))
def cancel(job_id: str) -> Response:
    """Stop a job; what is canceled already stays so."""
    job = own_job(job_id)
    version = _wanted_version(job)
    if job.state != "canceled":
        canceled = use().jobs.cancel(job_id, g.identity.username, version)
        if canceled is None:
            raise _refusal(own_job(job_id), version, "queued or converting")
        audit.record("canceled", job_id=job_id)
        job = canceled
    return _told(job)


@routes.post("/<job_id>/retry")
@requires("jobs:write")
@documented(
    {202: "Job"},
    errors=(400, 404, 409, 410, 412, 413, 415, 422),
    query=QUERY_OF_OPTIONS,
    headers=("If-Match",),
    body="options",
)
def retry(job_id: str) -> Response:
    """Convert a kept video again, with the same options or those that are sent."""
    version = _wanted_version(own_job(job_id))
    again = use().jobs.retry(job_id, g.identity.username, _options(), version)
    if again is None:
        job = own_job(job_id)
        if job.state in OVER and not job.source["kept"]:
            raise job_problems.source_gone()
        raise _refusal(job, version, " or ".join(OVER))
    use().ring(again)
    return _told(again, HTTPStatus.ACCEPTED)


def _told(job: Job, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a job with the version that `If-Match` and `If-None-Match` can name."""
    response = jsonify(describe(job))
    response.status_code = status
    response.set_etag(str(job.version))
    return response


def _wanted_version(job: Job) -> int | None:
    """Return the version that `If-Match` lets this job have (RFC 9110, section 13.1.1); `None` for any.

    Raises:
        Problem: it has another one.
    """
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    if not request.if_match.contains(str(job.version)):
        raise job_problems.precondition_failed()
    return job.version


def _refusal(job: Job, wanted: int | None, states: str) -> Problem:
    """Return why a job was not changed: it has changed just now, or is in none of these states."""
    if wanted not in (None, job.version):
        return job_problems.precondition_failed()
    return job_problems.wrong_state(job.state, states)


def _options() -> dict[str, object] | None:
    """Return the options of the query, of a form or of a JSON object; `None` when there are none."""
    text = b"".join(Body(request, MAX_OPTIONS_BYTES).pieces())
    fields = parameters.fields(request.mimetype, text) if text else {}
    if not (request.args or fields):
        return None
    try:
        Options.parse(request.args)  # those too that the body overrides
        return Options.parse({**request.args, **fields}).as_document()
    except InvalidOption as error:
        raise problems.invalid_option(str(error)) from None


@routes.delete("/<job_id:job_id>")
@requires("jobs:write")
@documented({204: "nothing"}, errors=(404, 409, 412), headers=("If-Match",))
def delete(job_id: str) -> Response:
    """Delete a job that is over, its video and its MP3."""
    job = own_job(job_id)
    version = _wanted_version(job)
    use().spread(job)
    deleted = use().jobs.delete(job_id, g.identity.username, version)
    if deleted is None:
        raise _refusal(own_job(job_id), version, "over: cancel it first")
    audit.record("deleted", job_id=job_id)
    try:
        use().videos.delete(job_id)
        for blob_id in deleted.blob_ids:
            use().mp3s.delete(blob_id)
    except (StoreUnavailable, StoreRefused):
        audit.record("files left to the reconciler", job_id=job_id)
    return Response(status=HTTPStatus.NO_CONTENT)
