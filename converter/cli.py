"""The command: `python -m converter talk.mp4 talk.mp3`, with no server at all."""

import argparse
import sys
import threading
from pathlib import Path
from typing import Any

from chassis.options import InvalidOption, Options
from converter.convert import convert
from converter.errors import ConversionFailed
from converter.limits import Limits


def main(arguments: list[str]) -> int:
    """Convert one file and return the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m converter", description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("mp3", type=Path)
    parser.add_argument("--quality", default="V2")
    asked = parser.parse_args(arguments)
    try:
        done = convert(
            asked.video,
            asked.mp3,
            Options.parse({"quality": asked.quality}),
            limits=Limits(),
            stop=threading.Event(),
            on_media=_ignore,
            on_progress=_ignore,
        )
    except (ConversionFailed, InvalidOption) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{done}\n")
    return 0


def _ignore(*_: Any) -> None:
    pass
