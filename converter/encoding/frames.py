"""Read the frames of one encoder while it writes them (ISO 11172-3 and 13818-3, layer III).

Of every frame the place and the pointer into the bit reservoir are kept; what a frame says is only
read where two encoders are compared.
"""

import os
from array import array
from typing import NamedTuple

from converter.report import MPEG_1_RATE

READ_BYTES = 256 * 1024
HEADER = 4
SYNC = 0xFF
BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
HALF_BITRATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


class Shape(NamedTuple):
    """What is the same for all frames of a stream; sizes are in bytes."""

    sample_rate: int
    channels: int

    @property
    def full(self) -> bool:
        """MPEG-1, with two granules a frame; else MPEG-2, with one."""
        return self.sample_rate >= MPEG_1_RATE

    @property
    def side(self) -> int:
        """The side information."""
        return ((17, 32) if self.full else (9, 17))[self.channels - 1]

    def size(self, third: int) -> int:
        """Return the size of a frame whose header has this third byte."""
        bitrate = (BITRATES if self.full else HALF_BITRATES)[third >> 4] if third >> 4 < len(BITRATES) else 0
        if not bitrate:
            raise ValueError(f"no MP3 of ours: the third byte of a header is {third:#x}")
        return (144 if self.full else 72) * bitrate * 1000 // self.sample_rate + (third >> 1 & 1)


class Logical(NamedTuple):
    """What a decoder hears of a frame, wherever its bits lie."""

    mode: int
    side: int
    """The side information without the pointer into the reservoir."""
    main: int
    bits: int


class Frames:
    """The frames in a file that grows."""

    def __init__(self, file: int, shape: Shape) -> None:
        self._file = file
        self.shape = shape
        self.begins = array("Q", (0,))
        """Where each frame begins in the file, and where the last one ends."""
        self.reservoirs = array("H")
        """How many bytes of each frame lie in the room of those before it."""
        self._sizes = {third: shape.size(third) for third in range(16, 240) if third & 0x0C == self._rate()}
        self._read = 0
        self._rest = b""

    def _rate(self) -> int:
        """Return the bits of the third byte that name the sample rate."""
        rates = (44100, 48000, 32000) if self.shape.full else (22050, 24000, 16000)
        return rates.index(self.shape.sample_rate) << 2

    def __len__(self) -> int:
        return len(self.reservoirs)

    def grow(self) -> None:
        """Read what the encoder has written since."""
        while data := os.pread(self._file, READ_BYTES, self._read):
            self._read += len(data)
            self._scan(self._rest + data)

    def _scan(self, data: bytes) -> None:
        begin = self._read - len(data)
        at = self.begins[-1] - begin
        end = len(data) - HEADER - 2
        full = self.shape.full
        while at <= end:
            if data[at] != SYNC:
                raise ValueError(f"no frame at {begin + at}")
            size = self._sizes[data[at + 2]]
            if at + size > len(data):
                break
            self.reservoirs.append(data[at + 4] << 1 | data[at + 5] >> 7 if full else data[at + 4])
            at += size
            self.begins.append(begin + at)
        self._rest = data[at:]

    def data(self, first: int, last: int) -> bytes:
        """Return the bytes of the frames from `first` to before `last`."""
        begin = self.begins[first]
        return os.pread(self._file, self.begins[last] - begin, begin)

    def room(self, frame: int) -> int:
        """Return how many bytes of main data a frame has room for."""
        return self.begins[frame + 1] - self.begins[frame] - HEADER - self.shape.side

    def grown(self, frame: int, wanted: int) -> int | None:
        """Return the third byte of a frame's header that gives it so many bytes more; `None` if none does."""
        size = self.begins[frame + 1] - self.begins[frame]
        third = self.data(frame, frame + 1)[2]
        if wanted <= 0:
            return third
        larger = (each for each in range(third + 16, 240, 16) if self._sizes[each] >= size + wanted)
        return next(larger, None)

    def borrowed(self, frame: int) -> bytes:
        """Return those bytes of a frame that lie in the room of the frames before it."""
        wanted, parts, at = self.reservoirs[frame], [], frame
        while wanted > 0 and at > 0:
            at -= 1
            own = self.data(at, at + 1)[HEADER + self.shape.side :]
            parts.append(own[-wanted:])
            wanted -= len(own)
        return b"".join(reversed(parts))

    def logical(self, frame: int) -> Logical:
        """Return what a decoder hears of a frame."""
        own = self.data(frame, frame + 1)
        behind = HEADER + self.shape.side
        side = int.from_bytes(own[HEADER:behind])
        left = self.shape.side * 8
        bits = sum(side >> left - begin - 12 & 0xFFF for begin in self._lengths())
        main = self.borrowed(frame) + own[behind:]
        return Logical(
            own[3] & 0x30,
            side & (1 << left - (9 if self.shape.full else 8)) - 1,
            int.from_bytes(main) >> max(len(main) * 8 - bits, 0),
            bits,
        )

    def _lengths(self) -> tuple[int, ...]:
        """Return at which bits of the side information the lengths of the main data stand."""
        channels = self.shape.channels
        if self.shape.full:
            begin = 9 + (5 if channels == 1 else 3) + 4 * channels
            return tuple(begin + 59 * part for part in range(2 * channels))
        begin = 8 + channels
        return tuple(begin + 63 * part for part in range(channels))
