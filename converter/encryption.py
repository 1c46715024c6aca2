"""Find out whether a file's sound is encrypted, which ffmpeg does not say: it shows what is underneath."""

import struct
from pathlib import Path
from typing import IO

MAX_MOOV = 16 * 1024 * 1024
MAX_BOXES = 1000
HEADER = struct.Struct(">I4sQ")
"""Size, kind, and the size of a box that is too long for the first field."""
BLOCK = 1024 * 1024
LONG = 1
SHORT_HEADER = 8


def has_encrypted_sound(video: Path) -> bool:
    """Say whether a file of ISO base media has a sound track under Common Encryption (ISO 23001-7)."""
    with video.open("rb") as file:
        at = 0
        for _ in range(MAX_BOXES):
            file.seek(at)
            header = file.read(HEADER.size)
            if len(header) < HEADER.size:
                return False
            size, kind, long_size = HEADER.unpack(header)
            if kind == b"moov":
                file.seek(at + SHORT_HEADER)
                return _contains(file, b"enca", min(size, MAX_MOOV))
            at += long_size if size == LONG else max(size, SHORT_HEADER)
    return False


def _contains(file: IO[bytes], word: bytes, size: int) -> bool:
    """Say whether a word is in the next bytes of a file, a block of which is in memory at a time."""
    rest = b""
    while size > 0 and (block := file.read(min(size, BLOCK))):
        if word in rest + block:
            return True
        rest = block[-len(word) :]
        size -= len(block)
    return False
