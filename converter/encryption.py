"""Find out whether a file's sound is encrypted, which ffmpeg does not say: it shows what is underneath."""

from pathlib import Path
from typing import IO

from converter.boxes import SHORT_HEADER, boxes

MAX_MOOV = 16 * 1024 * 1024
MAX_BOXES = 1000
BLOCK = 1024 * 1024


def has_encrypted_sound(video: Path) -> bool:
    """Say whether a file of ISO base media has a sound track under Common Encryption (ISO 23001-7)."""
    with video.open("rb") as file:
        for box in boxes(file, MAX_BOXES):
            if box.kind == b"moov":
                file.seek(box.begin + SHORT_HEADER)
                return _contains(file, b"enca", min(box.end - box.begin, MAX_MOOV))
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
