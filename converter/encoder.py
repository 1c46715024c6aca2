"""Run the encoding itself."""

import signal
import threading
from collections import deque
from pathlib import Path

from chassis.options import SAMPLE_RATES, Options
from converter import errors, sandbox
from converter.errors import ConversionFailed
from converter.limits import Limits
from converter.media import Track

LOG_LINES = 200


def promised(duration: float | None, track_seconds: float | None, options: Options) -> float | None:
    """Return how long the MP3 must be, by what the file says of itself."""
    whole = track_seconds or duration
    if whole is None:
        return None
    return min(whole, options.end or whole) - options.start


def encode(  # noqa: PLR0913 - what to encode, and how to follow it
    video: Path,
    mp3: Path,
    track: Track,
    options: Options,
    *,
    limits: Limits,
    stop: threading.Event,
    on_time: sandbox.OnTime,
) -> None:
    """Write one sound track as an MP3.

    Raises:
        Cancelled: `stop` was set.
        ConversionFailed: ffmpeg could not.
    """
    log: deque[str] = deque(maxlen=LOG_LINES)
    status = sandbox.run(
        (*("-v", "level+verbose"), *sandbox.INPUT, *_output(track, options), sandbox.OUTPUT),
        video=video,
        output=mp3,
        limits=limits,
        stop=stop,
        on_line=log.append,
        on_time=on_time,
    )
    if status != 0:
        raise _why(status, list(log), track, limits)
    if mp3.stat().st_size == 0:
        raise errors.empty_audio()


def _output(track: Track, options: Options) -> tuple[str, ...]:
    quality = ("-q:a", options.quality[1:]) if options.quality[0] == "V" else ("-b:a", f"{options.quality}k")
    rate = max(of for of in SAMPLE_RATES if of <= max(track.sample_rate or 48000, SAMPLE_RATES[0]))
    part = () if options.end is None else ("-t", str(options.end - options.start))
    mono = options.channels == "mono" or (options.channels == "auto" and track.channels == 1)
    return (
        *("-map", f"0:{track.stream}"),
        *("-ss", str(options.start), *part),
        *("-af", "aresample=async=1:first_pts=0"),
        *("-c:a", "libmp3lame", *quality),
        *("-ac", "1" if mono else "2"),
        *("-ar", str(rate if options.sample_rate == "auto" else options.sample_rate)),
        *("-id3v2_version", "3", "-f", "mp3"),
    )


def _why(status: int, log: list[str], track: Track, limits: Limits) -> ConversionFailed:
    said = "\n".join(log)
    if status == -signal.SIGXFSZ or "File too large" in said:
        return errors.too_large(limits.mp3_bytes)
    if "No space left on device" in said:
        return errors.out_of_space()
    if "not on whitelist" in said or "Decoder (codec" in said:
        return errors.unsupported_codec(track.codec)
    if status < 0:
        return errors.crashed(signal.Signals(-status).name)
    problems = [line for line in log if "[error]" in line or "[fatal]" in line]
    return errors.unreadable_media(problems[-1].rpartition("] ")[2] if problems else "no reason is known")
