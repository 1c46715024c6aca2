"""Walk over the elements of a Matroska file (EBML, RFC 8794)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

MAX_ELEMENTS = 2000
MAX_ID, MAX_SIZE = 4, 8


@dataclass(frozen=True, slots=True)
class Element:
    """Where an element's content is."""

    begin: int
    size: int


def elements(file: IO[bytes], number: int, inside: Element | None = None) -> Iterator[Element]:
    """Yield the elements of a number in a file or in an element, with the file at the content of each."""
    whole = file.seek(0, os.SEEK_END)
    at = inside.begin if inside else 0
    end = min(at + inside.size, whole) if inside else whole
    for _ in range(MAX_ELEMENTS):
        file.seek(at)
        name, size, begin = _header(file.read(MAX_ID + MAX_SIZE), at)
        if begin == at or begin > end:
            return
        size = end - begin if size is None else size
        if name == number:
            file.seek(begin)
            yield Element(begin, size)
        at = begin + size


def _header(data: bytes, at: int) -> tuple[int, int | None, int]:
    """Return number, size and beginning of the content; no size is one that the writer did not know."""
    name = _length(data, 0, MAX_ID)
    length = _length(data, name, MAX_SIZE) if name else 0
    if not length:
        return 0, None, at
    value = int.from_bytes(data[name : name + length]) & (1 << 7 * length) - 1
    unknown = value == (1 << 7 * length) - 1
    return int.from_bytes(data[:name]), None if unknown else value, at + name + length


def _length(data: bytes, at: int, most: int) -> int:
    """Return how many bytes a number of variable length has; 0 if there is none."""
    if at >= len(data) or data[at] == 0:
        return 0
    length = 9 - data[at].bit_length()
    return length if length <= most and at + length <= len(data) else 0
