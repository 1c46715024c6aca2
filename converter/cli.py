"""The command `python -m converter talk.mp4 talk.mp3`: the same core as the service, without any server."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from converter import parts
from converter.conversion import Conversion
from converter.convert import convert, discard
from converter.encoding import cores
from converter.errors import Cancelled, ConversionFailed
from converter.limits import Limits
from converter.parts import Part
from pipeline.options import InvalidOption, Options

WHOLE, FAILED, USAGE, PARTIAL, TRY_AGAIN, SIGNALLED = 0, 1, 2, 3, 4, 128
EPILOG = """\
exit status:
  0    the MP3 holds all the sound
  1    the video cannot be converted; the reason and what to do are on standard error
  2    the command or an option is wrong, or a file cannot be read or written
  3    there is an MP3, but the video is incomplete (with --strict this is 1)
  4    something on this machine went wrong; the same command may work later
  130  stopped by Ctrl-C, 143 by SIGTERM; nothing is left behind

examples:
  python -m converter talk.mp4
  python -m converter talk.mp4 talk.mp3 --quality V2 --loudness podcast
  python -m converter ./-talk.mp4          a name that begins with a dash
  python -m converter film.mkv part.mp3 --track eng --start 1:30 --end 00:05:00
"""
HELP = {
    "quality": "auto (V2, or less where the source has less), V0 (best) to V9, or 64 to 320 kbit/s",
    "track": "default, a number from 1, a language such as en or eng, or 1+2 for left and right",
    "start": "where to start: 90, 1:30 or 00:01:30.5",
    "end": "where to stop, in the same formats",
    "channels": "auto, mono, stereo, or only one channel: left or right",
    "sample_rate": "auto, or 8000 to 48000",
    "loudness": "off, podcast (-16), music (-14), ebu (-23), or a number of LUFS such as -19",
    "tags": "keep or strip",
    "title": "a title for the MP3",
    "split": "chapters or silence: also write one MP3 per section, in a folder with the MP3's name",
}


def main(arguments: list[str]) -> int:
    """Convert one file and return the process's exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    video: Path = asked.video
    try:
        _check_video(video)
        mp3: Path = asked.mp3 or video.with_suffix(".mp3")
        options = Options.parse({name: getattr(asked, name) for name in HELP if getattr(asked, name)})
        options = options.model_copy(update={"strict": asked.strict})
        _check_place(mp3, video, force=asked.force)
        return _convert(video, mp3, options)
    except InvalidOption as error:
        parser.error(f"--{str(error).replace('_', '-', 1)}")
    except OSError as error:
        sys.stderr.write(f"{_shown(error.filename or video)}: {error.strerror}\n")
        return USAGE


def _check_video(video: Path) -> None:
    """Raise OSError if there is no file of that name to be read."""
    if not video.exists() and (str(video) == "-" or ":/" in str(video)):
        raise OSError(0, "This is not a file: download it first, or give the path of a video", str(video))
    with video.open("rb"):
        pass


def _check_place(mp3: Path, video: Path, *, force: bool) -> None:
    """Raise OSError if the MP3 cannot be put where it should be."""
    if mp3.exists() and mp3.samefile(video):
        raise OSError(0, "The MP3 would overwrite the video: name another file", str(mp3))
    if mp3.is_dir():
        raise OSError(0, "Is a directory: name a file in it", str(mp3))
    if mp3.exists() and not force:
        raise OSError(0, "Already exists: name another file, or add --force", str(mp3))
    if not os.access(mp3.parent, os.W_OK | os.X_OK):
        raise OSError(0, "The folder does not exist or is not writable", str(mp3.parent))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m converter",
        description="Convert a video to an MP3. Without arguments, process the queue instead.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("video", type=Path, help="the file to convert")
    parser.add_argument("mp3", type=Path, nargs="?", help="the file to write (default: next to the video)")
    for name, text in HELP.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=text)
    parser.add_argument("--strict", action="store_true", help="fail if the video is incomplete")
    parser.add_argument("--force", action="store_true", help="overwrite an existing MP3")
    return parser


def _convert(video: Path, mp3: Path, options: Options) -> int:
    """Convert into a file beside the MP3, which takes its place only when it is done."""
    stopped: list[int] = []
    stop = threading.Event()

    def on_signal(number: int, _: Any) -> None:
        stopped.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    part = mp3.with_name(f".{mp3.name[:200]}.{os.getpid()}.part")
    try:
        with _Bar() as bar:
            done = convert(
                video,
                part,
                options,
                limits=Limits(encoders=cores.encoders(None)),
                stop=stop,
                on_media=lambda _: None,
                on_progress=bar.on_progress,
            )
        part.replace(mp3)
        _place_parts(part, mp3.with_suffix(""), done.parts)
    except Cancelled:
        return SIGNALLED + stopped[0]
    except ConversionFailed as error:
        sys.stderr.write(f"{_shown(video)}: {error.message}\n{error.hint}\n[{error.code}]\n")
        return TRY_AGAIN if error.retryable else FAILED
    finally:
        discard(part)
    sys.stdout.write(_summary(mp3, done))
    return WHOLE if done.complete else PARTIAL


def _place_parts(mp3: Path, folder: Path, divided: Sequence[Part]) -> None:
    """Put the parts into a folder of their own."""
    if divided:
        folder.mkdir(exist_ok=True)
    for part in divided:
        parts.file_of(mp3, part.number).replace(folder / part.name)


class _Bar(Progress):
    """A progress bar on standard error, if that is a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        super().__init__(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self.add_task("probing", total=1.0)

    def on_progress(self, phase: str, fraction: float) -> None:
        """Show how far the work is."""
        self.update(self._task, description=phase, completed=fraction)


def _summary(mp3: Path, done: Conversion) -> str:
    how = f"{done.quality}, {done.bitrate} kbit/s" if done.reencoded else f"copied, {done.bitrate} kbit/s"
    shape = f"{'mono' if done.channels == 1 else 'stereo'}, {done.sample_rate} Hz"
    loud = "" if done.loudness is None else f", {done.loudness.integrated:.1f} LUFS"
    lines = [f"{_shown(mp3)}: {done.duration:.1f} s, {mp3.stat().st_size} bytes, {how}, {shape}{loud}"]
    if done.parts:
        lines.append(f"{_shown(mp3.with_suffix(''))}: {len(done.parts)} parts")
    lines += [f"note: {warned.message}" for warned in done.warnings]
    return "\n".join(lines) + "\n"


def _shown(path: Path | str) -> str:
    """Return a name without what a terminal would obey or cannot show."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(path))
