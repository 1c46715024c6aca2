"""Find the frame at which one encoder's stream can go on with its neighbour's, and what must hold for it.

Both have encoded the same samples around it.  LAME forgets what came before, with one exception: how
full its bit reservoir is.  So the frames must be alike for longer than the rest is remembered, and the
reservoirs must be the same; or, where they are not, no later frame may have been cut down to what a
reservoir left.  With variable bitrates this is so for all but the largest frames (see `Reservoir`).
"""

from dataclasses import dataclass

from converter.encoding.blocks import ALIKE
from converter.encoding.frames import HEADER, Frames, Shape

SPOILED = 4
"""The last frames of an overlap, which know of what comes after it."""
BUFFER_BITS = 11520
FULL_LIMIT, HALF_LIMIT = 4088, 2040
CERTAIN, NEAR = 0.85, 0.9
"""Parts of a limit; of the frames that were seen cut down to one, the smallest had 0.88 and 0.95."""


class Unmatched(Exception):
    """Two encoders did not come to write the same: their streams cannot be joined."""


@dataclass(frozen=True, slots=True)
class Seam:
    """Where the streams are joined: before `left` of the one, `right` of the other goes on."""

    left: int
    right: int
    exact: bool
    """The reservoirs are the same, so all that follows is."""


def find(left: Frames, behind: int, right: Frames, begin: int, *, variable: bool) -> Seam:
    """Return the seam before the frame `behind` the overlap of `left`; that of `right` begins at `begin`.

    `behind` and the overlap's end in `right` are the same moment of the sound.

    Raises:
        Unmatched: the frames differ, or the reservoirs do where that can be heard.
    """
    last = behind - SPOILED
    shift = begin - behind
    for frame in range(last - ALIKE, last):
        if left.logical(frame) != right.logical(frame + shift):
            raise Unmatched(f"the frames differ {behind - frame} before the end of the overlap")
    differences = {
        frame: left.reservoirs[frame] - right.reservoirs[frame + shift]
        for frame in range(last - ALIKE, last)
        if left.grown(frame - 1, right.reservoirs[frame + shift] - left.reservoirs[frame]) is not None
    }
    best = min(differences, key=lambda frame: abs(differences[frame]), default=None)
    if best is None or (differences[best] and not (variable and left.shape.full)):
        raise Unmatched("the bit reservoirs differ")
    return Seam(best, best + shift, exact=not differences[best])


def patched(left: Frames, first: int, seam: Seam, right: Frames) -> bytes:
    """Return the frames of `left` from `first` to the seam, with what `right`'s next frame has in them.

    Where the reservoir of `left` is too small for that, its last frame gets a higher bitrate.
    """
    last = seam.left - 1
    begin = left.begins[last] - left.begins[first]
    frames = bytearray(left.data(first, seam.left))
    borrowed = right.borrowed(seam.right)
    third = left.grown(last, len(borrowed) - left.reservoirs[seam.left])
    if third is None:
        raise Unmatched("no frame is large enough")
    added = left.shape.size(third) - (len(frames) - begin)
    frames[begin + 2] = third
    frames += bytes(added)
    end = len(frames)
    while borrowed:
        part = borrowed[-(left.room(last) + added) :]
        frames[end - len(part) : end] = part
        borrowed = borrowed[: len(borrowed) - len(part)]
        end -= left.begins[last + 1] - left.begins[last] + added
        last, added = last - 1, 0
    return bytes(frames)


class Reservoir:
    """Knows which frames of a variable bitrate no reservoir can have cut down.

    LAME's variable bitrates take from the reservoir only for a frame that is larger than the largest
    bitrate's own room (VBR_new_iteration_loop, VBR_encode_frame).  What such a frame may have at most
    depends on the reservoir; it gets no less than 0.9 of that room.  Frames well below either limit
    are as large as they want to be, however full the reservoir is.
    """

    def __init__(self, shape: Shape) -> None:
        size = shape.size(0xE0)
        room = (size - HEADER - shape.side) * 8
        most = max(min(BUFFER_BITS - size * 8, FULL_LIMIT if shape.full else HALF_LIMIT), 0)
        step = size - shape.size(0xD0)
        self._safe = [_safe(room, min(max(kept - step, 0) * 8, most), most) for kept in range(512)]

    def spares(self, frames: Frames, first: int, last: int) -> bool:
        """Say whether no frame from `first` to before `last` can depend on how full the reservoir was."""
        kept = frames.reservoirs[first : last + 1]
        rooms = HEADER + frames.shape.side
        begins = frames.begins[first : last + 1]
        sizes = zip(begins, begins[1:], kept, kept[1:], strict=False)
        safe = self._safe
        return all(end - begin - rooms + had - left <= safe[had] for begin, end, had, left in sizes)


def _safe(room: int, kept: int, most: int) -> int:
    """Return up to how many bytes a frame is safe, if so many bits are in a reservoir of at most `most`."""
    if kept > 0.9 * most:
        extra = kept - 0.9 * most
        limit = room + 2 * (extra + max(0.6 * most - extra, 0))
    else:
        limit = 0.9 * room + 2 * min(kept, 0.6 * most)
    return int(max(CERTAIN * room, NEAR * min(limit, room + kept)) / 8)
