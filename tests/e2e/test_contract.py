"""The contract that clients in the wild speak, by HTTP and AMQP to the running suite, byte for byte."""

import io
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import gridfs
import httpx
import imageio_ffmpeg
import jwt
import mutagen.mp3
import pika
import pymongo
import pytest

from dev.stack import Stack
from tests.e2e.conftest import CLIP, PASSWORD, User, wait_for

PLAIN = "text/plain; charset=utf-8"
SOUND_SECONDS = 5.312
"""The clip's sound track: 254,976 samples at 48 kHz."""


@pytest.fixture
def anybody(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.gateway_url) as client:
        yield client


@pytest.fixture
def auth(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.port('auth')}") as client:
        yield client


def essence(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.headers["Content-Type"], answer.text


# -- POST /login, on the gateway and on auth ----------------------------------------------------


@pytest.fixture(params=["anybody", "auth"])
def door(request: pytest.FixtureRequest) -> httpx.Client:
    client: httpx.Client = request.getfixturevalue(request.param)
    return client


def test_a_login_answers_with_the_token_as_plain_text(door: httpx.Client, user: User) -> None:
    answer = door.post("/login", auth=(user.name, PASSWORD))

    assert essence(answer)[:2] == (200, PLAIN)
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", answer.text, re.ASCII)


def test_a_login_that_accepts_json_is_told_when_the_token_expires(door: httpx.Client, user: User) -> None:
    answer = door.post("/login", auth=(user.name, PASSWORD), headers={"Accept": "application/json"})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"token", "expires_at"}
    claims = jwt.decode(body["token"], options={"verify_signature": False})
    assert datetime.fromisoformat(body["expires_at"]).timestamp() == claims["exp"]


def test_a_login_without_credentials_says_so(door: httpx.Client) -> None:
    answer = door.post("/login")

    assert essence(answer) == (401, PLAIN, "missing credentials")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("name", ["known", "nobody@example.com"])
def test_a_login_with_wrong_credentials_says_so(door: httpx.Client, user: User, name: str) -> None:
    answer = door.post("/login", auth=(user.name if name == "known" else name, "not the password"))

    assert essence(answer) == (401, PLAIN, "invalid credentials")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


# -- POST /validate, on auth ----------------------------------------------------------------------


def test_a_valid_token_is_answered_with_its_claims(auth: httpx.Client, user: User) -> None:
    answer = auth.post("/validate", headers={"Authorization": user.http.headers["Authorization"]})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    claims = answer.json()
    assert claims["username"] == user.name
    assert claims["admin"] is False
    assert claims["iat"] < claims["exp"]


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer not.a.token", "Basic bWU6cHc="])
def test_anything_else_is_not_authorized(auth: httpx.Client, header: str | None) -> None:
    answer = auth.post("/validate", headers={"Authorization": header} if header else {})

    assert essence(answer) == (403, PLAIN, "not authorized")


# -- POST /upload ---------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["file", "video", "anything at all"])
def test_an_upload_under_any_field_name_succeeds(user: User, field: str) -> None:
    answer = user.http.post("/upload", files={field: ("talk.mp4", CLIP.read_bytes(), "video/mp4")})

    assert essence(answer) == (200, PLAIN, "success!")
    job_id = answer.headers["X-Job-Id"]
    assert re.fullmatch("[0-9a-f]{32}", job_id)
    assert answer.headers["Location"] == f"/v1/jobs/{job_id}"


def test_an_upload_that_accepts_json_is_answered_with_the_job(user: User) -> None:
    files = {"file": ("talk.mp4", CLIP.read_bytes())}

    answer = user.http.post("/upload", files=files, headers={"Accept": "application/json"})

    assert answer.status_code == 202
    assert answer.headers["Content-Type"] == "application/json"
    job = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["source"]["filename"]) == ("queued", "talk.mp4")


@pytest.mark.parametrize("number", [0, 2, 3])
def test_an_upload_of_other_than_one_file_is_refused(user: User, number: int) -> None:
    files = [(f"file{n}", ("talk.mp4", b"x")) for n in range(number)]

    answer = user.http.post("/upload", files=files, data={"note": "a form without a file too"})

    assert essence(answer) == (400, PLAIN, "exactly 1 file required")


def test_an_empty_upload_is_refused(user: User) -> None:
    answer = user.http.post("/upload")

    assert essence(answer) == (400, PLAIN, "exactly 1 file required")


@pytest.mark.parametrize("header", [None, "Bearer not.a.token", "Basic bWU6cHc="])
@pytest.mark.parametrize("call", ["POST /upload", "GET /download?fid=x", "GET /v1/jobs/x"])
def test_without_a_good_token_nothing_is_done(anybody: httpx.Client, call: str, header: str | None) -> None:
    method, place = call.split()
    headers = {"Authorization": header} if header else {}

    answer = anybody.request(method, place, headers=headers)

    assert answer.status_code == 401
    if place.startswith("/v1/"):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"] == "not authorized"
    else:
        assert essence(answer) == (401, PLAIN, "not authorized")


def test_the_same_error_is_a_problem_where_json_is_accepted(user: User) -> None:
    answer = user.http.post("/upload", headers={"Accept": "application/json"})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"] == "exactly 1 file required"
    assert problem["hint"]
    assert problem["code"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]


# -- GET /download --------------------------------------------------------------------------------


def test_a_download_without_an_id_is_refused(user: User) -> None:
    assert essence(user.http.get("/download")) == (400, PLAIN, "fid is required")


def test_the_clip_becomes_a_stereo_mp3_as_long_as_its_sound(user: User) -> None:
    job_id = user.upload(CLIP, "Für Élise.mp4")
    user.outcome(job_id)

    answer = user.http.get("/download", params={"fid": job_id})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    plain, encoded = answer.headers["Content-Disposition"].split("; ")[1:]
    assert plain == 'filename="Fur Elise.mp3"'
    assert encoded == "filename*=UTF-8''F%C3%BCr%20%C3%89lise.mp3"
    mp3 = mutagen.mp3.MP3(io.BytesIO(answer.content))
    assert mp3.info.channels == 2
    assert mp3.info.length == pytest.approx(SOUND_SECONDS, abs=0.1)
    assert decoded_seconds(answer.content) == pytest.approx(SOUND_SECONDS, abs=0.1)


def decoded_seconds(mp3: bytes) -> float:
    """Decode an MP3, every frame of which must be good, to one channel of 16-bit samples at 8 kHz."""
    raw = ["-f", "s16le", "-ac", "1", "-ar", "8000", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-xerror", "-i", "-", *raw]
    done = subprocess.run(command, input=mp3, capture_output=True, check=True)
    assert done.stderr == b""
    return len(done.stdout) / 2 / 8000


def test_another_users_file_and_an_unknown_one_answer_the_same(user: User, stranger: User) -> None:
    job_id = user.upload(CLIP)
    user.outcome(job_id)

    theirs = stranger.http.get("/download", params={"fid": job_id})
    unknown = stranger.http.get("/download", params={"fid": "0" * 32})

    assert essence(theirs) == essence(unknown) == (404, PLAIN, "there is no such job")
    assert stranger.http.get(f"/v1/jobs/{job_id}").status_code == 404


# -- the queues -------------------------------------------------------------------------------------


def next_message(stack: Stack, queue: str) -> dict[str, Any]:
    """Look at the message that waits in a queue, and leave it there."""
    url = (stack.secrets / "rabbitmq_url").read_text().strip()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()

        def waiting() -> bytes | None:
            _, _, body = channel.basic_get(queue)
            return body

        message: dict[str, Any] = json.loads(wait_for(waiting))
        return message


def test_the_queue_video_names_the_job_and_its_owner(stack: Stack, user: User) -> None:
    stack.ask("stopProcess", "converter")
    try:
        job_id = user.upload(CLIP)
        message = next_message(stack, "video")
    finally:
        stack.ask("startProcess", "converter")

    assert message["video_fid"] == message["job_id"] == job_id
    assert message["mp3_fid"] is None
    assert message["username"] == user.name
    assert message["v"] == 1
    user.the_mail(job_id)


def test_the_queue_mp3_names_what_can_be_downloaded(stack: Stack, user: User) -> None:
    stack.ask("stopProcess", "notification")
    try:
        job_id = user.upload(CLIP)
        message = next_message(stack, "mp3")
        answer = user.http.get("/download", params={"fid": message["mp3_fid"]})
    finally:
        stack.ask("startProcess", "notification")

    assert message["video_fid"] == message["mp3_fid"] == job_id
    assert message["username"] == user.name
    assert answer.status_code == 200
    user.the_mail(job_id)


def test_a_message_of_the_original_three_keys_is_understood(stack: Stack, user: User) -> None:
    stack.ask("stopProcess", "converter")
    job_id = user.upload(CLIP)
    url = (stack.secrets / "rabbitmq_url").read_text().strip()
    original = {"video_fid": job_id, "mp3_fid": None, "username": user.name}
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_purge("video")
        channel.basic_publish("", "video", json.dumps(original).encode())

    stack.ask("startProcess", "converter")

    assert user.outcome(job_id)["state"] == "done"


# -- the mail and the stores ------------------------------------------------------------------------


def test_the_mail_says_which_file_is_ready(user: User) -> None:
    job_id = user.upload(CLIP)

    mail = user.the_mail(job_id)

    assert f"To: {user.name}\nSubject: MP3 Download\n" in mail
    assert f"mp3 file_id: {job_id} is now ready!" in mail


def test_any_gridfs_tool_can_read_what_is_stored(stack: Stack, user: User) -> None:
    job_id = user.upload(CLIP)
    user.outcome(job_id)
    url = (stack.secrets / "mongodb_url").read_text().strip()

    with pymongo.MongoClient[dict[str, Any]](url) as client:
        video = gridfs.GridFS(client["videos"]).get(job_id).read()
        job = client["jobs"]["jobs"].find_one({"_id": job_id})
        assert job is not None
        mp3 = gridfs.GridFS(client["mp3s"]).get(job["result"]["blob"]).read()

    assert video == CLIP.read_bytes()
    assert mp3 == user.http.get("/download", params={"fid": job_id}).content
