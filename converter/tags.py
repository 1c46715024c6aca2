"""Write an MP3's tag: what a listener wants of the video's text, and what the conversion knows.

It is ID3v2.3 (id3.org), which every player reads.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutagen import MutagenError
from mutagen.id3 import (
    APIC,
    CHAP,
    COMM,
    CTOC,
    ID3,
    TALB,
    TCOM,
    TCON,
    TCOP,
    TDRC,
    TIT2,
    TLAN,
    TPE1,
    TPE2,
    TPOS,
    TPUB,
    TRCK,
    TXXX,
    CTOCFlags,
    Encoding,
    PictureType,
)

from converter.media import Chapter
from converter.metadata import Metadata
from converter.report import SILENT, Loudness
from converter.tracks import three_letters

FRAMES: Mapping[str, Any] = {
    "title": TIT2,
    "artist": TPE1,
    "album_artist": TPE2,
    "album": TALB,
    "composer": TCOM,
    "genre": TCON,
    "track": TRCK,
    "disc": TPOS,
    "copyright": TCOP,
    "publisher": TPUB,
}
"""What is kept, besides date, comment and chapters; the rest is the business of muxers and cameras."""
DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
CONTENTS = "toc"
NO_OFFSET = 0xFFFFFFFF
"""Chapters are found by their times."""
MAX_TEXT = 2000
MAX_COVER = 8 * 1024 * 1024
REPLAYGAIN = -18.0
"""The loudness that ReplayGain 2.0 brings everything to, in LUFS."""
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True, slots=True)
class Cover:
    """The picture in an MP3, which lies in its tag as it came."""

    type: str
    place: int
    """That of its first byte in the MP3."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the conversion knows of an MP3."""

    title: str | None
    language: str | None
    loudness: Loudness | None
    cover: bytes


def write(mp3: Path, text: Metadata, known: Known) -> Cover | None:
    """Write the tag of an MP3, in place of the one that it may have, and return the picture in it."""
    tags = ID3()
    for name, frame in FRAMES.items():
        if name in text.tags:
            tags.add(frame(encoding=Encoding.UTF16, text=text.tags[name][:MAX_TEXT]))
    if date := DATE.match(text.tags.get("date", "")):
        tags.add(TDRC(encoding=Encoding.LATIN1, text=date[0]))
    if comment := text.tags.get("comment"):
        tags.add(COMM(encoding=Encoding.UTF16, lang="XXX", desc="", text=comment[:MAX_TEXT]))
    _add_chapters(tags, text.chapters)
    _add(tags, known)
    tags.update_to_v23()
    try:
        tags.save(mp3, v2_version=3)
    except MutagenError as error:
        # It wraps the system's: that the disk is full must stay visible.
        raise error.args[0] if error.args and isinstance(error.args[0], OSError) else error from None
    pictures = tags.getall("APIC")
    return _place(mp3, pictures[0]) if pictures else None


def _place(mp3: Path, picture: Any) -> Cover:
    """Find a picture in the tag at the beginning of an MP3."""
    data: bytes = picture.data
    with mp3.open("rb") as file:
        place = file.read(ID3(mp3).size).index(data)
    return Cover(picture.mime, place, len(data), hashlib.sha256(data).hexdigest())


def _add_chapters(tags: Any, chapters: Sequence[Chapter]) -> None:
    """Add the chapters and their table of contents (ID3v2 Chapter Frame Addendum)."""
    names = [f"ch{number}" for number in range(len(chapters))]
    for name, chapter in zip(names, chapters, strict=True):
        title = [TIT2(encoding=Encoding.UTF16, text=chapter.title[:MAX_TEXT])] if chapter.title else []
        times = (round(chapter.start * 1000), round(chapter.end * 1000))
        tags.add(CHAP(name, *times, NO_OFFSET, NO_OFFSET, title))
    if names:
        flags = CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED
        tags.add(CTOC(CONTENTS, flags, names, []))


def _add(tags: Any, known: Known) -> None:
    if known.title is not None:
        tags.setall("TIT2", [TIT2(encoding=Encoding.UTF16, text=known.title)])
    if known.language is not None and re.fullmatch("[a-z]{3}", language := three_letters(known.language)):
        tags.add(TLAN(encoding=Encoding.LATIN1, text=language))
    if known.loudness is not None and known.loudness.integrated > SILENT:
        gain = f"{REPLAYGAIN - known.loudness.integrated:.2f} dB"
        peak = f"{10 ** (known.loudness.peak / 20):.6f}"
        for name, value in (("REPLAYGAIN_TRACK_GAIN", gain), ("REPLAYGAIN_TRACK_PEAK", peak)):
            tags.add(TXXX(encoding=Encoding.LATIN1, desc=name, text=value))
    for beginning, mime in PICTURES.items():
        if known.cover.startswith(beginning) and len(known.cover) <= MAX_COVER:
            tags.add(
                APIC(encoding=Encoding.LATIN1, mime=mime, type=PictureType.COVER_FRONT, data=known.cover)
            )
