"""Clients that upload good and bad videos and write down what they were told."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.receiver import callback_path, endpoint_path
from tests.chaos.suite import ChaosStack
from tests.e2e.conftest import PASSWORD, User, ffmpeg

CLIENTS = 8
USERS = 4
PAUSE_SECONDS = 1.0
"""Before a request is sent again."""
AGAIN = {409, 429, *range(500, 600)}
"""Answers after which a client sends the same request again, once."""
GOOD, BAD = ("short", "talk", "lecture"), ("silent", "text", "cut")
WEIGHTS = (5, 4, 3, 1, 1, 1)


@dataclass
class Attempt:
    """One upload as its client saw it."""

    filename: str
    kind: str
    owner: str
    callback: bool
    """Whether it asks to be called back, besides its owner's webhook."""
    job_id: str | None = None
    """What the client was told; `None` if it never got to know."""
    said: list[str] = field(default_factory=list)
    """Each answer, or what came instead of one."""

    @property
    def good(self) -> bool:
        """Whether there is an MP3 to be made of it."""
        return self.kind in GOOD

    @property
    def paths(self) -> list[str]:
        """Where the receiver is to be told of its outcome."""
        callback = [callback_path(self.owner, self.filename)] if self.callback else []
        return [endpoint_path(self.owner), *callback]

    def as_document(self) -> dict[str, Any]:
        """Return what the ledger keeps of it."""
        return asdict(self)


class Load:
    """Uploads what chance, by its seed, wants uploaded; never more than one retry each."""

    def __init__(self, stack: ChaosStack, media: Mapping[str, bytes], seed: int) -> None:
        self._stack, self._media = stack, media
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._users = [stack.user(f"chaos{uuid4().hex[:8]}@example.com") for _ in range(USERS)]
        for user in self._users:
            self._add_webhook(user)
        self._pool = ThreadPoolExecutor(CLIENTS, "client")
        self._counting = threading.Lock()
        self._sending: list[Future[None]] = []
        self.attempts: list[Attempt] = []
        self.logins = 0
        self.logins_refused = 0

    @property
    def owners(self) -> list[str]:
        """Who uploads."""
        return [user.name for user in self._users]

    def upload(self, count: int = 1, kind: str | None = None, door: str = "") -> None:
        """Begin some uploads, of `kind` or of any; the first request of each goes to `door`."""
        for _ in range(count):
            with self._counting:
                number = len(self.attempts)
                user = self._users[number % USERS]
                [what] = [kind] if kind else self._chance.choices((*GOOD, *BAD), WEIGHTS)
                name, callback = f"video-{number:05}.mp4", number // USERS % 2 == 0
                attempt = Attempt(name, what, user.name, callback)
                self.attempts.append(attempt)
            self._sending.append(self._pool.submit(self._send, user, attempt, door))

    def log_in(self) -> None:
        """Begin to log in."""
        self.do(partial(self._log_in, self._users[0]))

    def do(self, act: Callable[[], None]) -> None:
        """Begin to do something else."""
        self._sending.append(self._pool.submit(act))

    def wait(self) -> None:
        """Return when every client has an answer, or knows that it gets none."""
        for sending in self._sending:
            sending.result()

    def close(self) -> None:
        """End the clients."""
        self._pool.shutdown()
        for user in self._users:
            user.http.close()

    def _add_webhook(self, user: User) -> None:
        """Have all of a user's outcomes told to the receiver; callbacks have one secret together."""
        receiver, path = self._stack.receiver, endpoint_path(user.name)
        added = user.http.post("/v1/webhooks", json={"url": receiver.url(path)}).raise_for_status()
        receiver.trust(path, added.json()["secret"])
        rotated = user.http.post("/v1/webhooks/callbacks/rotate").raise_for_status()
        receiver.trust(callback_path(user.name), rotated.json()["secret"])

    def _send(self, user: User, attempt: Attempt, door: str) -> None:
        headers = {"Idempotency-Key": uuid4().hex}
        files = {"file": (attempt.filename, self._media[attempt.kind])}
        callback = self._stack.receiver.url(callback_path(user.name, attempt.filename))
        options = {"callback_url": callback} if attempt.callback else {}

        def send(to: str) -> httpx.Response:
            return user.http.post(f"{to}/upload", files=files, params=options, headers=headers)

        answer = self._ask(attempt.said, partial(send, door), partial(send, ""))
        if answer is not None and answer.is_success:
            attempt.job_id = answer.headers["X-Job-Id"]

    def _log_in(self, user: User) -> None:
        answer = self._ask([], *[lambda: user.http.post("/login", auth=(user.name, PASSWORD))] * 2)
        self.logins += 1
        self.logins_refused += answer is None or not answer.is_success

    def _ask(self, said: list[str], *ways: Callable[[], httpx.Response]) -> httpx.Response | None:
        for tries, send in enumerate(ways):
            if tries:
                time.sleep(PAUSE_SECONDS)
            try:
                answer = send()
            except httpx.TransportError as error:
                said.append(type(error).__name__)
                continue
            said.append(
                f"{answer.status_code}" if answer.is_success else f"{answer.status_code} {answer.text}"
            )
            if answer.status_code not in AGAIN:
                return answer
        return None


def videos(folder: Path) -> dict[str, bytes]:
    """Make a video of each kind; a short one takes a moment to convert, a lecture a second."""
    seconds = {"short": 3, "talk": 60, "lecture": 300}
    for kind, length in seconds.items():
        sound = ["-f", "lavfi", "-i", f"sine=duration={length}", "-c:a", "flac", "-f", "matroska"]
        ffmpeg(*sound, str(folder / kind))
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=1", "-c:v", "mpeg4", "-f", "mp4", str(folder / "silent"))
    (folder / "text").write_text("These are the minutes of the last meeting.\n" * 40)
    (folder / "cut").write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(4000))
    return {kind: (folder / kind).read_bytes() for kind in (*GOOD, *BAD)}
