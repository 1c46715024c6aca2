"""Measure the conversion core: its overhead, its speed, and the memory of its Python process.

`python -m benchmarks.conversion` converts a five second clip, as MP4 and as MPEG-TS, with the core and
with a bare ffmpeg, in turns, by the clock and in processor time; ten minutes with the core and with
moviepy's `write_audiofile`; and 2 GB with the core, watching the resident memory of its process.
"""

import argparse
import contextlib
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from moviepy import AudioFileClip

from converter import ffmpeg
from converter.convert import convert
from converter.limits import Limits
from pipeline.options import Options

CLIP = Path("tests/media/big_buck_bunny_5s.mp4")
MINUTES = 10
MIB = 1024 * 1024
PICTURE = "testsrc2=size=1280x720:rate=25"
SOUND = (
    "aevalsrc=0.3*sin(2*PI*440*t)*(0.7+0.3*sin(2*PI*2*t))+0.1*random(0)"
    "|0.25*sin(2*PI*554*t)+0.1*random(1):s=44100"
)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of the five second clip (default 20)")
    parser.add_argument("--long-rounds", type=int, default=3, help="of the ten minutes (default 3)")
    parser.add_argument("--mib", type=int, default=2048, help="size of the big file (default 2048)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _overhead(folder, CLIP, arguments.rounds)
        stream = folder / "clip.ts"  # of which the packets are looked at before
        _run("-i", CLIP, "-c", "copy", stream)
        _overhead(folder, stream, arguments.rounds)
        _against_moviepy(folder, arguments.long_rounds)
        _memory(folder, arguments.mib)


def _overhead(folder: Path, clip: Path, rounds: int) -> None:
    for clock, name in CLOCKS:
        bare, core = _in_turns(
            rounds,
            lambda: _bare(clip, folder / "bare.mp3"),
            lambda: _core(clip, folder / "core.mp3"),
            clock=clock,
        )
        theirs, ours = statistics.median(bare) * 1000, statistics.median(core) * 1000
        _say(
            f"5 s clip in {clip.suffix}, {rounds} rounds, {name}: core {ours:.0f} ms, bare ffmpeg "
            f"{theirs:.0f} ms, {_more(core, bare) * 1000:+.0f} ms, core / bare {_ratio(core, bare):.2f}"
        )


def _against_moviepy(folder: Path, rounds: int) -> None:
    video = folder / "ten.mp4"
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "256k")
    inputs = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", SOUND)
    _run(*inputs, "-t", str(MINUTES * 60), *coded, video)
    for clock, name in CLOCKS:
        moviepy, core, bare = _in_turns(
            rounds,
            lambda: _moviepy(video, folder / "moviepy.mp3"),
            lambda: _core(video, folder / "core.mp3"),
            lambda: _bare(video, folder / "bare.mp3"),
            clock=clock,
        )
        ours, theirs, ffmpegs = (statistics.median(took) for took in (core, moviepy, bare))
        _say(
            f"{MINUTES} min, {rounds} rounds, {name}: core {ours:.1f} s, moviepy {theirs:.1f} s, "
            f"bare ffmpeg {ffmpegs:.1f} s; core / moviepy {_ratio(core, moviepy):.2f}, "
            f"core / bare {_ratio(core, bare):.2f}"
        )


def _in_turns(
    rounds: int, *works: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> list[list[float]]:
    """Return the seconds of each work in each round, after one that does not count.

    Another begins in each round, so that none always runs in the wake of the same.
    """
    took: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 1):
        for place in range(len(works)):
            which = (turn + place) % len(works)
            seconds = _seconds(works[which], clock)
            if turn:
                took[which].append(seconds)
    return took


def _more(ours: list[float], theirs: list[float]) -> float:
    """Return how much longer ours took, as the median of the rounds: other work on the machine hits both."""
    return statistics.median(own - other for own, other in zip(ours, theirs, strict=True))


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """Return how many times as long ours took, as the median of the rounds."""
    return statistics.median(own / other for own, other in zip(ours, theirs, strict=True))


def _memory(folder: Path, mib: int) -> None:
    video = folder / "big.mkv"
    _run("-f", "lavfi", "-i", SOUND, "-t", "600", "-c:a", "aac", "-b:a", "256k", folder / "sound.m4a")
    _pad(folder / "sound.m4a", video, mib)
    before = _resident()
    peak = [before]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            peak[0] = max(peak[0], _resident())

    watching = threading.Thread(target=watch)
    watching.start()
    took = _seconds(lambda: _core(video, folder / "big.mp3"), time.perf_counter)
    over.set()
    watching.join()
    size = video.stat().st_size / 1e9
    _say(f"{size:.1f} GB: {took:.1f} s, resident memory of the Python process +{peak[0] - before:.1f} MiB")


def _pad(sound: Path, video: Path, mib: int) -> None:
    """Make a file of the size that holds the sound and uncompressed pictures."""
    rate = mib * MIB / 600
    width, height = 320, 240
    frames = max(rate / (width * height * 1.5), 1)
    picture = f"color=size={width}x{height}:rate={frames:.3f},format=yuv420p"
    coded = ("-map", "0", "-map", "1", "-shortest", "-c:v", "rawvideo", "-c:a", "copy")
    _run("-f", "lavfi", "-i", picture, "-i", sound, *coded, video)


def _core(video: Path, mp3: Path) -> None:
    convert(
        video,
        mp3,
        Options(),
        limits=Limits(),
        stop=threading.Event(),
        on_media=lambda _: None,
        on_progress=lambda _phase, _fraction: None,
    )


def _bare(video: Path, mp3: Path) -> None:
    _run("-i", video, "-map", "0:a:0", "-ac", "2", "-c:a", "libmp3lame", "-q:a", "2", mp3)


def _moviepy(video: Path, mp3: Path) -> None:
    with AudioFileClip(str(video)) as clip, contextlib.redirect_stdout(io.StringIO()):
        clip.write_audiofile(str(mp3), ffmpeg_params=["-q:a", "2"], bitrate=None, logger=None)


def _run(*arguments: str | Path) -> None:
    command = [ffmpeg.BINARY, "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)  # noqa: S603 - a list of our own


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return clock() - began


def _processor_seconds() -> float:
    """Return how long this process and its children have worked; others on the machine hardly change that."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


CLOCKS = ((time.perf_counter, "by the clock"), (_processor_seconds, "of processor time"))


if __name__ == "__main__":
    main()
