"""Small files, made by the ffmpeg that the converter runs."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from converter import ffmpeg

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a file of a name from ffmpeg's arguments."""

    def made(name: str, *arguments: str) -> Path:
        file = tmp_path / name
        command = [ffmpeg.BINARY, "-nostdin", "-v", "error", "-y", *arguments, str(file)]
        subprocess.run(command, check=True, timeout=60)
        return file

    return made
