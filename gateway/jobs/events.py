"""Follow one job by Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import json
from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, request, stream_with_context

from gateway import problems
from gateway.jobs.job_view import describe
from gateway.jobs.watch import Watch
from pipeline.job import Job
from pipeline.job_queries import OVER
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreUnavailable

HEARTBEAT_SECONDS = 15.0
RETRY_MS = 2000


def stream(job: Job, jobs: Jobs, watch: Watch) -> Response:
    """Return the events of a job from now until it is over.

    An event's id is the job's version: a client that lost the connection sends it back as
    `Last-Event-ID` and misses nothing but what has been overtaken since.

    Raises:
        Problem: too many wait already.
    """
    seen = request.headers.get("Last-Event-ID", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0  # noqa: PLR2004 - digits
    if job.version <= version and _over(job):
        return Response(status=HTTPStatus.NO_CONTENT)  # tells the browser not to come back
    place = watch.take_place()
    if place is None:
        raise problems.busy()
    response = Response(
        stream_with_context(_events(job, version, jobs, watch)), mimetype="text/event-stream; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    response.call_on_close(place)
    return response


def _events(job: Job, version: int, jobs: Jobs, watch: Watch) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    state = None
    while True:
        if job.version > version:
            kind, state, version = ("progress" if job.state == state else "state"), job.state, job.version
            yield f"id: {version}\nevent: {kind}\ndata: {json.dumps(describe(job), default=str)}\n\n"
        if _over(job) or watch.stopping:
            return
        if not watch.wait(job.id, version, HEARTBEAT_SECONDS):
            yield ": still here\n\n"
        try:
            found = jobs.find(job.id, job.owner)
        except StoreUnavailable:
            continue
        if found is None:
            yield "event: deleted\ndata: {}\n\n"
            return
        job = found


def _over(job: Job) -> bool:
    return job.state in (*OVER, "expired")
