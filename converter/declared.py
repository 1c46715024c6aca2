"""Read how long a file says it is, in the formats where ffmpeg believes the file's end instead.

Of a WAV, AVI, Wave64, CAF, WMV or MP3 that was cut, ffmpeg reports what is left as its duration.
"""

import struct
from pathlib import Path
from typing import IO

from converter.media import Media, Track
from converter.report import samples_a_frame

HEAD_BYTES = 64 * 1024
UNDECLARED = 0x7FFF0000
"""From here on, a size of 32 bits is what a recorder writes that does not know it yet."""
ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
ASF_TICKS = 10_000_000
ASF_BROADCAST = 1
ID3_HEADER = 10
CAF_CHUNK = 12
CAF_CHUNKS = 100
CAF_OPEN = -1
"""The size of sound whose recorder does not know it yet."""


def seconds(video: Path, media: Media, track: Track) -> float | None:
    """Return how long a file says it is; `None` where ffmpeg's word is as good, or nothing is said."""
    with video.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if media.container == "mp3":
            return _xing_seconds(file, head, track)
        if media.container == "asf":
            return _asf_seconds(head)
        if media.container == "caf":
            return _caf_seconds(file)
    declared, size = _declared_bytes(head), video.stat().st_size
    if declared is None or declared <= size or media.duration is None:
        return None
    return media.duration * declared / size


def is_broadcast(video: Path) -> bool:
    """Say whether a file of Windows Media is a stream that was saved: the duration in it means nothing."""
    with video.open("rb") as file:
        head = file.read(HEAD_BYTES)
    place = head.find(ASF_FILE_PROPERTIES)
    flags = head[place + 88 : place + 89] if place >= 0 else b""
    return bool(flags) and bool(flags[0] & ASF_BROADCAST)


def _declared_bytes(head: bytes) -> int | None:
    """Return the size of the file by its outermost chunk."""
    if len(head) < len(b"riff") + 20:
        return None
    if head.startswith(b"RF64"):
        return int(struct.unpack_from("<Q", head, 20)[0]) + 8
    if head.startswith(b"riff"):  # Wave64
        return int(struct.unpack_from("<Q", head, 16)[0])
    if not head.startswith(b"RIFF"):
        return None
    (size,) = struct.unpack_from("<I", head, 4)
    return int(size) + 8 if 0 < size < UNDECLARED else None


def _asf_seconds(head: bytes) -> float | None:
    """Return the play duration less the preroll (ASF specification 3.2); a broadcast has none."""
    place = head.find(ASF_FILE_PROPERTIES)
    if place < 0 or len(head) < place + 92:
        return None
    play, preroll, flags = struct.unpack_from("<Q8xQI", head, place + 64)
    return max(play / ASF_TICKS - preroll / 1000, 0.0) or None if not flags & ASF_BROADCAST else None


def _caf_seconds(file: IO[bytes]) -> float | None:
    """Return the length by the size of the sound's chunk, where packets have one size (Apple's CAF 1.0)."""
    at, second_bytes = 8, 0.0
    for _ in range(CAF_CHUNKS):
        file.seek(at)
        header = file.read(CAF_CHUNK + 24)
        if len(header) < CAF_CHUNK + 24:
            break
        kind, size = struct.unpack_from(">4sq", header)
        if kind == b"desc":
            rate, packet_bytes, packet_samples = struct.unpack_from(">d8xII", header, CAF_CHUNK)
            second_bytes = rate * packet_bytes / packet_samples if packet_samples else 0.0
        if kind == b"data":
            return (size - 4) / second_bytes if size != CAF_OPEN and second_bytes > 0 else None
        at += CAF_CHUNK + max(size, 0)
    return None


def _xing_seconds(file: IO[bytes], head: bytes, track: Track) -> float | None:
    """Return the frames that the header of LAME and others counts, as seconds."""
    if head.startswith(b"ID3") and len(head) >= ID3_HEADER:
        a, b, c, d = head[6:ID3_HEADER]
        file.seek(ID3_HEADER + (a << 21 | b << 14 | c << 7 | d))
        head = file.read(HEAD_BYTES)
    places = [place for name in (b"Xing", b"Info") if (place := head.find(name)) >= 0]
    if not places or track.sample_rate is None or len(head) < places[0] + 12:
        return None
    flags, frames = struct.unpack_from(">II", head, places[0] + 4)
    return frames * samples_a_frame(track.sample_rate) / track.sample_rate if flags & 1 else None
