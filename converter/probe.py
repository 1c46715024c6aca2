"""Find out what is in a file: its container, sound tracks, chapters, tags and cover.

ffmpeg describes the file in its log; moviepy's parser reads the lines.  The walk over them is our own:
the parser's stops at the first subtitle, at a single chapter and at a language such as en-US.
"""

import re
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path

from converter import ffmpeg, sandbox
from converter.encryption import has_encrypted_sound
from converter.limits import Limits
from converter.media import Chapter, Media, Track
from converter.unreadable import why_unreadable

MAX_TRACKS = 100
MAX_CHAPTERS = 255
"""What one ID3 table of contents holds."""
MAX_TAG = 1000
TAGS = (
    "title",
    "artist",
    "album",
    "album_artist",
    "composer",
    "date",
    "genre",
    "track",
    "comment",
    "description",
    "copyright",
    "publisher",
    "language",
)
"""What a listener may want to read; the rest is the container's own business."""
LOG_LINES = 50
LEVEL = "[info] "
GUESSED = ("Estimating duration", "using bitrate for duration")

STREAM = re.compile(r"  Stream #0:(\d+)(?:\[\w+\])?(?:\(([^)]*)\))?: (\w+): (.*)")
CHAPTER = re.compile(r"    Chapter #0:\d+: start (-?[\d.]+), end (-?[\d.]+)")
LAYOUT = re.compile(r" Hz, ([^,]+)")
DISPOSITION = re.compile(r"\(([a-z ]+)\)")
CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8, "cube": 8}
ENCRYPTED = re.compile(r"\((?:enca|drms|aavd) /")


def probe(video: Path, limits: Limits, stop: threading.Event) -> Media:
    """Return what is in a file.

    Raises:
        Cancelled: `stop` was set.
        ConversionFailed: it is no file that can be converted; the code says why.
    """
    dump = _Dump()
    sandbox.run(
        ("-v", "level+info", *sandbox.INPUT),
        video=video,
        limits=limits,
        stop=stop,
        on_line=dump.read,
    )
    if dump.container is None:
        raise why_unreadable(video, list(dump.log)).after(dump.log)
    media = dump.media(dump.container)
    if media.container.startswith("mov") and has_encrypted_sound(video):
        # ffmpeg shows the kind that the sound has once it is decrypted.
        return replace(media, tracks=tuple(replace(track, encrypted=True) for track in media.tracks))
    return media


class _Dump:
    """Takes ffmpeg's description of a file line by line."""

    def __init__(self) -> None:
        self.container: str | None = None
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._duration: float | None = None
        self._cover: int | None = None
        self._picture: int | None = None
        self._estimated = False
        self._tracks: dict[int, Track] = {}
        self._chapters: list[Chapter] = []
        self._file_tags: dict[str, str] = {}
        self._tags_of: dict[int, dict[str, str]] = {}
        self._chapter_tags: list[dict[str, str]] = []
        self._tags = self._file_tags
        self._last = ""

    def read(self, line: str) -> None:
        """Take the next line of the log."""
        if line.startswith(LEVEL):
            line = line.removeprefix(LEVEL)
        elif not line.startswith("   "):
            self.log.append(line)
            self._estimated = self._estimated or any(words in line for words in GUESSED)
            return
        if line.startswith("Input #0, "):
            self.container = line.removeprefix("Input #0, ").rpartition(", from ")[0]
        elif line.startswith("  Duration: "):
            self._duration = ffmpeg.duration(line)
        elif found := STREAM.fullmatch(line):
            self._stream(int(found[1]), found[2], found[3], line)
        elif found := CHAPTER.match(line):
            self._chapter(float(found[1]), float(found[2]))
        elif line.startswith("  Program "):
            self._tags = {}
        elif line.startswith("    "):
            self._tag(line)

    def media(self, container: str) -> Media:
        """Return all that was read."""
        tracks = [
            self._with_tags(track, number) for number, track in enumerate(self._tracks.values(), start=1)
        ]
        own = self._tags_of.get(tracks[0].stream, {}) if tracks and container == "ogg" else {}
        return Media(
            container=container,
            duration=self._duration,
            tracks=tuple(tracks[:MAX_TRACKS]),
            tags={name: value for name, value in (self._file_tags | own).items() if name in TAGS},
            chapters=tuple(
                replace(chapter, title=tags.get("title"))
                for chapter, tags in zip(self._chapters, self._chapter_tags, strict=True)
            ),
            cover=self._cover,
            picture=self._picture,
            estimated=self._estimated,
        )

    def _stream(self, number: int, language: str | None, kind: str, line: str) -> None:
        self._tags = self._tags_of.setdefault(number, {})
        marks = DISPOSITION.findall(line)
        if kind == "Video" and "attached pic" in marks:
            self._cover = number if self._cover is None else self._cover
        elif kind == "Video" and self._picture is None:
            self._picture = number
        if kind != "Audio":
            return
        rate, bitrate = ffmpeg.sound(line)
        layout = LAYOUT.search(line)
        self._tracks[number] = Track(
            number=0,
            stream=number,
            codec=line.partition(": Audio: ")[2].split(" ")[0].rstrip(","),
            channels=_channels(layout[1]) if layout else None,
            layout=layout[1] if layout else None,
            sample_rate=rate,
            bitrate=bitrate,
            language=None if language in (None, "", "und") else language,
            title=None,
            default="default" in marks,
            commentary="comment" in marks,
            descriptive="visual impaired" in marks or "descriptions" in marks or "hearing impaired" in marks,
            seconds=None,
            encrypted=ENCRYPTED.search(line) is not None,
        )

    def _with_tags(self, track: Track, number: int) -> Track:
        tags = self._tags_of[track.stream]
        clock = CLOCK.match(tags.get("duration", ""))
        seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) if clock else None
        return replace(track, number=number, title=tags.get("title"), seconds=seconds)

    def _chapter(self, start: float, end: float) -> None:
        self._tags = {}
        if len(self._chapters) < MAX_CHAPTERS:
            self._chapters.append(Chapter(start, end, None))
            self._chapter_tags.append(self._tags)

    def _tag(self, line: str) -> None:
        name, value = ffmpeg.tag(line)
        if name == "":
            value = f"{self._tags.get(self._last, '')}\n{value}"
        else:
            self._last = name.lower()
        if self._last in TAGS or self._last == "duration":
            self._tags[self._last] = value[:MAX_TAG]


def _channels(layout: str) -> int | None:
    """Return how many channels a layout has, as ffmpeg names it: `stereo`, `5.1(side)`, `6 channels`."""
    name = layout.partition("(")[0].strip()
    if name in LAYOUTS:
        return LAYOUTS[name]
    if found := re.fullmatch(r"(\d+) channels", name):
        return int(found[1])
    if re.fullmatch(r"\d(\.\d)+", name):
        return sum(int(part) for part in name.split("."))
    return None
