"""What a file says of itself and ffmpeg does not pass on: how large it should be, that it is encrypted.

Of a file that was cut short, ffmpeg works the duration out from what is left if the container is RIFF
(WAV, AVI), ASF, CAF or Wave64: only the size in the header tells that there was more.
"""

import struct
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 64 * 1024
MAX_MOOV = 16 * 1024 * 1024
MAX_CHUNKS = 1000
UNKNOWN = (-1, 0, 2**32 - 1, 2**64 - 1)
"""What writers put where they do not know the size yet."""

ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
BROADCAST = 1
W64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0"
BOX_WITH_LONG_SIZE = 1


def declared_bytes(video: Path) -> int | None:
    """Return how large the file says that it is; `None` if it does not say."""
    with video.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(b"RIFF"):
            return _end_of_chunks(file, 0, struct.Struct("<4sI"), only=b"RIFF")
        if head.startswith(b"caff"):
            return _end_of_chunks(file, 8, struct.Struct(">4sq"))
    if head.startswith(W64):
        return _number(head, len(W64))
    if head.startswith(ASF):
        return _asf(head)
    return None


def has_encrypted_sound(video: Path) -> bool:
    """Say whether a file of ISO base media has a sound track under Common Encryption (ISO 23001-7)."""
    with video.open("rb") as file:
        at = 0
        for _ in range(MAX_CHUNKS):
            file.seek(at)
            header = file.read(16)
            if len(header) < 16:  # noqa: PLR2004 - as was asked for
                return False
            size, kind, long_size = struct.unpack(">I4sQ", header)
            if kind == b"moov":
                file.seek(at + 8)
                return b"enca" in file.read(min(size, MAX_MOOV))
            at += long_size if size == BOX_WITH_LONG_SIZE else max(size, 8)
    return False


def _end_of_chunks(file: BinaryIO, at: int, header: struct.Struct, only: bytes = b"") -> int | None:
    """Return where the last chunk ends; a large AVI is several `RIFF`, one behind the other (OpenDML)."""
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        data = file.read(header.size)
        if len(data) < header.size or not data.startswith(only):
            return at
        size = header.unpack(data)[1]
        if size in UNKNOWN or size < 0:
            return None
        at += header.size + size
    return None


def _asf(head: bytes) -> int | None:
    at = head.find(ASF_PROPERTIES)
    flags = head[at + 88 : at + 89]
    if at < 0 or not flags or flags[0] & BROADCAST:
        return None
    return _number(head, at + 40)


def _number(head: bytes, at: int) -> int | None:
    """Return 64 bits, the least significant first."""
    number = int.from_bytes(head[at : at + 8], "little")
    return None if number in UNKNOWN else number
