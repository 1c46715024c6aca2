"""What a stranger may send, and the outcome that each file must have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CONVERTED = "converted"
"""The outcome that is no error: an MP3 of the sound that is really in the file."""
PARTIAL = "partial"
"""An MP3 of less than the file promised, which says so."""


@dataclass(frozen=True, slots=True)
class Bait:
    """What a trap may point at."""

    secret: Path
    """A file of the server, an MPEG-TS: readable, and nobody's business."""
    url: str
    """Of the canary: `http://host:port`."""

    @property
    def port(self) -> str:
        """Of the canary."""
        return self.url.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file: its name, what is in it, and what must come of it."""

    name: str
    make: Callable[[Bait, Path], bytes]
    """Return the content; the folder is for what it needs meanwhile."""
    outcome: str
    """The code of an error, or `CONVERTED`."""
    file: str = "video.mp4"
    limits: Mapping[str, float] = field(default_factory=dict)
    """Tighter ones than usual, so that a bomb goes off early."""
    options: Mapping[str, str] = field(default_factory=dict)
    trap: tuple[str, ...] | None = None
    """Options under which a bare ffmpeg reads the secret or talks to the canary: the trap is real."""


def text(template: str) -> Callable[[Bait, Path], bytes]:
    """Return a maker of a text that names the bait as `{secret}`, `{url}` and `{port}`."""

    def make(bait: Bait, _: Path) -> bytes:
        return template.format(secret=bait.secret, url=bait.url, port=bait.port).encode()

    return make


def content(value: bytes) -> Callable[[Bait, Path], bytes]:
    """Return a maker of these bytes."""
    return lambda _bait, _folder: value
