"""Walk over the boxes of a file of ISO base media (ISO 14496-12) or QuickTime."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

HEADER = struct.Struct(">I4sQ")
"""Size, kind, and the size of a box that is too long for the first field."""
SHORT_HEADER = 8
TO_THE_END, LONG = 0, 1


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box is; what its header says may be more than there is."""

    kind: bytes
    begin: int
    end: int


def boxes(file: IO[bytes], at_most: int, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes of a file, or of a part of it, from the first to the last whose header is there."""
    whole = file.seek(0, os.SEEK_END)
    whole = whole if end is None else min(end, whole)
    at = begin
    for _ in range(at_most):
        file.seek(at)
        header = file.read(min(HEADER.size, max(whole - at, 0)))
        if len(header) < SHORT_HEADER:
            return
        size, kind, long_size = HEADER.unpack(header.ljust(HEADER.size, b"\0"))
        size = {TO_THE_END: whole - at, LONG: long_size}.get(size, size)
        end_of_box = at + max(size, SHORT_HEADER)
        yield Box(kind, at, end_of_box)
        at = end_of_box
