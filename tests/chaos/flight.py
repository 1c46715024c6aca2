"""One upload, one conversion and one mail in their middle, all at the same time."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from tests.chaos.toxics import Latency
from tests.chaos.wired import WiredStack
from tests.e2e.conftest import CLIP, User, ffmpeg, wait_for

PATIENCE = 120.0
BOUNDARY = "in-the-middle"
SLOW_MAIL = Latency(1.5)
"""Makes one mail take some ten seconds: every answer of the server is late."""


@dataclass
class Uploading:
    """An upload that stops in its middle until it is told to go on."""

    user: User
    video: bytes
    _goes_on: threading.Event = field(default_factory=threading.Event)
    _half_sent: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> Self:
        """Return when half of it is sent."""
        pool = ThreadPoolExecutor(1)
        self._answer: Future[httpx.Response] = pool.submit(self._send)
        pool.shutdown(wait=False)
        assert self._half_sent.wait(PATIENCE)
        return self

    def go_on(self) -> None:
        """Send the rest."""
        self._went_on = time.monotonic()
        self._goes_on.set()

    def answer(self) -> httpx.Response:
        """Return the answer once it has come."""
        return self._answer.result(PATIENCE)

    @property
    def waited(self) -> float:
        """Seconds from going on to the answer."""
        return self._answered - self._went_on

    def _send(self) -> httpx.Response:
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        answer = self.user.http.post("/upload", content=self._pieces(), headers=headers)
        self._answered = time.monotonic()
        return answer

    def _pieces(self) -> Iterator[bytes]:
        name = 'Content-Disposition: form-data; name="file"; filename="talk.wav"'
        half = len(self.video) // 2
        yield f"--{BOUNDARY}\r\n{name}\r\n\r\n".encode() + self.video[:half]
        self._half_sent.set()
        assert self._goes_on.wait(PATIENCE)
        yield self.video[half:] + f"\r\n--{BOUNDARY}--\r\n".encode()


@dataclass
class Media:
    """Videos made for it."""

    folder: Path

    def __post_init__(self) -> None:
        self.long, self.wav = self.folder / "long.mkv", self.folder / "noise.wav"
        ffmpeg("-f", "lavfi", "-i", "sine=duration=2400", "-c:a", "flac", str(self.long))
        ffmpeg("-f", "lavfi", "-i", "anoisesrc=duration=30", str(self.wav))


@dataclass
class Flight:
    """What is under way: two uploads, sent by half, and two accepted jobs."""

    first: Uploading
    second: Uploading
    accepted: list[str]


@contextmanager
def in_flight(stack: WiredStack, user: User, media: Media) -> Iterator[Flight]:
    """Begin the block when uploads, a conversion and a mail are all in their middle."""
    with stack.wires["mail"].on(SLOW_MAIL, "down"):
        short = user.upload(CLIP)
        user.outcome(short)
        wait_for(lambda: user.job(short)["notice"]["state"] == "sending")
        long = user.upload(media.long)
        first, second = (Uploading(user, media.wav.read_bytes()).begin() for _ in range(2))
        wait_for(lambda: user.job(long)["progress"] > 0)
        yield Flight(first, second, [short, long])
