"""The routes: the original contract, and `/v1`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec

from flask import Blueprint, Response, current_app, g, jsonify, request, url_for

from chassis import logs
from chassis.files import Blobs
from chassis.identity import InvalidToken, Verifier
from chassis.job import Job
from chassis.jobs import Jobs
from gateway import problems
from gateway.downloads import send_mp3
from gateway.login import AuthClient
from gateway.uploads import Uploads

P = ParamSpec("P")
log = logs.get(__name__)
routes = Blueprint("routes", __name__)


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What the routes work with."""

    auth: AuthClient
    verifier: Verifier
    jobs: Jobs
    mp3s: Blobs
    uploads: Uploads


def requires_token(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let only requests with a valid token through; `g.identity` says whose."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise problems.not_authorized()
        try:
            g.identity = _use().verifier.verify(token.strip())
        except InvalidToken as error:
            log.info("token refused", reason=str(error))
            raise problems.not_authorized() from None
        return view(*args, **kwargs)

    return guarded


@routes.post("/login")
def login() -> Response:
    """Return a token for a user name and a password (HTTP basic)."""
    return _use().auth.login(request, g.request_id)


@routes.post("/upload")
@requires_token
def upload() -> Response:
    """Take one video and queue its conversion."""
    job = _use().uploads.receive(request, g.identity.username, g.request_id)
    if request.accept_mimetypes.best_match(["text/plain", "application/json"]) == "application/json":
        response = jsonify(describe(job))
        response.status_code = HTTPStatus.ACCEPTED
    else:
        response = Response("success!", mimetype="text/plain")
    response.headers["Location"] = url_for("routes.job", job_id=job.id)
    response.headers["X-Job-Id"] = job.id
    return response


@routes.get("/download")
@requires_token
def download() -> Response:
    """Return the MP3 of a finished job, as a file named after the video."""
    fid = request.args.get("fid")
    if not fid:
        raise problems.fid_required()
    return send_mp3(_own_job(fid), _use().mp3s)


@routes.get("/v1/jobs/<job_id>")
@requires_token
def job(job_id: str) -> Response:
    """Return how far a job is."""
    return jsonify(describe(_own_job(job_id)))


def describe(job: Job) -> dict[str, Any]:
    """Return what the owner of a job is told of it."""
    return {
        "id": job.id,
        "state": job.state,
        "version": job.version,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
        "attempt": job.attempt,
        "progress": job.progress,
        "phase": job.phase,
        "source": job.source,
        "options": job.options,
        "media": job.media,
        "result": None if job.result is None else {k: v for k, v in job.result.items() if k != "blob"},
        "error": job.error,
        "notice": None
        if job.notice is None
        else {"state": job.notice["state"], "tries": job.notice["tries"]},
    }


def _own_job(job_id: str) -> Job:
    """Return the caller's job: fetching and permission are one step, so no view can forget the second."""
    job = _use().jobs.find(job_id, g.identity.username)
    if job is None:
        raise problems.no_such_job()
    return job


def _use() -> Collaborators:
    collaborators: Collaborators = current_app.extensions["gateway"]
    return collaborators
