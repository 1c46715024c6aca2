"""Everything that happens to one's jobs, in one stream."""

from flask import Blueprint, Response, g, request

from gateway.collaborators import use
from gateway.description.documented import documented
from gateway.door.access import requires
from gateway.jobs.events import stream_all

routes = Blueprint("events", __name__, url_prefix="/v1/events")


@routes.get("")
@requires("jobs:read")
@documented({200: "events"}, headers=("Last-Event-ID",))
def events() -> Response:
    """Follow all your jobs by Server-Sent Events, for as long as you listen."""
    response = stream_all(g.identity.username, use().changes)
    response.call_on_close(use().streams.take(g.identity.username, request.remote_addr or ""))
    return response
