"""Small files, made by the ffmpeg that the converter runs."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from converter import ffmpeg
from converter.conversion import Conversion
from converter.convert import convert
from converter.limits import Limits
from pipeline.options import Options

Make = Callable[..., Path]
Convert = Callable[..., Conversion]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a file of a name from ffmpeg's arguments."""

    def made(name: str, *arguments: str) -> Path:
        file = tmp_path / name
        command = [ffmpeg.BINARY, "-nostdin", "-v", "error", "-y", *arguments, str(file)]
        subprocess.run(command, check=True, timeout=60)
        return file

    return made


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    """Return where the MP3 goes."""
    return tmp_path / "out.mp3"


@pytest.fixture
def converted(mp3: Path) -> Convert:
    """Return a function that converts a video with options as a user gives them."""

    def run(video: Path, limits: Limits | None = None, **options: str) -> Conversion:
        return convert(
            video,
            mp3,
            Options.parse(options),
            limits=limits or Limits(),
            stop=threading.Event(),
            on_media=lambda _: None,
            on_progress=lambda _phase, _fraction: None,
        )

    return run
