"""Find out how much later than a video its sound begins, where ffmpeg takes the sound's beginning for both.

With one track alone ffmpeg moves the times of a stream of packets to that track's beginning; of Matroska it
does not know when pictures begin that it has no decoder for.  So the packets are asked.
"""

import re
from collections.abc import Sequence
from typing import IO

from converter import sandbox
from converter.encoder import Encoder
from converter.media import Track

CORRECTED = re.compile(r"Correcting start time of Input #0 by (\d+) us")
TIME_BASE = re.compile(r"#tb 0: (\d+)/(\d+)")
PACKET = re.compile(r"0, +-?\d+, +(-?\d+),")
PACKETS = 4
"""Pictures are not stored in their order: the first to be shown is among so many."""
NO_TIME = -(1 << 63)
STREAMS, MATROSKA = ("mpegts", "mpeg", "ogg"), "matroska,webm"
LEAST, MOST = 0.02, 600.0
"""In seconds: what nobody hears, and what is no late beginning but a clock that jumps."""


def lateness(encoder: Encoder, track: Track, listed: IO[bytes]) -> float:
    """Return how many seconds of silence ffmpeg would leave out before the sound; `listed` is for its use.

    Raises:
        Cancelled: the work was stopped.
        ConversionFailed: ffmpeg stalled or crashed.
    """
    media = encoder.media
    if (media.picture is None and len(media.tracks) == 1) or media.links:
        return 0.0
    if media.container in STREAMS:
        late = _correction(encoder, track)
    elif media.container == MATROSKA and media.start >= LEAST and media.picture is not None:
        late = _difference(encoder, media.picture, listed)
    else:
        late = 0.0
    return late if LEAST <= late <= MOST else 0.0


def _correction(encoder: Encoder, track: Track) -> float:
    """Return by how much ffmpeg would move the times."""
    one = ("-map", f"0:{track.stream}", "-c", "copy", "-frames:a", "1", "-f", "null", "-")
    found = [CORRECTED.search(line) for line in _said(encoder, "-v", "level+verbose", outputs=one)]
    return sum(int(corrected[1]) / 1e6 for corrected in found if corrected)


def _difference(encoder: Encoder, picture: int, listed: IO[bytes]) -> float:
    """Return how much later the file begins by ffmpeg's word than its pictures do by their packets."""
    some = ("-map", f"0:{picture}", "-c", "copy", "-frames:v", str(PACKETS))
    listing = ("-f", "framecrc", "-fd", str(listed.fileno()), sandbox.OUTPUT)
    _said(encoder, "-v", "error", "-copyts", outputs=(*some, *listing), shared=(listed.fileno(),))
    listed.seek(0)
    lines = listed.read().decode("ascii", "replace")
    base = TIME_BASE.search(lines)
    times = [int(found[1]) for found in map(PACKET.match, lines.splitlines()) if found]
    times = [time for time in times if time != NO_TIME]
    if not (base and times):
        return 0.0
    return encoder.media.start - min(times) * int(base[1]) / int(base[2])


def _said(encoder: Encoder, *inputs: str, outputs: Sequence[str], shared: Sequence[int] = ()) -> list[str]:
    """Run ffmpeg and return the lines of its log."""
    said: list[str] = []
    sandbox.run(
        (*inputs, *encoder.media.opening, *sandbox.INPUT, *outputs),
        video=encoder.video,
        shared=shared,
        limits=encoder.limits,
        stop=encoder.stop,
        on_line=said.append,
    )
    return said
