"""The original contract: many scripts and tutorials speak it."""

from http import HTTPStatus

from flask import Blueprint, Response, g, jsonify, request, url_for

from gateway import problems
from gateway.collaborators import own_job, use
from gateway.description.documented import QUERY_OF_OPTIONS, documented
from gateway.door import audit
from gateway.door.access import limits_logins, requires, user_of
from gateway.door.door import the_door
from gateway.jobs.downloads import send_mp3
from gateway.jobs.job_view import describe
from gateway.uploads.terms import Terms

MAX_NAME = 254
"""How much of a name goes into the log: the length of the longest e-mail address."""

routes = Blueprint("original", __name__)


@routes.post("/login")
@limits_logins
@documented({200: "token"}, errors=(400, 401, 413, 415, 422, 429), body="login")
def login() -> Response:
    """Return a token for a user name and a password (HTTP basic)."""
    response = the_door().auth.forward(request, "/login", g.request_id)
    name = user_of(request.headers.get("Authorization", ""))
    audit.record("login", name=name and name[:MAX_NAME], status=response.status_code)
    return response


@routes.post("/upload")
@requires("jobs:write")
@documented(
    {200: "text", 202: "Job"},
    errors=(400, 408, 413, 415, 422, 507),
    query=QUERY_OF_OPTIONS,
    headers=("Idempotency-Key",),
    body="form",
)
def upload() -> Response:
    """Take one video and queue its conversion."""
    terms = Terms(options=request.args, max_files=1, strict=False)
    [job] = use().uploads.receive(request, g.identity.username, g.request_id, terms)
    if request.accept_mimetypes.best_match(["text/plain", "application/json"]) == "application/json":
        response = jsonify(describe(job))
        response.status_code = HTTPStatus.ACCEPTED
    else:
        response = Response("success!", mimetype="text/plain")
    response.headers["Location"] = url_for("jobs.show", job_id=job.id)
    response.headers["X-Job-Id"] = job.id
    return response


@routes.get("/download")
@requires("jobs:read")
@documented(
    {200: "mp3", 206: "mp3", 304: "nothing"},
    errors=(400, 404, 409, 412, 416),
    query=("fid", "inline"),
    headers=("Range",),
)
def download() -> Response:
    """Return the MP3 of a finished job, as a file named after the video."""
    fid = request.args.get("fid")
    if not fid:
        raise problems.fid_required()
    return send_mp3(own_job(fid), use().mp3s, use().downloads)
