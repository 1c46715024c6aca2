"""Which ffmpeg runs is nobody's to say but the environment's."""

import os
import subprocess
import sys
from pathlib import Path

from converter import ffmpeg


def test_a_stray_env_file_has_no_say(tmp_path: Path) -> None:
    names = ("FFMPEG_BINARY", "FFPLAY_BINARY", "IMAGEIO_FFMPEG_EXE", "MONGODB_URL")
    (tmp_path / ".env").write_text("".join(f"{name}=/stray\n" for name in names))
    # Without a file as its main module, python-dotenv begins to search in the working folder.
    program = "import os; from converter import ffmpeg; print(ffmpeg.BINARY, '/stray' in os.environ.values())"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == f"{ffmpeg.BINARY} False\n", done.stderr
