"""The chapters of an MP3, as players want them (the JSON of the podcast namespace)."""

from typing import Any

from pipeline.job import Job

VERSION = "1.2.0"


def of(job: Job) -> list[dict[str, Any]]:
    """Return the chapters of a job's MP3: those of the video, at the times of the part that was converted."""
    media, result = job.media or {}, job.result or {}
    begin, duration = float(job.options.get("start") or 0.0), float(result.get("duration") or 0.0)
    found = []
    for number, chapter in enumerate(media.get("chapters", ()), 1):
        start, end = max(0.0, chapter["start"] - begin), min(duration, chapter["end"] - begin)
        if start < end:
            title = chapter["title"] or f"Chapter {number}"
            found.append({"startTime": round(start, 3), "endTime": round(end, 3), "title": title})
    return found


def document(job: Job) -> dict[str, Any]:
    """Return them as `application/json+chapters`."""
    return {"version": VERSION, "chapters": of(job)}
