"""Decide where an MP3 is split, and what its parts are called."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.media import Chapter

MAX_PARTS = 255
"""As many as there can be chapters."""
LEAST_CHAPTER, LEAST_PART = 1.0, 10.0
"""In seconds: a chapter that is shorter belongs to the one before; at silences no part is shorter."""
SILENCE_SECONDS = 1.5
"""A shorter silence is a pause in what is said or played."""
SILENCE_DEPTH = 30.0
"""How far silence lies below the integrated loudness, in dB: noise and breath do not fill it."""
FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
"""What some system does not let a file be called."""
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a part begins, in seconds, and its title if it has one."""

    start: float
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an MP3 that is an MP3 itself."""

    number: int
    title: str | None
    name: str
    """Of a file."""
    start: float
    duration: float


@dataclass(frozen=True, slots=True)
class Silence:
    """A place without sound."""

    start: float
    end: float


def at_chapters(chapters: Sequence[Chapter], seconds: float) -> list[Cut]:
    """Return the cuts of a sound of so many seconds at its chapters; what comes before them has no title."""
    cuts: list[Cut] = []
    for chapter in sorted(chapters, key=lambda chapter: chapter.start):
        if chapter.start > seconds - LEAST_CHAPTER:
            break
        if not cuts and chapter.start >= LEAST_CHAPTER:
            cuts.append(Cut(0.0))
        if not cuts:
            cuts.append(Cut(0.0, chapter.title))
        elif chapter.start - cuts[-1].start >= LEAST_CHAPTER:
            cuts.append(Cut(chapter.start, chapter.title))
    return cuts[:MAX_PARTS]


def at_silences(silences: Sequence[Silence], seconds: float) -> list[Cut]:
    """Return the cuts of a sound of so many seconds, in the middle of its longest silences."""
    longest = sorted(silences, key=lambda silence: silence.start - silence.end)
    starts = [0.0]
    for silence in longest:
        middle = (silence.start + silence.end) / 2
        near = any(abs(middle - other) < LEAST_PART for other in (*starts, seconds))
        if not near and len(starts) < MAX_PARTS:
            starts.append(middle)
    return [Cut(start) for start in sorted(starts)]


def name(number: int, count: int, title: str | None) -> str:
    """Return the name of a part's file: `01 - Intro.mp3`."""
    text = FORBIDDEN.sub("_", unicodedata.normalize("NFC", title or ""))
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")
    text = text[:MAX_NAME].strip(". ")
    first = str(number).zfill(max(2, len(str(count))))
    return f"{first} - {text}.mp3" if text else f"{first}.mp3"


def file_of(mp3: Path, number: int) -> Path:
    """Return where a part lies while it is worked on."""
    return mp3.with_name(f"{mp3.name}.{number}")
