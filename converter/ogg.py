"""Find the links of a chained Ogg file: streams one after the other, each with headers of its own (RFC 3533).

ffmpeg reads on from one link to the next only if codec, channels and sample rate stay what they were.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PAGE = struct.Struct("<5sBqII4xB")
"""Pattern with version, flags, position, serial number, page number, and the number of segments."""
PATTERN = b"OggS\0"
BEGINS = 2
"""The flag of a stream's first page."""
HEAD_BYTES = 80
MAX_PAGES = 5_000_000
"""Twelve hours of packets of 20 ms, each on a page of its own, are two millions."""
MAX_LINKS = 1000
SEARCH_BYTES = 16 * 1024
OPUS_RATE = 48000
"""Opus counts in these samples, whatever it was made of (RFC 7845)."""


@dataclass(slots=True)
class Link:
    """One part of a chain, and what the first sound in it says of itself."""

    begin: int
    end: int = 0
    sample_rate: int = 0
    channels: int = 0
    sound: int | None = None
    """The serial number of that sound."""
    pages: int = 0
    """How many pages of that sound there were so far, without one missing in between."""
    first: int | None = None
    last: int = 0
    """Where it begins and ends, in samples."""
    serials: set[int] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        """Say whether it has no more than headers: radios begin a link for each title that they show."""
        return self.sound is not None and self.first is None

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return max(self.last - (self.first or 0), 0) / self.sample_rate if self.sample_rate else 0.0


def links(video: Path) -> tuple[Link, ...]:
    """Return the links of a file; nothing if there is only one, or the file cannot be taken apart."""
    found: list[Link] = []
    over: set[int] = set()
    begins = False
    with video.open("rb") as file:
        for number, page in enumerate(_pages(file)):
            if page.begins and not begins:
                if found:
                    over |= found[-1].serials
                    found[-1].end = min(found[-1].end, page.at)
                found.append(Link(page.at))
            begins = page.begins
            if not found or len(found) > MAX_LINKS or number > MAX_PAGES:
                return ()
            if page.serial in over - found[-1].serials and not begins:
                return ()  # streams that lie among each other
            _take(found[-1], page)
    return tuple(found) if len(found) > 1 else ()


@dataclass(frozen=True, slots=True)
class _Page:
    at: int
    end: int
    begins: bool
    position: int
    serial: int
    number: int
    head: bytes


def _pages(file: IO[bytes]) -> Iterator[_Page]:
    """Yield the pages, also those behind one that breaks off."""
    size = file.seek(0, os.SEEK_END)
    before, at = -1, 0
    while True:
        file.seek(at)
        header = file.read(PAGE.size)
        if len(header) < PAGE.size or not header.startswith(PATTERN):
            found = _next(file, before + 1)
            if found is None:
                return
            at, before = found, found
            continue
        _, flags, position, serial, number, segments = PAGE.unpack(header)
        lengths = file.read(segments)
        begins = bool(flags & BEGINS)
        end = at + PAGE.size + segments + sum(lengths)
        head = file.read(HEAD_BYTES) if begins else b""
        yield _Page(at, min(end, size), begins, position, serial, number, head)
        before, at = at, end


def _next(file: IO[bytes], at: int) -> int | None:
    """Return where the next page begins; `None` if none does."""
    while True:
        file.seek(at)
        data = file.read(SEARCH_BYTES)
        place = data.find(PATTERN)
        if place >= 0:
            return at + place
        if len(data) < SEARCH_BYTES:
            return None
        at += len(data) - len(PATTERN) + 1


def _take(link: Link, page: _Page) -> None:
    link.end = page.end
    if page.begins:
        link.serials.add(page.serial)
        shape = _shape(page.head)
        if shape is not None and link.sound is None:
            link.sound = page.serial
            link.sample_rate, link.channels = shape
    if page.serial != link.sound:
        return
    if page.position > 0:
        if link.first is None:
            # Who begins to listen in the middle of a song gets its headers, and then pages from there on.
            link.first = 0 if page.number == link.pages else page.position
        link.last = page.position
    link.pages += 1


def _shape(head: bytes) -> tuple[int, int] | None:
    """Return sample rate and number of channels by the first packet of a sound; `None` for anything else."""
    head = head.ljust(HEAD_BYTES, b"\0")
    if head.startswith(b"\x01vorbis"):
        channels, rate = struct.unpack_from("<BI", head, 11)
    elif head.startswith(b"OpusHead"):
        channels, rate = head[9], OPUS_RATE
    elif head.startswith(b"\x7fFLAC"):
        packed = int.from_bytes(head[27:31])
        rate, channels = packed >> 12, (packed >> 9 & 7) + 1
    elif head.startswith(b"Speex   "):
        rate, channels = struct.unpack_from("<I8xI", head, 36)
    else:
        return None
    return (rate, channels) if rate and channels else None
