"""MP3s, or their parts, as one zip that is made as it is sent, and of which any range can be.

MP3s get no smaller, so they are stored as they are: their sizes and checksums are known, and with them
every byte of the zip is, before the first one is sent.  Libraries that stream zips make no ranges.
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, version 6.3.10
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gateway.jobs import problems
from gateway.jobs.sending import Content
from gateway.uploads import names
from pipeline.files import Blobs
from pipeline.job import Job, parts_of

MOST = 100
"""How many jobs' ids a URL has room for."""
FILENAME = "mp3s.zip"

VERSION, VERSION_64 = 20, 45
UTF_8 = 0x800
STORED = 0
FULL = 0xFFFFFFFF
"""In place of a number that has 64 bits elsewhere."""


def of(jobs: Sequence[Job], mp3s: Blobs) -> Content:
    """Return the zip of these jobs' MP3s.

    Raises:
        Problem: one of them has none.
    """
    members, offset, taken = list[_Member](), 0, set[str]()
    for job in jobs:
        if job.state != "done" or job.result is None:
            raise problems.not_ready(job.state)
        for member in _members(job, job.result, mp3s, taken):
            members.append(replace(member, offset=offset))
            offset += members[-1].length
    end = _end(members, offset)

    def read(start: int, stop: int) -> Iterator[bytes]:
        for member in members:
            yield from member.read(mp3s, start - member.offset, stop - member.offset)
        yield end[max(start - offset, 0) : max(stop - offset, 0)]

    return Content(
        filename=FILENAME,
        plain_name=FILENAME,
        mimetype="application/zip",
        size=offset + len(end),
        tag=hashlib.sha256(end + b"".join(member.tag for member in members)).hexdigest(),
        changed_at=max(member.ended_at for member in members),
        read=read,
    )


@dataclass(frozen=True, slots=True)
class _Member:
    """One MP3 in the zip."""

    name: bytes
    blob_id: str
    place: int
    """Where it begins in the blob."""
    size: int
    tag: bytes
    crc32: int
    ended_at: datetime
    offset: int = 0

    @property
    def header(self) -> bytes:
        """What stands before it (4.3.7)."""
        extra = struct.pack("<HHQQ", 1, 16, self.size, self.size) if self.size >= FULL else b""
        return b"PK\3\4" + self._common(extra) + self.name + extra

    @property
    def length(self) -> int:
        """Of the header and the MP3."""
        return len(self.header) + self.size

    @property
    def entry(self) -> bytes:
        """What the directory at the end says of it (4.3.12)."""
        large = [self.size, self.size] if self.size >= FULL else []
        large += [self.offset] if self.offset >= FULL else []
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        made_by = struct.pack("<H", VERSION_64)
        rest = struct.pack("<HHHII", 0, 0, 0, 0, min(self.offset, FULL))
        return b"PK\1\2" + made_by + self._common(extra) + rest + self.name + extra

    def _common(self, extra: bytes) -> bytes:
        version, size = VERSION_64 if extra else VERSION, min(self.size, FULL)
        lengths = len(self.name), len(extra)
        dated = _dos_time(self.ended_at)
        return struct.pack("<HHHHHIIIHH", version, UTF_8, STORED, *dated, self.crc32, size, size, *lengths)

    def read(self, mp3s: Blobs, start: int, stop: int) -> Iterator[bytes]:
        """Yield what lies between two places, counted from its header's begin, that may be anywhere."""
        header = self.header
        yield header[max(start, 0) : max(stop, 0)]
        first, last = max(start - len(header), 0), min(stop - len(header), self.size)
        if first < last:
            yield from mp3s.read(mp3s.find(self.blob_id), self.place + first, self.place + last)


def _members(job: Job, result: Mapping[str, Any], mp3s: Blobs, taken: set[str]) -> Iterator[_Member]:
    """Yield a job's MP3, or its parts in a folder, under a name that none before has."""
    ended_at, name = job.ended_at or job.updated_at, _free(names.of_mp3(job.source["filename"]), taken)
    if not job.parts:
        crc32, blob_id = result.get("crc32"), result["blob"]
        crc32 = _crc32(mp3s, blob_id) if crc32 is None else crc32
        yield _Member(name.encode(), blob_id, 0, result["size"], result["sha256"].encode(), crc32, ended_at)
    for part in job.parts:
        path, tag = f"{name.removesuffix('.mp3')}/{part['name']}", part["sha256"].encode()
        blob_id, place, size = parts_of(result["blob"]), part["place"], part["size"]
        yield _Member(path.encode(), blob_id, place, size, tag, part["crc32"], ended_at)


def _end(members: Sequence[_Member], offset: int) -> bytes:
    """Return the directory and what ends it (4.3.12 to 4.3.16)."""
    directory = b"".join(member.entry for member in members)
    count, size = len(members), len(directory)
    if offset + size >= FULL:
        counted = struct.pack("<QHHIIQQQQ", 44, VERSION_64, VERSION_64, 0, 0, count, count, size, offset)
        locator = struct.pack("<IQI", 0, offset + size, 1)
        directory += b"PK\6\6" + counted + b"PK\6\7" + locator
    return (
        directory
        + b"PK\5\6"
        + struct.pack("<HHHHIIH", 0, 0, count, count, min(size, FULL), min(offset, FULL), 0)
    )


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no other member has, in capitals or not, and take it."""
    stem, found, number = name.removesuffix(".mp3"), name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem} ({number}).mp3"
    taken.add(found.casefold())
    return found


def _crc32(mp3s: Blobs, blob_id: str) -> int:
    """Return the checksum of an MP3 that was made by a converter that did not note it."""
    crc32 = 0
    for data in mp3s.read(mp3s.find(blob_id)):
        crc32 = zlib.crc32(data, crc32)
    return crc32


def _dos_time(time: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS had them, in UTC (4.4.6)."""
    utc = time.astimezone(UTC)
    return (
        utc.hour << 11 | utc.minute << 5 | utc.second // 2,
        (utc.year - 1980) << 9 | utc.month << 5 | utc.day,
    )
