"""moviepy's parts in the conversion: the ffmpeg binary and the parser of what `ffmpeg -i` says.

Only this module imports moviepy and what it brings.
"""

import os

import imageio_ffmpeg

# moviepy reads a `.env` of any folder above it, a clone's say, and would take the ffmpeg to run from there.
os.environ["PYTHON_DOTENV_DISABLED"] = "1"

from moviepy.video.io.ffmpeg_reader import FFmpegInfosParser

BINARY: str = imageio_ffmpeg.get_ffmpeg_exe()

_parser = FFmpegInfosParser("", "video")


def tag(line: str) -> tuple[str, str]:
    """Return name and value of a metadata line; the name is empty where the value before goes on."""
    name, value = _parser.parse_metadata_field_value(line)
    return str(name), str(value)


def duration(line: str) -> float | None:
    """Return the seconds of a `Duration:` line; `None` where ffmpeg does not know them."""
    try:
        return float(_parser.parse_duration(line))
    except OSError:  # N/A, or more hours than two digits hold
        return None


def sound(line: str) -> tuple[int | None, int | None]:
    """Return sample rate in Hz and bitrate in kbit/s of an audio stream's line."""
    found = _parser.parse_audio_stream_data(line)
    rate, bitrate = found["fps"], found["bitrate"]
    return (rate if isinstance(rate, int) else None), bitrate
