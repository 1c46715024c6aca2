"""Private feeds for podcast apps: made and revoked by their user, read by whatever has the address."""

import hashlib
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, jsonify, request, url_for

from gateway.collaborators import use
from gateway.description.documented import documented
from gateway.description.schemas.sharing import FeedWish
from gateway.door import audit, parameters
from gateway.door.access import count_guess, requires
from gateway.jobs.downloads import send_cover, send_mp3
from gateway.sharing import chapters, feed, problems
from pipeline.feeds import Feed, TooManyFeeds
from pipeline.job import Job

routes = Blueprint("feeds", __name__)


@routes.get("/v1/me/feeds")
@requires("jobs:read")
@documented({200: "Feeds"})
def index() -> Response:
    """List your feeds, the oldest first."""
    return jsonify(feeds=[_describe(found) for found in use().feeds.all(g.identity.username)])


@routes.post("/v1/me/feeds")
@requires("jobs:write")
@documented({201: "NewFeed"}, errors=(400, 409, 413, 422), body="FeedWish")
def create() -> Response:
    """Make a private feed of your finished MP3s; its address is told in this answer only."""
    wish = parameters.shape(FeedWish)
    try:
        made, token = use().feeds.add(g.identity.username, wish.title)
    except TooManyFeeds as error:
        raise problems.too_many_feeds(str(error)) from None
    audit.record("feed made", feed=made.id)
    response = jsonify({**_describe(made), "url": url_for("feeds.show", token=token, _external=True)})
    response.status_code = HTTPStatus.CREATED
    return response


@routes.delete("/v1/me/feeds/<feed_id>")
@requires("jobs:write")
@documented({204: "nothing"}, errors=(404,))
def revoke(feed_id: str) -> Response:
    """Revoke a feed at once, with the addresses of its files."""
    if not use().feeds.revoke(g.identity.username, feed_id):
        raise problems.no_such_feed()
    audit.record("feed revoked", feed=feed_id)
    return Response(status=HTTPStatus.NO_CONTENT)


@routes.get("/feeds/<token>.xml")
@documented({200: "feed", 304: "nothing"}, errors=(404, 429))
def show(token: str) -> Response:
    """Return a user's finished MP3s as a podcast, the newest first."""
    found = _feed(token)
    jobs = use().jobs.page(found.owner, limit=feed.ITEMS, state="done")
    home, own = (
        url_for("description.docs", _external=True),
        url_for("feeds.show", token=token, _external=True),
    )
    text = feed.write(found, jobs, home, own, lambda job_id, kind: _address(token, job_id, kind))
    response = Response(text, mimetype="application/rss+xml")
    response.set_etag(hashlib.sha256(text).hexdigest())
    response.last_modified = max((job.updated_at for job in jobs), default=found.created_at)
    response.make_conditional(request)
    return _private(response)


@routes.get("/feeds/<token>/<episode_id>.mp3", endpoint="episode_mp3")
@documented({200: "mp3", 206: "mp3", 304: "nothing"}, errors=(404, 409, 416, 429), headers=("Range",))
def episode(token: str, episode_id: str) -> Response:
    """Download an MP3 of a feed."""
    job, who = _job(token, episode_id), f"feed:{request.remote_addr}"
    return _private(send_mp3(job, use().mp3s, use().downloads, who=who))


@routes.get("/feeds/<token>/<episode_id>.jpg", endpoint="episode_jpg")
@routes.get("/feeds/<token>/<episode_id>.png", endpoint="episode_png")
@documented({200: "cover", 206: "cover", 304: "nothing"}, errors=(404, 409, 416, 429), headers=("Range",))
def episode_cover(token: str, episode_id: str) -> Response:
    """Show the picture in an MP3 of a feed."""
    job, who = _job(token, episode_id), f"feed:{request.remote_addr}"
    kind = request.path.rpartition(".")[2]
    return _private(send_cover(job, kind, use().mp3s, use().downloads, who=who))


@routes.get("/feeds/<token>/<episode_id>.json", endpoint="episode_json")
@documented({200: "chapters"}, errors=(404, 429))
def episode_chapters(token: str, episode_id: str) -> Response:
    """Tell the chapters of an MP3 of a feed (the JSON of the podcast namespace)."""
    response = jsonify(chapters.document(_job(token, episode_id)))
    response.mimetype = "application/json+chapters"
    return _private(response)


def _address(token: str, job_id: str, kind: str) -> str:
    return url_for(f"feeds.episode_{kind}", token=token, episode_id=job_id, _external=True)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _feed(token: str) -> Feed:
    """Return a feed.

    Raises:
        Problem: there is none with this address, or no longer.
    """
    found = use().feeds.find(token)
    if found is None:
        count_guess()
        raise problems.no_such_feed()
    return found


def _job(token: str, job_id: str) -> Job:
    """Return a finished job of a feed's user.

    Raises:
        Problem: there is no such feed, or nothing of this id in it.
    """
    job = use().jobs.find(job_id, _feed(token).owner)
    if job is None or job.state != "done":
        raise problems.no_such_feed()
    return job


def _describe(found: Feed) -> dict[str, Any]:
    return {"id": found.id, "title": found.title, "created_at": found.created_at.isoformat()}
