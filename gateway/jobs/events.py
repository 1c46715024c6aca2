"""Follow one job, or all of one's own, by Server-Sent Events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Response, request, stream_with_context

from gateway.door.access import is_still_good
from gateway.jobs.changes import Change, Changes, TooLongAgo
from gateway.jobs.job_view import describe
from gateway.jobs.outlook import the_outlook
from gateway.jobs.places import EVERY_SECONDS as PLACES_SECONDS
from gateway.jobs.places import Place, Places
from gateway.jobs.watch import Watch
from gateway.uploads.upload_view import describe as describe_upload
from pipeline.job import Job
from pipeline.job_queries import OVER
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreUnavailable, now
from pipeline.upload_store import Upload

HEARTBEAT_SECONDS = 15.0
STILL_HERE = ": still here\n\n"
RETRY_MS = 2000
MAX_DIGITS = 14
"""Of an event's id: a version, or milliseconds of this millennium."""


def stream(job: Job, jobs: Jobs, watch: Watch) -> Response:
    """Return the events of a job from now until it is over.

    An event's id is the job's version: a client that lost the connection sends it back as
    `Last-Event-ID` and misses nothing but what has been overtaken since.
    """
    version = _last_event() or 0
    if job.version <= version and _over(job):
        return Response(status=HTTPStatus.NO_CONTENT)  # tells the browser not to come back
    return _streamed(_events(job, version, jobs, watch))


def stream_all(owner: str, changes: Changes) -> Response:
    """Return the events of an owner's jobs and uploads from now on, while the caller's token is good.

    An event's id is the time of the latest change so far: a client that lost the connection sends it
    back as `Last-Event-ID` and misses nothing; what changed shortly before it may be told again.
    """
    return _streamed(_all_events(owner, _last_event(), changes))


def _last_event() -> int | None:
    """Return the id of the last event that the client saw; `None` if it saw none of ours."""
    seen = request.headers.get("Last-Event-ID", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= MAX_DIGITS else None


def _streamed(events: Iterator[str]) -> Response:
    response = Response(stream_with_context(events), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


def _events(job: Job, version: int, jobs: Jobs, watch: Watch) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    state, places = None, _places_of(job.owner, job.id)
    while True:
        if job.version > version:
            kind, state, version = ("progress" if job.state == state else "state"), job.state, job.version
            yield f"id: {version}\nevent: {kind}\ndata: {json.dumps(describe(job), default=str)}\n\n"
        if _over(job) or watch.stopping:
            return
        if not watch.wait(job.id, version, PLACES_SECONDS if job.state == "queued" else HEARTBEAT_SECONDS):
            yield _moved(places.news()) or STILL_HERE
        try:
            found = jobs.find(job.id, job.owner)
        except StoreUnavailable:
            continue
        if found is None:
            yield "event: deleted\ndata: {}\n\n"
            return
        job = found


def _all_events(owner: str, seen: int | None, changes: Changes) -> Iterator[str]:
    mark = _ms(now()) if seen is None else seen
    places, beat = _places_of(owner), time.monotonic()
    with changes.follow(owner) as follower:
        yield f"retry: {RETRY_MS}\n\n"
        if seen is not None:
            try:
                missed = changes.since(owner, _time(seen))
            except TooLongAgo:
                mark = _ms(now())
                yield f"id: {mark}\nevent: reset\ndata: {{}}\n\n"
            except StoreUnavailable:
                return  # the client comes again, with the same id
            else:
                for change in missed:
                    mark = max(mark, _ms(change.at))
                    yield f"id: {mark}\n{_text(change)}"
        while not changes.stopping and is_still_good():
            news, moved = follower.take(PLACES_SECONDS), _moved(places.news())
            silent = time.monotonic() - beat >= HEARTBEAT_SECONDS
            if moved or (silent and not news):
                mark = mark if news else max(mark, _ms(changes.looked_at))
                yield f"id: {mark}\n{moved or STILL_HERE}"
            if moved or silent or news:
                beat = time.monotonic()
            for change in news:
                mark = max(mark, _ms(change.at))
                yield f"id: {mark}\n{_text(change)}"


def _places_of(owner: str, job_id: str | None = None) -> Places:
    """Return what is told of the places of an owner's jobs, or of one of them."""
    outlook = the_outlook()

    def look() -> dict[str, Place]:
        found = outlook.places(owner)
        return {known: place for known, place in found.items() if job_id in (known, None)}

    return Places(look)


def _moved(places: Mapping[str, Place]) -> str:
    """Return the event of jobs that have another place, in the words of a job; nothing if none has."""
    jobs = [
        {"id": job_id, "queue": {"position": position}, "eta_seconds": seconds}
        for job_id, (position, seconds) in places.items()
    ]
    return f"event: queue\ndata: {json.dumps({'jobs': jobs})}\n\n" if jobs else ""


def _text(change: Change) -> str:
    """Return the event of a change, without its id; it is made once for everybody who follows the owner."""
    if change.text is None:
        kind, data = _told(change)
        change.text = f"event: {kind}\ndata: {json.dumps(data, default=str)}\n\n"
    return change.text


def _told(change: Change) -> tuple[str, dict[str, Any]]:
    match change.subject:
        case None:
            return "deleted", {"id": change.id}
        case Job() as job:
            return "job", describe(job)
        case Upload() as upload:
            return "upload", describe_upload(upload)


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def _over(job: Job) -> bool:
    return job.state in (*OVER, "expired")
