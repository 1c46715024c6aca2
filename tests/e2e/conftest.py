"""The whole suite as it runs natively: every process, under its supervisor, on ports of its own."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx
import imageio_ffmpeg
import pytest

from dev.stack import RANGE, Stack
from tests.fuzz.run import SETTINGS
from tests.leaks import handed_out
from tests.watched import watched_client

CLIP = Path("tests/media/big_buck_bunny_5s.mp4").resolve()
PASSWORD = "a password of the tests"
SECONDS = 60.0
"""How long a test waits for a fact."""
PATIENT_SECONDS = 180.0
"""The same where a lease must end first: 60 s, and 30 s for clocks that differ."""
OVER = ("done", "failed", "canceled")

T = TypeVar("T")

FIRST_PORT = 18_000
"""Theirs are up to 26,000: below those that the system lends to clients."""


def wait_for(fact: Callable[[], T | None], seconds: float = SECONDS) -> T:
    """Return the fact once it is there."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


@dataclass(frozen=True, slots=True)
class User:
    """A user who is logged in."""

    name: str
    stack: Stack
    http: httpx.Client

    def upload(self, video: Path | bytes, name: str = "talk.mp4") -> str:
        """Upload a video and return the id of its job."""
        content = video if isinstance(video, bytes) else video.read_bytes()
        answer = self.http.post("/upload", files={"file": (name, content)})
        assert answer.text == "success!"
        return answer.headers["X-Job-Id"]

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.http.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        return job

    def outcome(self, job_id: str, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait until a job is over, and return it."""
        return wait_for(lambda: job if (job := self.job(job_id))["state"] in OVER else None, seconds)

    def mails(self, job_id: str) -> list[str]:
        return [mail for mail in self.stack.mails(self.name) if job_id in mail]

    def the_mail(self, job_id: str) -> str:
        """Wait for the mail about a job, and return it; there is one only."""
        wait_for(lambda: self.mails(job_id))
        wait_for(lambda: self.job(job_id)["notice"]["state"] == "sent")
        [mail] = self.mails(job_id)
        return mail


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The suite; processes of ours that a test run measures are measured too."""
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    stack = Stack(
        tmp_path_factory.mktemp("e2e") / "stack", {"RECONCILE_EVERY": "PT1S", **SETTINGS, **measured}
    )
    stack.old_logs = 100  # all of them are searched
    stack.up(FIRST_PORT + os.getpid() % 400 * RANGE)
    handed_out.add_files(stack.secrets)
    handed_out.add("the users' password", PASSWORD)
    yield stack
    stack.down()


_numbers = count()


@pytest.fixture
def new_user(stack: Stack) -> Iterator[Callable[..., User]]:
    """Make users who are logged in, `--admin` administrators."""
    clients = []

    def make(*flags: str) -> User:
        name = f"user{next(_numbers)}@example.com"
        stack.users("add", name, *flags, password=PASSWORD)
        client = watched_client(base_url=stack.gateway_url, timeout=60)
        clients.append(client)
        token = client.post("/login", auth=(name, PASSWORD)).raise_for_status().text
        client.headers["Authorization"] = f"Bearer {token}"
        return User(name, stack, client)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def user(new_user: Callable[..., User]) -> User:
    return new_user()


@pytest.fixture
def stranger(new_user: Callable[..., User]) -> User:
    """Another user."""
    return new_user()


def ffmpeg(*arguments: str) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)


@pytest.fixture(scope="session")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of a tone: some seconds of work."""
    video = tmp_path_factory.mktemp("media") / "long.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=3600", "-c:a", "flac", str(video))
    return video


@pytest.fixture(scope="session")
def silent_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video without a sound track."""
    video = tmp_path_factory.mktemp("media") / "silent.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=1", "-c:v", "mpeg4", str(video))
    return video
