"""Measure what several encoders gain: wall and processor time against a bare ffmpeg, and more processors.

`python -m benchmarks.parallel [--minutes 20] [--rounds 5]` converts AAC in MP4 with the core, with one
encoder and with one a processor, and with a bare ffmpeg of the same quality, in turns.  For 4, 8 and 16
processors it runs each encoder alone, one after the other: the longest is the critical path, printed as
simulated.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import run

from benchmarks.conversion import SOUND
from converter import command, ffmpeg
from converter.conversion import Conversion
from converter.convert import convert
from converter.encoder import Encoder
from converter.encoding import cores
from converter.encoding.blocks import blocks_for
from converter.limits import Limits
from converter.plan import Plan, plan
from converter.probe import probe
from pipeline.options import Options

PROCESSORS = (4, 8, 16)
Took = tuple[float, float]
"""Wall and processor time, in seconds."""


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="of sound (default 20)")
    parser.add_argument("--rounds", type=int, default=5, help="measured (default 5)")
    parser.add_argument("--video", type=Path, help="a file to convert in place of one that is made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = arguments.video or _made(folder, arguments.minutes * 60)
        _against_bare(folder, video, arguments.rounds)
        _simulated(folder, video)


def _made(folder: Path, seconds: float) -> Path:
    video = folder / "sound.mp4"
    _ffmpeg("-f", "lavfi", "-i", SOUND, "-t", str(seconds), "-c:a", "aac", "-b:a", "256k", video)
    return video


def _against_bare(folder: Path, video: Path, rounds: int) -> None:
    done = _core(video, folder / "many.mp3", cores.available())
    works: dict[str, Callable[[], object]] = {
        "bare ffmpeg": lambda: _bare(video, folder / "bare.mp3", done),
        "ENCODERS=1": lambda: _core(video, folder / "one.mp3", 1),
        f"{done.encoders} encoders": lambda: _core(video, folder / "many.mp3", cores.available()),
    }
    took: dict[str, list[Took]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            took[name].append(_timed(work))
    bare = took.pop("bare ffmpeg")
    wall, processor = (statistics.median(each[kind] for each in bare) for kind in (0, 1))
    _say(f"{done.duration / 60:g} min at {done.quality}, {rounds} rounds, load {os.getloadavg()[0]:.1f}")
    _say(f"bare ffmpeg: wall {wall:.2f} s, processor {processor:.2f} s")
    for name, times in took.items():
        pairs = list(zip(times, bare, strict=True))
        wall, processor = (
            statistics.median(own[kind] / other[kind] for own, other in pairs) for kind in (0, 1)
        )
        _say(f"{name} / bare: wall {wall:.2f}, processor {processor:.2f}")


def _simulated(folder: Path, video: Path) -> None:
    limits, stop = Limits(), threading.Event()
    media = probe(video, limits, stop)
    chosen = plan(media.tracks[0], Options())
    encoder = Encoder(video, media, limits, stop)
    bare = _timed(lambda: _bare_plan(video, folder / "bare.mp3", chosen))[0]
    for processors in PROCESSORS:
        blocks = blocks_for(chosen, min(processors, cores.MOST), media.duration)
        if blocks is None:
            raise SystemExit("one encoder does this sound best: take a longer one")
        works = [
            partial(
                encoder.run,
                command.encode_frames(chosen, media, blocks.filters(number)),
                chosen,
                _ignore,
                folder / "part",
            )
            for number in range(blocks.encoders)
        ]
        alone = [_timed(work)[0] for work in works]
        _say(
            f"{processors} processors, {blocks.encoders} encoders (simulated): "
            f"the longest takes {max(alone):.2f} s, {max(alone) / bare:.2f} of a bare ffmpeg"
        )


def _ignore(_: float) -> None:
    """Take the time of an encoder that is measured as a whole."""


def _core(video: Path, mp3: Path, encoders: int) -> Conversion:
    return convert(
        video,
        mp3,
        Options(),
        limits=Limits(encoders=encoders),
        stop=threading.Event(),
        on_media=lambda _: None,
        on_progress=lambda _phase, _fraction: None,
    )


def _bare(video: Path, mp3: Path, done: Conversion) -> None:
    _encode(video, mp3, done.quality, done.channels)


def _bare_plan(video: Path, mp3: Path, chosen: Plan) -> None:
    _encode(video, mp3, chosen.quality, chosen.channels)


def _encode(video: Path, mp3: Path, quality: str, channels: int) -> None:
    how = ("-q:a", quality[1:]) if quality.startswith("V") else ("-b:a", f"{quality}k")
    _ffmpeg("-i", video, "-map", "0:a:0", "-ac", str(channels), "-c:a", "libmp3lame", *how, mp3)


def _ffmpeg(*arguments: str | Path) -> None:
    command_line = [ffmpeg.BINARY, "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    run(command_line, check=True)  # noqa: S603 - a list of our own


def _timed(work: Callable[[], object]) -> Took:
    wall, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return time.perf_counter() - wall, sum(after[:4]) - sum(before[:4])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
