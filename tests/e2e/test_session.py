"""A browser at work with a cookie alone: log in, upload, follow, play, take along, log out."""

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest

from dev.program import answers
from tests.e2e.conftest import CLIP, PASSWORD, User, wait_for

LogIn = Callable[..., httpx.Client]


@pytest.fixture
def log_in(user: User) -> Iterator[LogIn]:
    """Logs browsers in as the user, who have nothing but their cookie from then on."""
    origin = user.stack.gateway_url
    with ExitStack() as until:

        def logged_in(agent: str = "a browser of the tests", password: str = PASSWORD) -> httpx.Client:
            headers = {"Origin": origin, "User-Agent": agent}
            client = until.enter_context(httpx.Client(base_url=origin, headers=headers, timeout=60))
            answer = client.post("/session", data={"username": user.name, "password": password})
            assert (answer.status_code, answer.headers["Location"]) == (303, "/")
            return client

        yield logged_in


@pytest.fixture
def browser(log_in: LogIn) -> httpx.Client:
    return log_in()


def is_logged_in(client: httpx.Client) -> bool:
    return client.get("/session").status_code == 200


class Followed(threading.Thread):
    """What the stream of all jobs tells, until it ends."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self.open = threading.Event()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.start()

    def run(self) -> None:
        kind = ""
        # The browser is closed at the end of a test, and its stream with it.
        with suppress(httpx.HTTPError), self._client.stream("GET", "/v1/events") as answer:
            for line in answer.iter_lines():
                self.open.set()
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                if name == "data":
                    self.told.append((kind, json.loads(value)))

    def states(self, job_id: str) -> list[str]:
        return [data["state"] for kind, data in self.told if kind == "job" and data["id"] == job_id]


def test_a_browser_gets_from_a_video_to_an_mp3_its_waveform_and_a_zip(browser: httpx.Client) -> None:
    followed = Followed(browser)
    assert followed.open.wait(30)

    uploaded = browser.post("/v1/jobs?name=talk.mp4", content=CLIP.read_bytes())
    job_id = uploaded.json()["jobs"][0]["id"]
    wait_for(lambda: followed.states(job_id)[-1:] == ["done"])

    job = browser.get(f"/v1/jobs/{job_id}").json()
    peaks = browser.get(job["links"]["peaks"]).json()["peaks"]
    archive = browser.get(f"/v1/jobs/archive?ids={job_id}").content
    mp3 = browser.get(job["links"]["mp3"]).content
    assert len(peaks) == 2000
    assert 0 < max(peaks) <= 255
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert opened.read("talk.mp3") == mp3
    browser.delete(f"/v1/jobs/{job_id}")
    wait_for(lambda: ("deleted", {"id": job_id}) in followed.told)


def test_devices_are_listed_and_ended_one_by_one_or_all_at_once(
    user: User, browser: httpx.Client, log_in: LogIn
) -> None:
    second, third = log_in("another"), log_in()
    mine = browser.get("/v1/me").json()["session"]
    listed = browser.get("/v1/me/sessions").json()["sessions"]
    theirs = second.get("/v1/me").json()["session"]

    ended = browser.delete(f"/v1/me/sessions/{theirs}")

    assert {session["id"] for session in listed} >= {mine, theirs}
    assert {session["agent"] for session in listed} == {"a browser of the tests", "another"}
    assert ended.status_code == 204
    wait_for(lambda: not is_logged_in(second), 30)
    assert is_logged_in(browser)
    assert is_logged_in(third)

    assert third.post("/v1/logout").status_code == 204
    for client in (browser, third):
        wait_for(lambda client=client: not is_logged_in(client), 30)  # type: ignore[misc]  # bound at once
    assert user.http.get("/v1/jobs").status_code == 401


def test_a_changed_password_ends_sessions_and_the_new_one_begins_another(
    user: User, browser: httpx.Client, log_in: LogIn
) -> None:
    changed = user.http.put(
        "/v1/me/password", auth=(user.name, PASSWORD), json={"password": "another password of mine"}
    )

    assert changed.status_code == 204
    wait_for(lambda: not is_logged_in(browser), 30)
    assert is_logged_in(log_in(password="another password of mine"))


def test_a_disabled_user_is_logged_out_and_the_stream_ends(user: User, browser: httpx.Client) -> None:
    followed = Followed(browser)
    assert followed.open.wait(30)

    user.stack.users("disable", user.name)

    wait_for(lambda: not is_logged_in(browser), 30)
    wait_for(lambda: not followed.is_alive(), 60)


def test_a_session_outlives_auths_restart(user: User, browser: httpx.Client) -> None:
    user.stack.ask("stopProcess", "auth")
    user.stack.ask("startProcess", "auth")
    wait_for(lambda: answers(user.stack.port("auth"), b"GET / HTTP/1.0\r\n\r\n"))

    assert wait_for(lambda: is_logged_in(browser), 90)
