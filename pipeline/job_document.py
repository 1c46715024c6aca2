"""The parts of the job document that several transitions of `jobs` look for, or write.

docs/architecture.md lists what each field holds.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pipeline.job import Bell, Job, Lease
from pipeline.mongodb import Document, now


def new(  # noqa: PLR0913 - one argument for each thing that is known when an upload begins
    owner: str,
    *,
    filename: str,
    content_type: str,
    options: Mapping[str, Any],
    request_id: str,
    upload_id: str | None = None,
) -> Document:
    """Return the document of a job whose upload begins; `upload_id` is that of a resumable one.

    Such a one comes to its end by its own document, however old it is.
    """
    time = now()
    return {
        "_id": upload_id or uuid4().hex,
        "resumable": upload_id is not None,
        "owner": owner,
        "state": "uploading",
        "version": 1,
        "created_at": time,
        "updated_at": time,
        "ended_at": None,
        "attempt": 0,
        "request_id": request_id,
        "source": {
            "filename": filename,
            "size": None,
            "sha256": None,
            "content_type": content_type,
            "kept": True,
        },
        "options": dict(options),
        "media": None,
        "progress": 0.0,
        "phase": None,
        "lease": {"token": 0, "holder": None, "since": None, "until": None},
        "result": None,
        "error": None,
        "doorbell": {
            "video": {"due_at": None, "rung_at": None, "delayed": False},
            "mp3": {"due_at": None, "rung_at": None, "delayed": False},
        },
        "notice": None,
        "events": [],
        "turn": 0,
    }


ONLY_THE_JOBS = ("cover", "parts")


def event(
    kind: str, *, result: Mapping[str, Any] | None = None, error: Mapping[str, Any] | None = None
) -> Document:
    """Return what webhooks are to be told of, as it is now: a later run of the job changes nothing of it.

    Of the picture, and of the parts of a split MP3, of which there can be many, only the job tells.
    """
    return {
        "id": uuid4().hex,
        "type": f"job.{kind}",
        "at": now(),
        "result": None if result is None else {n: v for n, v in result.items() if n not in ONLY_THE_JOBS},
        "error": None if error is None else dict(error),
    }


def due(bell: Bell, time: datetime, *, delayed: bool = False) -> Document:
    """Return the values by which a bell is due at `time`; `delayed`: nobody takes the job up before."""
    return {f"doorbell.{bell}.due_at": time, f"doorbell.{bell}.delayed": delayed}


def due_as_in(job: Job, bell: Bell) -> Document:
    """Match a job whose bell is still due as it was when `job` was read."""
    return {"_id": job.id, f"doorbell.{bell}.due_at": job.doorbell[bell]["due_at"]}


def in_time(bell: Bell) -> Document:
    """Match a job that may be taken up: it is not delayed, or its bell was rung since."""
    return {f"doorbell.{bell}.delayed": {"$ne": True}}


def queued_again(delay: timedelta) -> Document:
    """Return the values by which a job waits for a converter once more."""
    return {
        "state": "queued",
        "lease.until": None,
        "phase": None,
        "progress": 0.0,
        **due("video", now() + delay, delayed=bool(delay)),
    }


def outcome(lease: Lease) -> Document:
    """Return the values of the end of a run, and of the one mail that it owes.

    `run` makes the mail's Message-ID the same however often it is sent; `token` fences off a sender
    that was too slow.
    """
    time = now()
    notice = {
        "state": "pending",
        "since": time,
        "run": lease.token,
        "tries": 0,
        "token": 0,
        "until": None,
        "sender": None,
        "reason": None,
    }
    return {"ended_at": time, "phase": None, "notice": notice, **due("mp3", time)}


def sending(job: Job) -> Document:
    """Match a job whose mail is being sent by who read `job` from `claim_notice`, and by nobody since."""
    notice = job.notice or {}
    return {
        "_id": job.id,
        "notice.state": "sending",
        "notice.run": notice.get("run"),
        "notice.token": notice.get("token"),
    }
