"""Clients of a suite, run where it can be reached: `python client.py URL USER PASSWORD JOBS EVERY LOOKS`.

Every `EVERY` seconds a client begins: it uploads a video, looks at the job `LOOKS` times a second until
it is over, and downloads the MP3.  At the end what happened is printed as one line of JSON.
Knows the standard library and httpx alone.
"""

import hashlib
import json
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

VIDEO = Path("/tmp/video.mp4").read_bytes()
OVER = ("done", "failed", "canceled")
RETRIES = 5
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Given with each request: else httpx makes one for it, at a greater cost than that of the answer."""


@dataclass
class Happened:
    """What the clients saw."""

    jobs: dict[str, str] = field(default_factory=dict)
    """The state of each accepted job."""
    sha256: dict[str, str] = field(default_factory=dict)
    retried: int = 0
    """Requests that went well at the second try."""
    retried_more: int = 0
    """Requests that needed more."""
    errors: list[str] = field(default_factory=list)


class Client:
    """One user's program, which tries again what did not get through."""

    def __init__(self, url: str, user: tuple[str, str], looks: float, happened: Happened) -> None:
        self._url = url
        self._user = user
        self._pause = 1 / looks
        self._happened = happened
        self._token = ""

    def log_in(self) -> None:
        """Get a token."""
        self._token = self.ask("POST", "/login", auth=self._user).text

    def upload(self) -> str:
        """Upload the video and return the job's id."""
        headers = {"Idempotency-Key": uuid4().hex}
        answer = self.ask("POST", "/upload", files={"file": ("talk.mp4", VIDEO)}, headers=headers)
        return str(answer.headers["X-Job-Id"])

    def outcome(self, job_id: str, deadline: float) -> str:
        """Follow a job to its end and return its last state."""
        while True:
            state = str(self.ask("GET", f"/v1/jobs/{job_id}").json()["state"])
            if state in OVER or time.monotonic() > deadline:
                return state
            time.sleep(self._pause)

    def mp3(self, job_id: str) -> str:
        """Download a job's MP3 and return its sha256."""
        return hashlib.sha256(self.ask("GET", "/download", params={"fid": job_id}).content).hexdigest()

    def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Ask once, and again after a connection that broke or a 5xx."""
        headers = arguments.pop("headers", {})
        if self._token:
            headers = {**headers, "Authorization": f"Bearer {self._token}"}
        for tries in range(RETRIES):
            try:
                url = f"{self._url}{path}"
                answer = httpx.request(method, url, headers=headers, timeout=60, verify=NO_TLS, **arguments)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    answer.raise_for_status()
                    self._happened.retried += tries == 1
                    self._happened.retried_more += tries > 1
                    return answer
                reason = f"{answer.status_code} {answer.text[:80]}"
            self._happened.errors.append(f"{method} {path[:10]}: {reason}")
            time.sleep(1)
        raise RuntimeError(f"{method} {path} never got through")


def main() -> None:
    """Start a job every so often, each on a thread that follows it."""
    url, user, password, jobs, every, looks = sys.argv[1:]
    happened = Happened()
    deadline = time.monotonic() + 1800

    def one() -> None:
        client = Client(url, (user, password), float(looks), happened)
        client.log_in()
        job_id = client.upload()
        happened.jobs[job_id] = "accepted"
        happened.jobs[job_id] = client.outcome(job_id, deadline)
        if happened.jobs[job_id] == "done":
            happened.sha256[job_id] = client.mp3(job_id)

    threads = [threading.Thread(target=one) for _ in range(int(jobs))]
    for thread in threads:
        thread.start()
        time.sleep(float(every))
    for thread in threads:
        thread.join()
    print(json.dumps(vars(happened)))  # noqa: T201 - the result


if __name__ == "__main__":
    main()
