"""Send a stored MP3 as a file named after its video, one chunk in memory at a time."""

from urllib.parse import quote

from flask import Response, request

from chassis.files import Blobs, NoSuchBlob
from chassis.job import Job
from gateway import problems


def send_mp3(job: Job, mp3s: Blobs) -> Response:
    """Return the job's MP3.

    Raises:
        Problem: when the job has none.
    """
    if job.state != "done" or job.result is None:
        raise problems.not_ready(job.state)
    try:
        blob = mp3s.find(job.result["blob"])
    except NoSuchBlob:
        raise problems.not_ready("expired") from None
    body = mp3s.read(blob) if request.method == "GET" else None
    response = Response(body, mimetype="audio/mpeg")
    response.content_length = blob.size
    response.headers["Content-Disposition"] = disposition(mp3_name(job.source["filename"]))
    if blob.sha256:
        response.set_etag(blob.sha256)
    return response


def mp3_name(video: str) -> str:
    """Return the name of the MP3 made from a video: `talk.mp4` → `talk.mp3`."""
    stem, dot, _ = video.rpartition(".")
    return f"{stem if dot and stem else video}.mp3"


def disposition(name: str) -> str:
    """Return `Content-Disposition` with the name in both forms.

    RFC 6266: `filename*` holds the true name; `curl -OJ` reads only the plain one.
    """
    plain = name.encode("ascii", "replace").decode().translate(str.maketrans('"\\?%', "____"))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
