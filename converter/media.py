"""What is in a video, as the probe found it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from converter.ogg import Link


@dataclass(frozen=True, slots=True)
class Track:
    """One sound track."""

    number: int
    """From 1, among the sound tracks."""
    stream: int
    """Among all streams of the file."""
    codec: str
    channels: int | None
    layout: str | None
    sample_rate: int | None
    bitrate: int | None
    """In kbit/s."""
    language: str | None
    title: str | None
    default: bool
    commentary: bool
    descriptive: bool
    """Described for those who do not see, or made clearer for those who hear badly."""
    seconds: float | None
    """Where the container says it for each track."""
    encrypted: bool
    id: int | None = None
    """The container's own number of the stream, where it has one."""

    def __str__(self) -> str:
        known = (self.language, self.title, self.codec, self.layout)
        return f"{self.number} ({', '.join(part for part in known if part)})"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the video with a name of its own."""

    start: float
    end: float
    title: str | None


@dataclass(frozen=True, slots=True)
class Media:
    """A file that ffmpeg can open."""

    container: str
    duration: float | None
    """In seconds; `None` where the file does not say."""
    tracks: tuple[Track, ...]
    start: float = 0.0
    """Where its times begin, in seconds, as far as ffmpeg can tell."""
    tags: dict[str, str] = field(default_factory=dict)
    chapters: tuple[Chapter, ...] = ()
    cover: int | None = None
    """The stream of the attached picture."""
    picture: int | None = None
    """The first stream of moving pictures."""
    estimated: bool = False
    """The duration is only guessed from the size of the file."""
    opening: tuple[str, ...] = ()
    """What ffmpeg has to be told to open the file as what it is."""
    links: tuple[Link, ...] = ()
    """The parts of a chained Ogg file; nothing for every other file."""

    def as_document(self) -> dict[str, Any]:
        """Return what the job's `media` says."""
        return {
            "duration": self.duration,
            "container": self.container,
            "tracks": [_document(track) for track in self.tracks],
            "tags": self.tags,
            "chapters": [asdict(chapter) for chapter in self.chapters],
            "cover": self.cover is not None,
        }


def _document(track: Track) -> dict[str, Any]:
    document = asdict(track)
    del document["id"]
    return document
