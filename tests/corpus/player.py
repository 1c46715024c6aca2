"""mpg123 as a referee of MP3s: a player that is no ffmpeg, so that ffmpeg is not judged by itself alone."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from mutagen.mp3 import MP3

SECONDS = 60


def played(mp3: Path) -> tuple["np.ndarray[tuple[int, ...], np.dtype[np.float32]]", int]:
    """Return the samples that a listener hears of an MP3, without delay and padding, and their rate.

    Raises:
        AssertionError: with what the player complained of.
    """
    command = ["mpg123", "-q", "-s", "-e", "f32", str(mp3)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    said = done.stderr.decode(errors="replace")
    assert (done.returncode, said) == (0, ""), said
    info: Any = MP3(mp3).info
    return np.frombuffer(done.stdout, "<f4").reshape(-1, info.channels), info.sample_rate
