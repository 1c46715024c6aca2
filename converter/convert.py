"""Turn a video into an MP3: probe, choose, encode, and check that what came out is the whole."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mutagen.mp3 import MP3

from chassis.options import Options
from converter import encoder, errors
from converter.limits import Limits
from converter.probe import probe
from converter.tracks import choose

Phase = Literal["probing", "converting"]
OnMedia = Callable[[dict[str, Any]], None]
OnProgress = Callable[[Phase, float], None]
PROBED, ENCODED = 0.02, 0.98
"""Where the phases end on the way from 0 to 1."""
SHORT_SECONDS, SHORT_PART = 1.0, 0.01
"""What may be missing at the end of a whole file."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the owner should know about an MP3."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of a conversion."""

    duration: float
    complete: bool
    warnings: tuple[Warned, ...]
    track: int
    channels: int
    sample_rate: int
    bitrate: int
    """In kbit/s, on average."""

    def as_document(self) -> dict[str, Any]:
        """Return what the job's `result` says, but for the place where the MP3 is stored."""
        return asdict(self) | {"warnings": [asdict(warned) for warned in self.warnings]}


def convert(  # noqa: PLR0913 - the whole core is behind this one call
    video: Path,
    mp3: Path,
    options: Options,
    *,
    limits: Limits,
    stop: threading.Event,
    on_media: OnMedia,
    on_progress: OnProgress,
) -> Conversion:
    """Write the sound of `video` to `mp3` and return what can be said of it.

    Raises:
        Cancelled: `stop` was set; no process is left, the MP3 is not whole.
        ConversionFailed: there is no MP3 to keep, for the reason that it says.
    """
    on_progress("probing", 0.0)
    if video.stat().st_size == 0:
        raise errors.empty_file()
    media = probe(video, limits, stop)
    on_media(media.as_document())
    track = choose(media, options.track)
    promised = encoder.promised(media.duration, track.seconds, options)
    if promised is not None and promised > limits.seconds:
        raise errors.too_long(limits.seconds)

    def encoded(seconds: float) -> None:
        if seconds > limits.seconds:
            raise errors.too_long(limits.seconds)
        part = min(seconds / promised, 1.0) if promised else 0.0
        on_progress("converting", PROBED + (ENCODED - PROBED) * part)

    on_progress("converting", PROBED)
    encoder.encode(video, mp3, track, options, limits=limits, stop=stop, on_time=encoded)
    info = MP3(mp3).info
    return Conversion(
        duration=round(info.length, 3),
        complete=promised is None or info.length > promised - max(SHORT_SECONDS, SHORT_PART * promised),
        warnings=(),
        track=track.number,
        channels=info.channels,
        sample_rate=info.sample_rate,
        bitrate=round(info.bitrate / 1000),
    )
