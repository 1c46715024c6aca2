"""Join the streams of several encoders while they are written."""

from array import array
from collections.abc import Sequence
from typing import IO

from converter import errors
from converter.command import TAG_ROOM
from converter.encoding import info, seam
from converter.encoding.blocks import Blocks
from converter.encoding.frames import Frames
from converter.encoding.seam import Reservoir, Unmatched
from converter.report import samples_a_frame

COPIED = 2000
"""Frames that are read at once: two megabytes at most."""
ROOM = b"ID3\3\0\0" + bytes((0, 0, TAG_ROOM >> 7, TAG_ROOM & 0x7F)) + bytes(TAG_ROOM)
"""An empty tag with room for a larger one."""
PATCHED = 128
"""Frames before a seam that the data of the frame behind it may lie in."""


class Joint:
    """Writes the MP3 as far as its frames are known: room for tags, the Info frame, the frames."""

    def __init__(
        self, mp3: IO[bytes], streams: Sequence[Frames], blocks: Blocks, most: int, *, variable: bool
    ) -> None:
        self._mp3 = mp3
        self._streams = streams
        self._blocks = blocks
        self._shape = shape = streams[0].shape
        self._most = most
        self._variable = variable
        self._reservoir = Reservoir(shape)
        self._block = 0
        self._next = 0
        """The frame of the block's stream that is written next."""
        self._exact = True
        """The reservoir is the one that a single encoder would have had."""
        self._begins = array("I")
        self._size = 0
        self._crc = info.Crc()
        self._third = 0
        """Of the first header."""

    @property
    def frames(self) -> int:
        """How many frames were written."""
        return len(self._begins)

    def advance(self) -> None:
        """Write what can be written.

        Raises:
            Unmatched: two encoders did not come to write the same.
        """
        for stream in self._streams:
            stream.grow()
        if not self._third and len(self._streams[0]):
            self._begin()
        while self._joined():
            pass

    def finish(self, samples: int) -> int:
        """Write the rest of a sound of so many samples, and the Info frame; return the bytes of all frames.

        Raises:
            Unmatched: two encoders did not come to write the same.
        """
        self.advance()
        ends = -(-samples // samples_a_frame(self._shape.sample_rate))
        if ends >= (self._block + 1) * self._blocks.length + self._blocks.overlap:
            raise Unmatched("an encoder wrote less than it got")
        who, _ = self._blocks.place(self._block)
        self._write_to(self._streams[who], len(self._streams[who]))
        whole = info.frame(
            self._shape,
            self._third,
            self._begins,
            self._size,
            samples,
            crc=self._crc.value,
            variable=self._variable,
        )
        self._mp3.seek(len(ROOM))
        self._mp3.write(whole)
        return self._size

    def _begin(self) -> None:
        """Leave room for tags and for the Info frame, as ffmpeg does."""
        self._third = self._streams[0].data(0, 1)[2]
        head = info.header(self._shape, self._third, variable=self._variable)
        self._mp3.write(ROOM + bytes(self._shape.size(head[2])))

    def _joined(self) -> bool:
        """Go on with the next block, once both encoders have passed the overlap; say whether they have."""
        who, begin = self._blocks.place(self._block)
        other, start = self._blocks.place(self._block + 1)
        left, right = self._streams[who], self._streams[other]
        behind = begin + self._blocks.turn
        end = start + self._blocks.overlap
        if len(left) < behind or len(right) < end:
            return False
        found = seam.find(left, behind, right, end, variable=self._variable)
        self._write_to(left, max(found.left - PATCHED, self._next))
        tail = seam.patched(left, self._next, found, right)
        self._check(left, self._next, found.left)
        self._note(left, self._next, found.left)
        self._write(tail)
        self._exact = self._exact and found.exact
        self._block += 1
        self._next = found.right
        return True

    def _write_to(self, stream: Frames, last: int) -> None:
        self._check(stream, self._next, last)
        while self._next < last:
            upto = min(self._next + COPIED, last)
            self._note(stream, self._next, upto)
            self._write(stream.data(self._next, upto))
            self._next = upto

    def _check(self, stream: Frames, first: int, last: int) -> None:
        if not self._exact and not self._reservoir.spares(stream, first, last):
            raise Unmatched("a frame may depend on how full the bit reservoir was")

    def _note(self, stream: Frames, first: int, last: int) -> None:
        moved = self._size - stream.begins[first]
        self._begins.extend(array("I", (begin + moved for begin in stream.begins[first:last])))

    def _write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise errors.too_large(self._most)
        self._crc.add(data)
        self._mp3.write(data)
