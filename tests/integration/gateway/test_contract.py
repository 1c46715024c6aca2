"""The original contract of the gateway, byte for byte."""

import os

import httpx
import pytest

from tests.integration.gateway.conftest import Gateway, Stores

VIDEO = ("talk.mp4", b"a video", "video/mp4")
UNKNOWN = "0" * 32
OWN = ("date", "ratelimit-remaining", "ratelimit-reset")


def test_a_login_passes_the_credentials_on_and_returns_the_token_as_text(gateway: Gateway) -> None:
    answer = httpx.post(f"{gateway.url}/login", auth=("me@example.com", "right"))

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert answer.text.count(".") == 2
    assert (
        httpx.get(
            f"{gateway.url}/v1/jobs/{UNKNOWN}", headers={"Authorization": f"Bearer {answer.text}"}
        ).json()["code"]
        == "no_such_job"
    )


def test_a_refused_login_is_answered_as_auth_answers_it(gateway: Gateway) -> None:
    answer = httpx.post(f"{gateway.url}/login", auth=("me@example.com", "wrong"))

    assert (answer.status_code, answer.text) == (401, "invalid credentials")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="login"'


def test_a_login_forwards_the_scope_and_the_wish_for_json(gateway: Gateway) -> None:
    httpx.post(
        f"{gateway.url}/login",
        auth=("me@example.com", "right"),
        data={"scope": "jobs:read"},
        headers={"Accept": "application/json", "X-Request-Id": "r-7"},
    )

    asked = gateway.auth.asked[-1]
    assert (asked["path"], asked["body"]) == ("/login", b"scope=jobs%3Aread")
    assert asked["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked["headers"]["Accept"] == "application/json"
    assert asked["headers"]["X-Request-Id"] == "r-7"
    assert asked["headers"]["X-Forwarded-For"] == "127.0.0.1"


def test_an_upload_answers_success_and_says_where_the_job_is(me: httpx.Client, stores: Stores) -> None:
    answer = me.post("/upload", files={"any name": VIDEO})

    job_id = answer.headers["X-Job-Id"]
    assert (answer.status_code, answer.text) == (200, "success!")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Location"] == f"/v1/jobs/{job_id}"
    assert b"".join(stores.videos.read(stores.videos.find(job_id))) == b"a video"


def test_an_upload_that_accepts_json_gets_the_job(me: httpx.Client) -> None:
    answer = me.post("/upload", files={"file": VIDEO}, headers={"Accept": "application/json"})

    job = answer.json()
    assert (answer.status_code, job["id"], job["state"]) == (202, answer.headers["X-Job-Id"], "queued")
    assert job["source"]["filename"] == "talk.mp4"


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"field": "value"}},
        {"files": [("file", VIDEO), ("file", VIDEO)]},
        {"files": [("a", VIDEO), ("b", VIDEO)]},
        {"content": b"raw bytes"},
        {"content": b"raw bytes", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"files": [("empty", ("", b""))]},
        {"content": b""},
    ],
    ids=["a field", "two files", "two names", "raw", "urlencoded", "an empty file field", "nothing"],
)
def test_an_upload_of_any_other_number_of_files_is_refused_and_leaves_nothing(
    me: httpx.Client, stores: Stores, body: dict[str, object]
) -> None:
    answer = me.post("/upload", **body)  # type: ignore[arg-type]  # each is a set of httpx's own arguments

    assert (answer.status_code, answer.text) == (400, "exactly 1 file required")
    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_an_empty_file_is_a_file(me: httpx.Client, stores: Stores) -> None:
    answer = me.post("/upload", files={"file": ("empty.mp4", b"")})

    assert answer.text == "success!"
    assert stores.videos.find(answer.headers["X-Job-Id"]).size == 0


@pytest.mark.parametrize("path", ["/upload", "/download?fid=x"])
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer x", "Bearer x.y.z", "Token x", "Bearer " + "x" * 5000, "Bearer \xe9"],
)
def test_without_a_good_token_nobody_is_authorized(gateway: Gateway, path: str, header: str | None) -> None:
    method = "POST" if path == "/upload" else "GET"
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}

    answer = httpx.request(method, gateway.url + path, headers=headers)

    assert (answer.status_code, answer.text) == (401, "not authorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_mp3_comes_as_a_file_named_after_the_video(me: httpx.Client, stores: Stores) -> None:
    mp3 = os.urandom(3_000_000)
    job = stores.done("me@example.com", mp3, "Übung 1.mp4")

    answer = me.get("/download", params={"fid": job.id})

    assert (answer.status_code, answer.content) == (200, mp3)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"Ubung 1.mp3\"; filename*=UTF-8''%C3%9Cbung%201.mp3"
    )


@pytest.mark.parametrize("query", ["", "?fid="])
def test_a_download_without_an_id_is_refused(me: httpx.Client, query: str) -> None:
    answer = me.get(f"/download{query}")

    assert (answer.status_code, answer.text) == (400, "fid is required")


def test_anothers_id_answers_exactly_as_an_unknown_one(
    me: httpx.Client, other: httpx.Client, stores: Stores
) -> None:
    job = stores.done("me@example.com", b"mp3")

    for path in ("/download?fid={}", "/v1/jobs/{}"):
        anothers, unknown = (
            other.get(path.format(job_id), headers={"X-Request-Id": "r"}) for job_id in (job.id, UNKNOWN)
        )
        mine = me.get(path.format(job.id))
        assert (anothers.status_code, mine.status_code) == (404, 200)
        assert anothers.content == unknown.content
        assert told(anothers) == told(unknown)


def told(answer: httpx.Response) -> dict[str, str]:
    """Return the headers without those that differ between any two answers."""
    return {name: value for name, value in answer.headers.items() if name not in OWN}


def test_a_job_without_mp3_says_so(me: httpx.Client) -> None:
    job_id = me.post("/upload", files={"file": VIDEO}).headers["X-Job-Id"]

    answer = me.get("/download", params={"fid": job_id})

    assert (answer.status_code, answer.text) == (409, "there is no MP3 to download: the job is queued")


def test_an_error_is_a_problem_for_who_accepts_json(me: httpx.Client) -> None:
    answer = me.post("/upload", headers={"Accept": "application/json", "X-Request-Id": "mine-1"})

    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (problem["status"], problem["code"]) == (400, "exactly_one_file")
    assert problem["request_id"] == answer.headers["X-Request-Id"] == "mine-1"
    assert problem["detail"] == "exactly 1 file required"
    assert "curl -F" in problem["hint"]
