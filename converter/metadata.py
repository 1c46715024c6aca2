"""Read the text that ffmpeg found in a video, by its own format for that (ffmetadata)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from converter import codepage
from converter.media import Chapter

MAX_BYTES = 4 * 1024 * 1024
"""More text than this is not read."""
MAX_CHAPTERS = 255
"""What one ID3 table of contents holds."""
QUICKTIME = "com.apple.quicktime."
QUICKTIME_NAMES = {"author": "artist", "creationdate": "date"}
"""Where QuickTime's keys are called otherwise than everybody's tags."""
CHAPTER = "[CHAPTER]"
BASE = re.compile(r"(\d{1,10})/(\d{1,10})")
NUMBER = re.compile(r"-?\d{1,18}")
LINE = re.compile(rb"(?:[^\\\n]|\\.)*", re.DOTALL)
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
NAMED = re.compile(rb"((?:[^\\=]|\\.)*)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The text of a video."""

    tags: dict[str, str] = field(default_factory=dict)
    """By ffmpeg's names in small letters."""
    chapters: tuple[Chapter, ...] = ()
    guessed: bool = False
    """Its encoding is only guessed."""


def name_of(key: str) -> str:
    """Return the usual name of a tag."""
    name = key.lower().removeprefix(QUICKTIME)
    return QUICKTIME_NAMES.get(name, name)


def read(written: bytes) -> Metadata:
    """Return what ffmpeg wrote."""
    tags: dict[str, str] = {}
    chapters: list[Chapter] = []
    section, of, guesses = "", tags, []
    for line in _lines(written):
        named = NAMED.fullmatch(line)
        if named is None:
            section = line.decode("utf-8", "replace")
            of = {} if section.startswith("[") else of
            chapters += [Chapter(0.0, 0.0, None)] if section == CHAPTER else []
            continue
        text, guessed = codepage.decoded(ESCAPED.sub(rb"\1", named[2]))
        guesses.append(guessed)
        of.setdefault(name_of(ESCAPED.sub(rb"\1", named[1]).decode("utf-8", "replace")), text)
        if section == CHAPTER:
            chapters[-1] = _chapter(of)
    return Metadata(tags, tuple(chapters[:MAX_CHAPTERS]), any(guesses))


def _lines(written: bytes) -> Iterator[bytes]:
    """Yield the lines, of which those that are escaped have no end."""
    return (line for line in LINE.findall(written[:MAX_BYTES]) if line and not line.startswith(b";"))


def _chapter(fields: dict[str, str]) -> Chapter:
    base = BASE.fullmatch(fields.get("timebase", ""))
    unit = int(base[1]) / max(int(base[2]), 1) if base else 0.0
    start, end = (_number(fields.get(name, "")) * unit for name in ("start", "end"))
    return Chapter(start, end, fields.get("title"))


def _number(text: str) -> int:
    return int(text) if NUMBER.fullmatch(text) else 0
