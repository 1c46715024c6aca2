"""Everything that happens to one's jobs, in one stream."""

from flask import Blueprint, Response, g

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
    return stream_all(g.identity.username, use().changes, use().watch)
