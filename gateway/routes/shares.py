"""Links to one MP3 for people without an account: made and revoked by the owner, opened by anybody."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, jsonify, render_template, request, url_for

from gateway.collaborators import own_job, use
from gateway.description.documented import documented
from gateway.description.schemas.sharing import ShareWish
from gateway.door import audit, parameters
from gateway.door.access import count_guess, requires
from gateway.jobs import problems as job_problems
from gateway.jobs.downloads import send_mp3
from gateway.sharing import chapters, problems, words
from gateway.sharing.feed import title_of
from pipeline.job import Job
from pipeline.shares import Share, TooManyShares

COUNTED_FROM_BYTES = 1024
"""A request for fewer is a player that looks what it is about to play."""

routes = Blueprint("shares", __name__, template_folder="../sharing/templates")


@routes.post("/v1/jobs/<job_id>/shares")
@requires("jobs:write")
@documented({201: "NewShare"}, errors=(400, 404, 409, 413, 422), body="ShareWish")
def create(job_id: str) -> Response:
    """Make a link to the MP3 of a finished job; its address is told in this answer only."""
    job, wish = own_job(job_id), parameters.shape(ShareWish)
    if job.state != "done":
        raise job_problems.not_ready(job.state)
    lifetime = timedelta(days=wish.expires_in_days)
    try:
        share, token = use().share_links.add(
            job.owner, job.id, lifetime=lifetime, max_downloads=wish.max_downloads
        )
    except TooManyShares as error:
        raise problems.too_many_shares(str(error)) from None
    audit.record("shared", job_id=job_id, share=share.id)
    response = jsonify({**_describe(share), "url": url_for("shares.page", token=token, _external=True)})
    response.status_code = HTTPStatus.CREATED
    return response


@routes.get("/v1/jobs/<job_id>/shares")
@requires("jobs:read")
@documented({200: "Shares"}, errors=(404,))
def index(job_id: str) -> Response:
    """List the links to a job's MP3, the oldest first."""
    job = own_job(job_id)
    return jsonify(shares=[_describe(share) for share in use().share_links.all(job.owner, job.id)])


@routes.delete("/v1/shares/<share_id>")
@requires("jobs:write")
@documented({204: "nothing"}, errors=(404,))
def revoke(share_id: str) -> Response:
    """Revoke a link at once."""
    if not use().share_links.revoke(g.identity.username, share_id):
        raise problems.no_such_share()
    audit.record("share revoked", share=share_id)
    return Response(status=HTTPStatus.NO_CONTENT)


@routes.get("/s/<token>")
@documented({200: "page"}, errors=(404, 429))
def page(token: str) -> Response:
    """Show what a link leads to, to play and to download; looking counts nothing."""
    share, job = _shared(token)
    result = job.result or {}
    text = render_template(
        "share.html",
        title=title_of(job),
        url=url_for("shares.mp3", token=token),
        duration=words.duration(result["duration"]),
        size=words.size(result["size"]),
        chapters=chapters.of(job),
        until=f"{share.expires_at:%Y-%m-%d %H:%M}",
    )
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; media-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@routes.get("/s/<token>/mp3")
@documented(
    {200: "mp3", 204: "nothing", 206: "mp3", 304: "nothing"},
    errors=(404, 416, 429),
    query=("inline",),
    headers=("Range",),
)
def mp3(token: str) -> Response:
    """Download the MP3 that a link leads to."""
    share, job = _shared(token)
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        return Response(status=HTTPStatus.NO_CONTENT)  # nobody has asked for it yet
    response = send_mp3(job, use().mp3s, use().downloads, who=f"link:{request.remote_addr}")
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if request.method != "GET" or response.status_code == HTTPStatus.NOT_MODIFIED:
        return response
    good = use().share_links.count(token) if _begins(response) else use().share_links.resumable(share)
    if not good:
        response.close()
        raise problems.no_such_share()
    return response


def _begins(response: Response) -> bool:
    """Tell whether an answer is the beginning of a download, or the whole of it."""
    if response.status_code == HTTPStatus.OK:
        return True
    start, stop = response.content_range.start or 0, response.content_range.stop or 0
    whole = stop - start == response.content_range.length
    return start == 0 and (stop >= COUNTED_FROM_BYTES or whole)


def _shared(token: str) -> tuple[Share, Job]:
    """Return a link that is good and the finished job that it is for.

    Raises:
        Problem: there is none; whether there ever was is not told.
    """
    share = use().share_links.find(token)
    job = None if share is None else use().jobs.find(share.job_id, share.owner)
    if share is None or job is None or job.state != "done":
        count_guess()
        raise problems.no_such_share()
    return share, job


def _describe(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "job": share.job_id,
        "created_at": share.created_at.isoformat(),
        "expires_at": share.expires_at.isoformat(),
        "downloads": share.downloads,
        "max_downloads": share.max_downloads,
    }
