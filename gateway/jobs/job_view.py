"""What the owner of a job is told of it."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from gateway.door.door import the_door
from gateway.jobs.outlook import the_outlook
from pipeline.job import Job


def describe(job: Job) -> dict[str, Any]:
    """Return a job as the API tells it."""
    result = None if job.result is None else _result(job, job.result)
    error = None if job.error is None else {k: v for k, v in job.error.items() if k != "log"}
    notice = None if job.notice is None else {"state": job.notice["state"], "tries": job.notice["tries"]}
    return {
        "id": job.id,
        "state": job.state,
        "version": job.version,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
        "ended_at": job.ended_at and job.ended_at.isoformat(),
        "expires_at": job.ended_at and (job.ended_at + the_door().settings.keep_files_for).isoformat(),
        "attempt": job.attempt,
        "progress": job.progress,
        "phase": job.phase,
        "queue": {"position": the_outlook().position(job)} if job.state == "queued" else None,
        "eta_seconds": the_outlook().seconds_left(job),
        "source": job.source,
        "options": job.options,
        "media": job.media,
        "result": result,
        "error": error,
        "notice": notice,
        "links": links(job),
    }


def _result(job: Job, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result without the places in the store, each part with its address."""
    cover = job.cover and {k: v for k, v in job.cover.items() if k != "place"}
    parts = [
        {k: v for k, v in part.items() if k != "place"}
        | {"url": url_for("jobs.part", job_id=job.id, number=part["number"])}
        for part in job.parts
    ]
    return {k: v for k, v in result.items() if k != "blob"} | {"parts": parts, "cover": cover}


def links(job: Job) -> dict[str, str]:
    """Return where one can go from a job in its state."""
    found = {"self": url_for("jobs.show", job_id=job.id), "events": url_for("jobs.events", job_id=job.id)}
    if job.state == "done":
        found["mp3"] = url_for("jobs.mp3", job_id=job.id)
        if job.result and job.result.get("peaks"):
            found["peaks"] = url_for("jobs.peaks", job_id=job.id)
        if job.parts:
            found["parts"] = url_for("jobs.archive", ids=job.id)
    if job.state in ("queued", "converting"):
        found["cancel"] = url_for("jobs.cancel", job_id=job.id)
    if job.state in ("done", "failed", "canceled") and job.source["kept"]:
        found["retry"] = url_for("jobs.retry", job_id=job.id)
    return found
