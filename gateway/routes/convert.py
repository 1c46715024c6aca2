"""A whole conversion in one request: `curl -fL -u me -T talk.mp4 -o talk.mp3 http://…/v1/convert/`."""

from http import HTTPStatus

from flask import Blueprint, Response, g, jsonify, request, url_for

from gateway.collaborators import own_job, use
from gateway.description.documented import QUERY_OF_OPTIONS, documented
from gateway.door import parameters
from gateway.door.access import requires
from gateway.jobs import problems
from gateway.jobs.job_view import describe
from gateway.uploads.limits import MAX_WAIT_SECONDS
from gateway.uploads.terms import Terms

routes = Blueprint("convert", __name__, url_prefix="/v1/convert")


@routes.after_request
def _(answer: Response) -> Response:
    """Name what is no MP3, which `curl -OJ` would else write over the video that the address names."""
    if answer.status_code != HTTPStatus.SEE_OTHER:  # curl takes the name from the first answer that has one
        answer.headers.setdefault("Content-Disposition", "attachment; filename=answer.json")
    return answer


@routes.put("/", defaults={"name": "video"}, strict_slashes=False)
@routes.put("/<path:name>")
@requires("jobs:write")
@documented(
    {202: "Job", 303: "nothing"},
    errors=(400, 404, 408, 413, 415, 422, 507),
    query=("wait", *QUERY_OF_OPTIONS),
    headers=("Idempotency-Key",),
    body="file",
)
def convert(name: str) -> Response:
    """Upload one video, wait for its MP3 and go there."""
    seconds = parameters.number("wait", MAX_WAIT_SECONDS, 0, MAX_WAIT_SECONDS)
    terms = Terms(options=parameters.options("wait"), name=name, max_files=1)
    [job] = use().uploads.receive(request, g.identity.username, g.request_id, terms)
    with use().streams.taken(g.identity.username, request.remote_addr or ""):
        job = use().watch.for_the_end(job, seconds, lambda: own_job(job.id))
    if job.state == "done":
        response = Response(status=HTTPStatus.SEE_OTHER)
        response.headers["Location"] = url_for("jobs.mp3", job_id=job.id)
        return response
    if job.state == "failed" and job.error is not None:
        raise problems.conversion_failed(job.id, job.error["message"], job.error["hint"])
    response = jsonify(describe(job))
    response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = url_for("jobs.show", job_id=job.id)
    return response
