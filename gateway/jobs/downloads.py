"""The stored MP3 of a job, the picture in it, and the waveform that lies beside it."""

from functools import partial

from flask import Response, jsonify, request

from gateway.door.shares import Shares
from gateway.jobs import problems
from gateway.jobs.sending import Content, send
from gateway.uploads import names
from pipeline.files import Blob, Blobs, NoSuchBlob
from pipeline.job import Job, parts_of

KINDS = {"image/jpeg": "jpg", "image/png": "png"}
"""How the address of a picture ends: what podcast apps expect."""


def send_mp3(job: Job, mp3s: Blobs, downloads: Shares, *, who: str | None = None) -> Response:
    """Return the job's MP3, or what the request's range and conditions ask of it.

    The download is one of the job's owner, or of `who`: strangers take none of the owner's.

    Raises:
        Problem: the job has none, the range lies beyond its end, or the caller has too many downloads.
    """
    blob = _blob(job, mp3s)
    content = Content(
        filename=names.of_mp3(job.source["filename"]),
        plain_name=f"{job.id}.mp3",
        mimetype="audio/mpeg",
        size=blob.size,
        tag=blob.sha256,
        changed_at=blob.uploaded_at,
        read=partial(mp3s.read, blob, ahead=False),
    )
    response = send(content, "inline" if request.args.get("inline") else "attachment")
    response.call_on_close(downloads.take(who or job.owner, request.remote_addr or ""))
    return response


def send_part(job: Job, number: str, mp3s: Blobs, downloads: Shares) -> Response:
    """Return a part of the job's MP3, or what the request's range and conditions ask of it.

    Raises:
        Problem: as `send_mp3`, or there is no such part.
    """
    blob = _blob(job, mp3s)
    found = next((part for part in job.parts if str(part["number"]) == number), None)
    if found is None:
        raise problems.no_such_part(len(job.parts))
    parts, place = mp3s.find(parts_of(blob.id)), found["place"]
    content = Content(
        filename=found["name"],
        plain_name=f"{found['number']}.mp3",
        mimetype="audio/mpeg",
        size=found["size"],
        tag=found["sha256"],
        changed_at=parts.uploaded_at,
        read=lambda start, stop: mp3s.read(parts, place + start, place + stop, ahead=False),
    )
    response = send(content, "inline" if request.args.get("inline") else "attachment")
    response.call_on_close(downloads.take(job.owner, request.remote_addr or ""))
    return response


def send_cover(job: Job, kind: str, mp3s: Blobs, downloads: Shares, *, who: str) -> Response:
    """Return the picture in the job's MP3, which is a range of it, if it is of this kind.

    Raises:
        Problem: as `send_mp3`, or the MP3 has no such picture.
    """
    blob, cover = _blob(job, mp3s), job.cover
    if cover is None or KINDS.get(cover["type"]) != kind:
        raise problems.no_cover()
    content = Content(
        filename=f"{job.id}.{kind}",
        mimetype=cover["type"],
        size=cover["size"],
        tag=cover["sha256"],
        changed_at=blob.uploaded_at,
        read=lambda start, stop: mp3s.read(blob, cover["place"] + start, cover["place"] + stop, ahead=False),
    )
    response = send(content, "inline")
    response.call_on_close(downloads.take(who, request.remote_addr or ""))
    return response


def send_peaks(job: Job, mp3s: Blobs) -> Response:
    """Return the waveform of the job's MP3.

    Raises:
        Problem: when the job has no MP3, or the MP3 no waveform.
    """
    blob = _blob(job, mp3s)
    if "peaks" not in blob.metadata:
        raise problems.no_peaks()
    response = jsonify(peaks=list(blob.metadata["peaks"]))
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(f"peaks-{blob.sha256}")
    response.make_conditional(request)
    return response


def _blob(job: Job, mp3s: Blobs) -> Blob:
    if job.state != "done" or job.result is None:
        raise problems.not_ready(job.state)
    try:
        return mp3s.find(job.result["blob"])
    except NoSuchBlob:
        raise problems.not_ready("expired") from None
