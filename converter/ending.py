"""Find out whether a file breaks off in the middle of a piece of its container.

Where a format has no length, nothing else tells a cut file from a whole one; a cut that falls between
two pieces leaves no trace.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO

from converter.boxes import boxes
from converter.transport import PACKETS, first_packet

HEAD_BYTES = 4096
TAIL_BYTES = 256 * 1024
"""More than the longest two pieces of any format here."""
MAX_BOXES = 200_000
REST_BYTES = 6
"""What is left behind the last piece and is shorter than this is the beginning of another."""
OGG_HEADER = 27
PES = re.compile(b"\0\0\1[\xbb-\xef]")
PES_HEADER = 6
PROGRAM_END = b"\0\0\1\xb9"
ADTS = re.compile(rb"(?=\xff[\xf0\xf1\xf8\xf9]....)", re.DOTALL)
AMR = {
    b"#!AMR\n": (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1),
    b"#!AMR-WB\n": (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1),
}
"""Bytes of a frame by its type (RFC 4867, 3GPP TS 26.101 and 26.201)."""
MAX_AMR = 64 * 1024 * 1024
"""More than twelve hours."""
FLV_TAG, FLV_BACK = 11, 4
FLV_DURATION = b"\0\x08duration\0"


def breaks_off(video: Path, container: str) -> bool:
    """Say whether the last piece of a file goes on behind the file's end."""
    find_end = ENDS.get(container.partition(",")[0])
    if find_end is None:
        return False
    with video.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        end = find_end(file, size)
    return end > size or 0 < size - end < REST_BYTES


def _movie(file: IO[bytes], _: int) -> int:
    """Return the end of the last box of a fragmented movie; another says in its header what it holds."""
    fragmented, end = False, 0
    for box in boxes(file, MAX_BOXES):
        fragmented = fragmented or box.kind == b"moof"
        end = box.end if box.kind.isalnum() else end
    return end if fragmented else 0


def _ogg(file: IO[bytes], size: int) -> int:
    """Return the end of the last page (RFC 3533)."""
    start, tail = _tail(file, size)
    at = tail.rfind(b"OggS\0")
    if at < 0:
        return 0
    header = tail[at : at + OGG_HEADER]
    if len(header) < OGG_HEADER:
        return size + 1
    lengths = tail[at + OGG_HEADER :][: header[-1]]
    return start + at + OGG_HEADER + header[-1] + sum(lengths)


def _transport_stream(file: IO[bytes], size: int) -> int:
    """Return the end of the last packet (ISO 13818-1)."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    for length, before in PACKETS:
        first = first_packet(head, length, before)
        if first is not None:
            return first + -(-(size - first) // length) * length
    return 0


def _program_stream(file: IO[bytes], size: int) -> int:
    """Return the end of the last packet that says how long it is (ISO 13818-1)."""
    start, tail = _tail(file, size)
    places = [found.start() for found in PES.finditer(tail)]
    if not places or tail.endswith(PROGRAM_END):
        return 0
    header = tail[places[-1] : places[-1] + PES_HEADER]
    return start + places[-1] + PES_HEADER + int.from_bytes(header[4:].ljust(2, b"\xff"))


def _adts(file: IO[bytes], size: int) -> int:
    """Return the end of the last frame that begins where another ends (ISO 13818-7)."""
    start, tail = _tail(file, size)
    frames = {
        found.start(): found.start() + (int.from_bytes(tail[found.start() + 3 :][:3]) >> 5 & 0x1FFF)
        for found in ADTS.finditer(tail)
    }
    ends = set(frames.values())
    return start + max((end for begin, end in frames.items() if begin in ends), default=0)


def _amr(file: IO[bytes], size: int) -> int:
    """Return the end of the last frame."""
    file.seek(0)
    data = file.read(MAX_AMR)
    for magic, lengths in AMR.items():
        if data.startswith(magic):
            at = len(magic)
            while at < len(data):
                at += lengths[data[at] >> 3 & 15]
            return at if size <= MAX_AMR else 0
    return 0


def _flash(file: IO[bytes], size: int) -> int:
    """Return more than the size if the file has no duration and its last tag does not end with the file."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    place = head.find(FLV_DURATION)
    if place >= 0 and head[place + len(FLV_DURATION) :][:8].strip(b"\0"):
        return 0
    _, tail = _tail(file, size)
    back = int.from_bytes(tail[-FLV_BACK:])
    header = tail[-FLV_BACK - back :][:FLV_BACK] if FLV_TAG <= back <= len(tail) - FLV_BACK else b""
    return size if back == FLV_TAG + int.from_bytes(header[1:]) else size + 1


def _tail(file: IO[bytes], size: int) -> tuple[int, bytes]:
    """Return where the last bytes begin, and these."""
    start = max(size - TAIL_BYTES, 0)
    file.seek(start)
    return start, file.read(TAIL_BYTES)


ENDS: dict[str, Callable[[IO[bytes], int], int]] = {
    "mov": _movie,
    "ogg": _ogg,
    "mpegts": _transport_stream,
    "mpeg": _program_stream,
    "aac": _adts,
    "amr": _amr,
    "flv": _flash,
}
"""Return the place where the last piece ends by what is said in it."""
