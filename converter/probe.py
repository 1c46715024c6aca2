"""Find out what is in a file: its container, sound tracks, chapters, tags and cover.

ffmpeg describes the file in its log; moviepy's parser reads the lines.  The walk over them is our own:
the parser's stops at the first subtitle, at a single chapter and at a language such as en-US.
"""

import re
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from converter import avi, codepage, declared, ffmpeg, metadata, ogg, sandbox
from converter.encryption import encrypted_tracks
from converter.limits import Limits
from converter.media import Chapter, Media, Track
from converter.unreadable import why_unreadable

MAX_TRACKS = 100
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
    "disc",
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

STREAM = re.compile(r"  Stream #0:(\d+)(?:\[0x(\w+)\])?(?:\(([^)]*)\))?: (\w+): (.*)")
START = re.compile(r", start: (-?[\d.]+)")
CHAPTER = re.compile(r"    Chapter #0:\d+: start (-?[\d.]+), end (-?[\d.]+)")
LAYOUT = re.compile(r" Hz, ([^,]+)")
DISPOSITION = re.compile(r"\(([a-z ]+)\)")
CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8, "cube": 8}
NAMELESS = re.compile(r"none \(\S+ / 0x(\w{4,8})")
"""A coding that ffmpeg has no name for, and its number in the file: four letters, the last one first."""
SAMPLE_AES = re.compile(r" / 0x00C[12F]\)")
"""The types of encrypted sound in a transport stream (HTTP Live Streaming, SAMPLE-AES)."""
COVERS = ("mjpeg", "png")
SPARSE = ("mpegts", "mpeg", "flv")
"""Containers that list no sound before it begins."""
DEEP = ("-probesize", "200M", "-analyzeduration", "600M")
ID3_HEADER = 10
LARGE_TAG = 512 * 1024
"""Behind a tag that is larger than this, ffmpeg takes whatever comes for MP3."""
UNTAGGED = {b"\x0b\x77": "ac3", b"\x7f\xfe\x80\x01": "dts", b"RIFF": "wav"}
"""Formats by their first bytes which are not meant to have such a tag; E-AC-3 is read as AC-3."""


def probe(video: Path, limits: Limits, stop: threading.Event) -> Media:
    """Return what is in a file.

    Raises:
        Cancelled: `stop` was set.
        ConversionFailed: it is no file that can be converted; the code says why.
    """
    media = _described(video, limits, stop, _opening(video))
    hidden = not media.tracks or any(track.sample_rate is None for track in media.tracks)
    if media.container in SPARSE and hidden and not any(track.encrypted for track in media.tracks):
        return _described(video, limits, stop, DEEP)
    return media


def _described(video: Path, limits: Limits, stop: threading.Event, opening: tuple[str, ...]) -> Media:
    dump = _Dump()
    sandbox.run(
        ("-v", "level+info", *opening, *sandbox.INPUT),
        video=video,
        limits=limits,
        stop=stop,
        on_line=dump.read,
    )
    if dump.container is None:
        raise why_unreadable(video, list(dump.log)).after(dump.log)
    media = replace(dump.media(dump.container), opening=opening)
    encrypted = encrypted_tracks(video, media)
    media = replace(
        media,
        tracks=tuple(
            replace(track, encrypted=mark or track.encrypted)
            for track, mark in zip(media.tracks, encrypted, strict=True)
        ),
        estimated=media.estimated or (media.container == "asf" and declared.is_broadcast(video)),
    )
    links = ogg.links(video) if media.container == "ogg" and media.tracks else ()
    return _of_all(links, media) if links else media


def _of_all(links: Sequence[ogg.Link], media: Media) -> Media:
    """Return what is in a chain, of which ffmpeg has described the first link."""
    track, *others = media.tracks
    channels = max(link.channels for link in links) or track.channels
    whole = replace(
        track,
        channels=channels,
        layout=track.layout if channels == track.channels else None,
        sample_rate=max(link.sample_rate for link in links) or track.sample_rate,
    )
    seconds = sum(link.seconds for link in links)
    return replace(media, tracks=(whole, *others), duration=seconds, estimated=False, links=tuple(links))


def _opening(video: Path) -> tuple[str, ...]:
    """Return what ffmpeg has to be told to open a file as what it is."""
    return (*_behind_tag(video), *_with_pauses(video))


def _with_pauses(video: Path) -> Iterator[str]:
    """Yield what makes the sounds of an AVI pause where they do."""
    for stream, pauses in avi.pauses(video).items():
        later = "".join(f"+{units}*gte(TS\\,{at})" for at, units in pauses.items())
        yield from (f"-bsf:{stream}", f"setts=ts=TS{later}")


def _behind_tag(video: Path) -> tuple[str, ...]:
    """Return the format of sound behind a tag (ID3v2) where ffmpeg would not find it."""
    with video.open("rb") as file:
        head = file.read(ID3_HEADER)
        if not head.startswith(b"ID3") or len(head) < ID3_HEADER:
            return ()
        a, b, c, d = head[6:]
        size = a << 21 | b << 14 | c << 7 | d
        file.seek(ID3_HEADER + size)
        sound = file.read(4)
    untagged = next((name for start, name in UNTAGGED.items() if sound.startswith(start)), None)
    if untagged:
        return ("-f", untagged, "-skip_initial_bytes", str(ID3_HEADER + size))
    if size < LARGE_TAG or len(sound) < 4:  # noqa: PLR2004 - what was asked for
        return ()
    if sound == b"fLaC":
        return ("-f", "flac")
    adts = sound[0] == 0xFF and sound[1] & 0xF6 == 0xF0  # noqa: PLR2004 - the sync word, and layer 0
    return ("-f", "aac") if adts else ()


class _Dump:
    """Takes ffmpeg's description of a file line by line."""

    def __init__(self) -> None:
        self.container: str | None = None
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._duration: float | None = None
        self._start = 0.0
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
            self._start = float(found[1]) if (found := START.search(line)) else 0.0
        elif found := STREAM.fullmatch(line):
            self._stream(int(found[1]), found[2], found[3], found[4], line)
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
            start=self._start,
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

    def _stream(self, number: int, own: str | None, language: str | None, kind: str, line: str) -> None:
        self._tags = self._tags_of.setdefault(number, {})
        marks = DISPOSITION.findall(line)
        codec = line.partition(f": {kind}: ")[2].split(" ")[0].rstrip(",")
        if kind == "Video" and "attached pic" in marks:
            if codec in COVERS and self._cover is None:
                self._cover = number
        elif kind == "Video" and self._picture is None:
            self._picture = number
        if kind != "Audio":
            return
        rate, bitrate = ffmpeg.sound(line)
        layout = LAYOUT.search(line)
        self._tracks[number] = Track(
            number=0,
            stream=number,
            codec=_letters(nameless[1]) if (nameless := NAMELESS.search(line)) else codec,
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
            encrypted=self.container == "mpegts" and SAMPLE_AES.search(line) is not None,
            id=None if own is None else int(own, 16),
        )

    def _with_tags(self, track: Track, number: int) -> Track:
        tags = self._tags_of[track.stream]
        clock = CLOCK.match(tags.get("duration", ""))
        seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) if clock else None
        return replace(track, number=number, title=tags.get("title"), seconds=seconds)

    def _chapter(self, start: float, end: float) -> None:
        self._tags = {}
        if len(self._chapters) < metadata.MAX_CHAPTERS:
            self._chapters.append(Chapter(start, end, None))
            self._chapter_tags.append(self._tags)

    def _tag(self, line: str) -> None:
        name, value = ffmpeg.tag(line)
        value, _ = codepage.decoded(value.encode("utf-8", "surrogateescape"))
        if name == "":
            value = f"{self._tags.get(self._last, '')}\n{value}"
        else:
            self._last = metadata.name_of(name)
        if self._last in TAGS or self._last == "duration":
            self._tags[self._last] = value[:MAX_TAG]


def _letters(number: str) -> str:
    """Return the four letters that a file has for a coding, or their number if some are none."""
    letters = bytes.fromhex(number)[::-1].decode("latin-1")
    return letters if letters.isascii() and letters.isprintable() else f"0x{number}"


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
