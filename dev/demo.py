"""Convert one video through the suite's door, showing each step as the command a user would type."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
from shlex import quote
from typing import Any, Protocol, TypeVar

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import wrap_file as with_progress

from dev.errors import CannotRun
from dev.secret_files import keep

USER = "demo@example.com"
CLIP = Path(__file__).resolve().parent.parent / "tests" / "media" / "big_buck_bunny_5s.mp4"
OUTPUT = Path("demo")
MAIL_SECONDS = 60.0
QUEUED_SECONDS = 30.0
"""After which a job that nobody begins is worth a word."""
AFTERWARDS = """\
The suite is still running.  Next steps:
  make demo FILE=talk.mp4   convert your own video
  make status               show what runs, and where
  make logs                 follow the logs
  make down                 stop it; make clean removes every trace"""
OVER = ("done", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Words:
    """The commands that the demo names: for when it is over, and for when something does not come."""

    afterwards: str = AFTERWARDS
    doctor: str = "make doctor"
    logs: str = "make logs"


T = TypeVar("T")


class Suite(Protocol):
    """A suite that is up, however it was started."""

    @property
    def gateway_url(self) -> str:
        """Where the gateway is reached."""

    @property
    def secrets(self) -> Path:
        """The folder of what was made up for this suite."""

    def users(self, *arguments: str, password: str = "") -> None:
        """Run auth's operators' tool, with a password on its standard input."""

    def mails(self, to: str) -> list[str]:
        """Return the text of each mail to one address, the oldest first."""


class Demo:
    """One run of the demo, on a terminal or into a log."""

    def __init__(self, suite: Suite, console: Console | None = None, words: Words | None = None) -> None:
        self._suite = suite
        self._words = words or Words()
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._password = keep(suite.secrets / "demo_password", token_urlsafe(9))
        self._http = httpx.Client(base_url=suite.gateway_url, timeout=httpx.Timeout(60, read=600))

    def run(self, video: Path) -> None:
        """Upload `video`, wait for its MP3 and the mail, and download it to `demo/`.

        Raises:
            CannotRun: the video ended as a failure, or a step did not work.
        """
        if not (video.is_file() and os.access(video, os.R_OK)):
            raise CannotRun(f"there is no readable file {video}: choose a video with make demo FILE=talk.mp4")
        OUTPUT.mkdir(exist_ok=True)
        if not os.access(OUTPUT, os.W_OK):
            raise CannotRun(f"{OUTPUT.resolve()}, where the MP3 is saved, is not writable")
        try:
            with self._http:
                self._run(video)
        except httpx.HTTPError as error:
            raise CannotRun(f"the connection to the gateway failed ({error}); make logs shows why") from error

    def _run(self, video: Path) -> None:
        self._http.headers["Authorization"] = f"Bearer {self._log_in()}"
        job = self._follow(self._upload(video))
        mail = self._wait(lambda: self._mail(job["id"]), "the mail")
        self._console.rule("the mail that arrived")
        self._console.print(escape(mail.rstrip()))
        self._console.rule()
        if job["state"] != "done":
            raise CannotRun(f"there is no MP3: {job['error']['message']} {job['error']['hint']}")
        mp3 = self._download(job)
        self._say_goodbye(mp3, job["result"]["duration"])

    def _log_in(self) -> str:
        self._step("Log in", f"TOKEN=$(curl -fsS -X POST -u {USER}:{self._password} {self._url('/login')})")
        answer = self._http.post("/login", auth=(USER, self._password))
        if answer.status_code == HTTPStatus.UNAUTHORIZED:  # the first run: the user does not exist
            self._suite.users("add", USER, password=self._password)
            answer = self._http.post("/login", auth=(USER, self._password))
        return _good(answer).text

    def _upload(self, video: Path) -> str:
        self._step("Upload", self._curl("/upload", f"-F {quote(f'file=@{video}')}"))
        with (
            video.open("rb") as file,
            with_progress(file, video.stat().st_size, description="uploading", console=self._console) as body,
        ):
            answer = _good(self._http.post("/upload", files={"file": (video.name, body)}))
        self._console.print(f"{escape(answer.text)}  [dim]Location: {answer.headers['Location']}[/]")
        return str(answer.headers["Location"])

    def _follow(self, place: str) -> dict[str, Any]:
        self._step("Follow", self._curl(place))
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("queued", total=1.0)
            hint_at = time.monotonic() + QUEUED_SECONDS
            while True:
                job: dict[str, Any] = _good(self._http.get(place)).json()
                over = job["state"] in OVER
                now = job["state"] if over else job["phase"] or job["state"]
                progress.update(task, completed=1.0 if over else job["progress"], description=now)
                if over:
                    return job
                if now == "queued" and time.monotonic() > hint_at:
                    hint_at = float("inf")
                    self._console.print(
                        f"No converter has started on it yet; to see why: {self._words.doctor}"
                    )
                time.sleep(0.1)

    def _mail(self, job_id: str) -> str | None:
        return next((mail for mail in self._suite.mails(USER) if job_id in mail), None)

    def _download(self, job: dict[str, Any]) -> Path:
        place = f"/download?fid={job['id']}"
        mp3 = OUTPUT / f"{Path(job['source']['filename']).stem}.mp3"
        self._step("Download", self._curl(place, f"-fo {quote(str(mp3))}"))
        with self._http.stream("GET", place) as answer, mp3.open("wb") as file:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                file.write(piece)
        return mp3

    def _say_goodbye(self, mp3: Path, duration: float) -> None:
        self._console.print(
            f"\n[bold green]{escape(str(mp3))}[/]  {mp3.stat().st_size:,} bytes, {duration:.2f} s"
        )
        self._console.print(f"\n{self._words.afterwards}")

    def _wait(self, fact: Callable[[], T | None], name: str) -> T:
        deadline = time.monotonic() + MAIL_SECONDS
        while (found := fact()) is None:
            if time.monotonic() > deadline:
                raise CannotRun(f"{name} did not arrive within {MAIL_SECONDS:g} s; why: {self._words.logs}")
            time.sleep(0.05)
        return found

    def _step(self, name: str, command: str) -> None:
        self._console.print(f"\n[bold]{name}[/]\n[cyan]$ {escape(command)}[/]")

    def _curl(self, place: str, *options: str) -> str:
        return " ".join(["curl", *options, '-H "Authorization: Bearer $TOKEN"', quote(self._url(place))])

    def _url(self, place: str) -> str:
        return f"{self._suite.gateway_url}{place}"


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise CannotRun(
            f"{answer.request.method} {answer.url.path} → {answer.status_code} {answer.text.strip()}"
        )
    return answer
