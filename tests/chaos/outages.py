"""Take each server away in mid-everything and print what came of it: `python -m tests.chaos.outages SECONDS`.

Uploads, a conversion and a mail are in their middle, and clients go on asking.  Ways to be away may be
named after the seconds: down, silent, stopped.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.flight import Flight, Media, in_flight
from tests.chaos.toxics import Down, Timeout
from tests.chaos.wired import SERVERS, WiredStack
from tests.e2e.conftest import CLIP, PASSWORD, User, wait_for

RECOVERY_SECONDS = 90.0
HANG_SECONDS = 30.0
"""Who waits longer for an answer would call it none."""
PAUSE = 0.5


@dataclass
class Seen:
    """What clients saw, and what was found afterwards."""

    answers: Counter[str] = field(default_factory=Counter)
    """How often each request was answered in which way."""
    unclear: list[str] = field(default_factory=list)
    """Answers that are neither a success nor a refusal that says what to do."""
    slowest: float = 0.0
    accepted: list[str] = field(default_factory=list)
    taken_again: float = 0.0
    """Seconds from the end of the outage to the first accepted upload."""
    recovered: float = 0.0
    """Seconds from the end of the outage until every accepted job was over and its mail sent."""
    books: Mapping[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, answer: httpx.Response, waited: float | None = None) -> None:
        """Count one answer, and how long it was waited for if that is not since the request began."""
        seconds = answer.elapsed.total_seconds() if waited is None else waited
        self.slowest = max(self.slowest, seconds)
        self.answers[f"{what} {answer.status_code}"] += 1
        refused = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        clear = refused and "Retry-After" in answer.headers and "right now" in answer.text
        if not (answer.is_success or clear) or seconds > HANG_SECONDS:
            self.unclear.append(f"{what}: {answer.status_code} after {seconds:.1f} s: {answer.text[:200]}")
        if what.startswith("upload") and answer.is_success:
            self.accepted.append(answer.headers["X-Job-Id"])


Outage = Callable[[WiredStack, str], AbstractContextManager[Any]]


@contextmanager
def down(stack: WiredStack, server: str) -> Iterator[None]:
    """Connections are reset and refused."""
    with stack.wires[server].on(Down()):
        yield


@contextmanager
def silent(stack: WiredStack, server: str) -> Iterator[None]:
    """Connections stand, and nothing comes through."""
    with stack.wires[server].on(Timeout()):
        yield


@contextmanager
def stopped(stack: WiredStack, server: str) -> Iterator[None]:
    """The server ends, and is started again."""
    stack.ask("stopProcess", server)
    try:
        yield
    finally:
        stack.ask("startProcess", server, False)  # noqa: FBT003 - an interface by position: do not wait


OUTAGES: Mapping[str, Outage] = {"down": down, "silent": silent, "stopped": stopped}


def suffer(stack: WiredStack, media: Media, server: str, outage: Outage, seconds: float) -> Seen:
    """Have an outage in mid-everything, and return what was seen when all is well again."""
    seen = Seen()
    with stack.some_user() as user:
        with in_flight(stack, user, media) as flight:
            seen.accepted += flight.accepted
            with outage(stack, server):
                _knock(seen, user, flight, seconds)
            ended = time.monotonic()
        flight.second.go_on()
        seen.note("upload into it", flight.first.answer(), flight.first.waited)
        seen.note("upload across it", flight.second.answer(), flight.second.waited)
        _recover(seen, user, ended)
        seen.books = stack.books(user, seen.accepted)
    return seen


def _knock(seen: Seen, user: User, flight: Flight, seconds: float) -> None:
    """Ask for everything a client asks for, until the time is over."""
    deadline = time.monotonic() + seconds
    flight.first.go_on()
    while time.monotonic() < deadline:
        seen.note("upload", _upload(user))
        seen.note("login", user.http.post("/login", auth=(user.name, PASSWORD)))
        seen.note("look", user.http.get(f"/v1/jobs/{flight.accepted[0]}"))
        time.sleep(PAUSE)


def _recover(seen: Seen, user: User, ended: float) -> None:
    while not (answer := _upload(user)).is_success:
        seen.note("upload", answer)
        assert time.monotonic() < ended + RECOVERY_SECONDS, answer.text
        time.sleep(PAUSE)
    seen.note("upload", answer)
    seen.taken_again = time.monotonic() - ended
    wait_for(lambda: all(_is_told(user, job_id) for job_id in seen.accepted), RECOVERY_SECONDS)
    seen.recovered = time.monotonic() - ended


def _upload(user: User) -> httpx.Response:
    return user.http.post("/upload", files={"file": ("talk.mp4", CLIP.read_bytes())})


def _is_told(user: User, job_id: str) -> bool:
    notice = user.job(job_id)["notice"]
    return notice is not None and notice["state"] == "sent"


def main() -> int:
    """Print a row for each outage; return 1 if a promise was broken."""
    kept = True
    seconds, *named = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        stack = WiredStack(Path(folder) / "stack")
        stack.up()
        try:
            media = Media(Path(folder))
            print("| away | how | what a user sees | slowest answer | taken again after | all told after |")  # noqa: T201
            print("|---|---|---|---|---|---|")  # noqa: T201 - the table is the result
            for server in SERVERS:
                for name in named or OUTAGES:
                    seen = suffer(stack, media, server, OUTAGES[name], float(seconds))
                    kept &= not seen.unclear and not any(seen.books.values())
                    print(row(server, name, seen), flush=True)  # noqa: T201
        finally:
            stack.down()
    return 0 if kept else 1


def row(server: str, name: str, seen: Seen) -> str:
    """Return what was seen as a line of the table."""
    wrong = {what: found for what, found in seen.books.items() if found}
    answers = ", ".join(f"{what}: {number}" for what, number in sorted(seen.answers.items()))
    times = f"{seen.slowest:.1f} s | {seen.taken_again:.1f} s | {seen.recovered:.1f} s"
    trouble = f" **{seen.unclear} {wrong}**" if seen.unclear or wrong else ""
    return f"| {server} | {name} | {answers}{trouble} | {times} |"


if __name__ == "__main__":
    sys.exit(main())
