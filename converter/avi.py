"""Find the pauses in the sound of an AVI file: chunks without content, each as long as one with sound.

ffmpeg passes over them where the chunks vary in size, and puts what follows too early.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

AVI = b"AVI "
HEADER = struct.Struct("<4sI")
FORM = 4
LISTS = (b"hdrl", b"strl", b"movi", b"rec ", AVI, b"AVIX")
"""What holds other chunks (OpenDML AVI File Format Extensions 1.02)."""
STREAM = struct.Struct("<4s28xI8xI")
"""Kind, length in units, and the size of a sample, which is 0 where it varies."""
SOUND = struct.Struct("<12xH")
"""The size of a block (WAVEFORMATEX)."""
MAX_CHUNKS = 5_000_000
MAX_PAUSES = 200
"""More of them than this are left alone."""


@dataclass(slots=True)
class _Sound:
    length: int
    block: int
    counted: int = 0
    """Units so far as ffmpeg counts them."""
    empty: int = 0
    pauses: dict[int, int] = field(default_factory=dict)

    def take(self, size: int) -> None:
        self.counted += -(-size // self.block)
        if size == 0:
            self.empty += 1
            self.pauses[self.counted] = self.pauses.get(self.counted, 0) + 1


def pauses(video: Path) -> dict[int, dict[int, int]]:
    """Return for each stream that pauses how many units of silence come after how many of sound."""
    with video.open("rb") as file:
        if file.read(HEADER.size + FORM)[HEADER.size :] != AVI:
            return {}
        sounds: dict[int, _Sound] = {}
        streams, head = 0, b""
        for kind, size in _chunks(file):
            if kind == b"strh":
                streams, head = streams + 1, file.read(min(size, STREAM.size))
            elif kind == b"strf" and (sound := _sound(head, file.read(min(size, SOUND.size)))):
                sounds[streams - 1] = sound
            elif kind == b"movi" and not sounds:
                return {}
            elif kind[2:] == b"wb" and kind[:2].isdigit() and (found := sounds.get(int(kind[:2]))):
                found.take(size)
    return {
        stream: sound.pauses
        for stream, sound in sounds.items()
        # The length says whether who wrote the file counts what is empty.
        if 0 < len(sound.pauses) <= MAX_PAUSES and sound.length >= sound.counted + sound.empty
    }


def _sound(head: bytes, shape: bytes) -> _Sound | None:
    """Return a sound whose chunks vary in size; `None` for every other stream."""
    if len(head) < STREAM.size or len(shape) < SOUND.size:
        return None
    kind, length, sample = STREAM.unpack(head)
    (block,) = SOUND.unpack(shape)
    return _Sound(length, block) if kind == b"auds" and not sample and block else None


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield kind and size of each chunk, a list before what is in it, with the file at its content."""
    at = 0
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        header = file.read(HEADER.size + FORM)
        if len(header) < HEADER.size:
            return
        kind, size = HEADER.unpack_from(header)
        form = header[HEADER.size :]
        if kind in (b"RIFF", b"LIST") and form in LISTS:
            yield form, size
            at += HEADER.size + FORM
            continue
        file.seek(at + HEADER.size)
        yield kind, size
        at += HEADER.size + size + (size & 1)
