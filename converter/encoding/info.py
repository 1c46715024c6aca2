"""Write the Info frame: how long the sound is, where to seek, and what a player must cut off at both ends.

The tag of Xing and LAME (gabriel.mp3-tech.org/mp3infotag.html), as ffmpeg's muxer writes it.
"""

from collections.abc import Sequence

from converter.encoding.frames import HEADER, Shape
from converter.report import samples_a_frame

PLACES = 100
FIELDS = 0x0F
"""Number of frames, number of bytes, table of places, quality."""
MAKER = b"Lavc\0\0\0\0\0"
"""What players know as one that means the samples to cut off."""
TAG = 4 + 4 + 4 + 4 + PLACES + 4
"""From the name to the encoder's fields, which take 36 bytes more."""
SIZE = TAG + 36
START = 1105
"""Samples that LAME puts before the sound; what a decoder adds, 529, counts as part of that."""
DECODER = 529
POLYNOMIAL = 0xA001
PERIOD = 32767


class Crc:
    """The CRC-16 of LAME's tag over any number of bytes.

    Its polynomial divides x^32767 + 1, so bytes that are 32767 apart count the same: they are added up
    first, as whole numbers, and a single block goes through the table.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._length = 0
        self._rest = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self._rest += data
        whole = len(self._rest) // PERIOD * PERIOD
        for at in range(0, whole, PERIOD):
            self._sum ^= int.from_bytes(self._rest[at : at + PERIOD], "little")
        self._length += whole
        del self._rest[:whole]

    @property
    def value(self) -> int:
        """The CRC so far."""
        # The last byte must come last: turn the block until it does.
        block = self._sum.to_bytes(PERIOD, "little")
        rest = bytes(self._rest)
        folded = bytes(a ^ b for a, b in zip(block, rest.ljust(PERIOD, b"\0"), strict=True))
        return _crc(folded[len(rest) :] + folded[: len(rest)])


def _crc(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
    return value


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


TABLE = tuple(_entry(value) for value in range(256))


def header(shape: Shape, third: int, *, variable: bool) -> bytes:
    """Return the header of the frame that takes the tag, beside frames whose third byte is given.

    It has their bitrate, or the lowest that gives it room.
    """
    rate = third & 0x0C
    least = 1 if variable else third >> 4
    fits = (index << 4 | rate for index in range(least, 15) if _fits(shape, index << 4 | rate))
    return bytes((0xFF, 0xFB if shape.full else 0xF3, next(fits), 0xC0 if shape.channels == 1 else 0x00))


def _fits(shape: Shape, third: int) -> bool:
    return shape.size(third) >= HEADER + shape.side + SIZE


def frame(  # noqa: PLR0913 - all that a player learns of a sound
    shape: Shape, third: int, begins: Sequence[int], size: int, samples: int, *, crc: int, variable: bool
) -> bytes:
    """Return the Info frame of frames that begin at these places of `size` bytes behind it."""
    head = header(shape, third, variable=variable)
    whole = shape.size(head[2])
    count = len(begins)
    places = bytes(
        256 * (whole + begins[count * place // PLACES]) // (whole + size) if place else 0
        for place in range(PLACES)
    )
    padding = max(count * samples_a_frame(shape.sample_rate) - samples - START, 0)
    tag = b"".join(
        (
            b"Xing" if variable else b"Info",
            FIELDS.to_bytes(4),
            count.to_bytes(4),
            (whole + size).to_bytes(4),
            places,
            bytes(4),
            MAKER,
            bytes(12),
            ((START - DECODER) << 12 | min(padding + DECODER, 0xFFF)).to_bytes(3),
            bytes(4),
            (whole + size).to_bytes(4),
            crc.to_bytes(2),
        )
    )
    written = head + bytes(shape.side) + tag
    return (written + _crc(written).to_bytes(2)).ljust(whole, b"\0")
