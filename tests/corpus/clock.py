"""Sound that tells its own time, in files of every container: late, with gaps, jumps and changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.corpus.ffmpeg import PICTURE, run
from tests.corpus.player import played

RATE = 48000
BASE, STEP = 300, 200
"""The tone of second 0, and how much higher the next one is, in Hz: a window of 40 ms tells them apart."""
WINDOW = 0.04
EDGE = 0.02
"""How near to its beginning and end a second is listened to: no tone may be further from its place."""
QUIET = 0.01
SILENT = -1


def tones(seconds: float, first: int = 0, layout: str = "stereo", rate: int = RATE) -> tuple[str, ...]:
    """Return an input of which every second has a tone of its own."""
    tone = f"0.25*sin(2*PI*({BASE}+{STEP}*({first}+floor(t)))*t)"
    each = "|".join([tone] * {"mono": 1, "stereo": 2, "5.1(side)": 6}[layout])
    return ("-f", "lavfi", "-t", str(seconds), "-i", f"aevalsrc='{each}':s={rate}:c={layout}")


def heard(mp3: Path) -> list[int]:
    """Return for each whole second of an MP3 which one's tone it has at both its ends; `SILENT` is none.

    Raises:
        AssertionError: a second begins with another tone than it ends with.
    """
    channels, rate = played(mp3)
    samples = channels.mean(axis=1)
    found = []
    for second in range(round(len(samples) / rate)):
        ends = (second + EDGE, second + 1 - EDGE - WINDOW)
        one, two = (_tone(samples[int(at * rate) : int((at + WINDOW) * rate)], rate) for at in ends)
        assert one == two, f"second {second} begins as {one} and ends as {two}"
        found.append(one)
    return found


def _tone(window: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", rate: int) -> int:
    if np.sqrt(np.mean(window**2)) < QUIET:
        return SILENT
    spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window)), rate))
    return round((int(np.argmax(spectrum)) - BASE) / STEP)


@dataclass(frozen=True, slots=True)
class Timed:
    """A file, and which second's tone belongs into each second of its MP3."""

    name: str
    make: Callable[[Path], Path]
    seconds: Sequence[int]
    warnings: Sequence[str] = ()


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10")
MPEG_2 = ("-c:v", "mpeg2video", "-r", "25")
VIDEOS = {
    "ts": (*H264, "-c:a", "aac"),
    "m2ts": (*H264, "-c:a", "ac3"),
    "mpg": (*MPEG_2, "-c:a", "mp2"),
    "vob": (*MPEG_2, "-c:a", "ac3"),
    "ogv": ("-c:v", "libtheora", "-c:a", "libvorbis"),
    "mkv": (*H264, "-c:a", "aac"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
    "mp4": (*H264, "-c:a", "aac"),
    "mov": (*H264, "-c:a", "pcm_s16le"),
    "flv": (*H264, "-c:a", "aac"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
}
MP3S = {"mkv": (*H264, "-c:a", "libmp3lame"), "mp4": (*H264, "-c:a", "libmp3lame")}
SEPARATE = {"libmp3lame": ("-reservoir", "0")}
"""So that a frame can be heard though the one before is missing."""
LATE, LONG = 3, 8
FILLED = "silence_filled"


def _late(kind: str, codecs: Sequence[str], late: int = LATE) -> Timed:
    def make(folder: Path) -> Path:
        file = folder / f"late.{kind}"
        inputs = (*PICTURE, "-itsoffset", str(late), *tones(LONG - LATE))
        run(*inputs, "-map", "0", "-map", "1", *codecs, "-t", str(LONG - LATE + late), file)
        return file

    expected = [SILENT] * late + list(range(LONG - LATE))
    name = f"{kind} with {codecs[-1]} {late} s late"
    return Timed(name, make, expected, [FILLED] if late else [])


def _paused(kind: str, codecs: Sequence[str]) -> Timed:
    """Return a recording that has no packets for three seconds."""

    def make(folder: Path) -> Path:
        whole, file = folder / "whole.mka", folder / f"paused.{kind}"
        run(*tones(LONG), "-c:a", codecs[-1], *SEPARATE.get(codecs[-1], ()), whole)
        drop = "noise=drop='between(pts*tb,1.985,4.975)'"
        run(*PICTURE, "-i", whole, "-map", "0", "-map", "1", *codecs[:-2], "-c:a", "copy", "-bsf:a", drop,
            "-t", str(LONG), file)  # fmt: skip
        return file

    return Timed(f"{kind} with {codecs[-1]} and a pause", make, [0, 1, *[SILENT] * 3, 5, 6, 7], [FILLED])


def _joined(
    name: str, clips: Sequence[Sequence[str]], offset: int, seconds: Sequence[int] = range(LONG)
) -> Timed:
    """Return two transport streams one after the other, the second's clock at `offset`."""

    def make(folder: Path) -> Path:
        one, two, file = folder / "one.ts", folder / "two.ts", folder / "joined.ts"
        run(*clips[0], "-output_ts_offset", "10000", one)
        run(*clips[1], "-output_ts_offset", str(10000 + offset), two)
        file.write_bytes(one.read_bytes() + two.read_bytes())
        return file

    return Timed(name, make, seconds)


def _clip(first: int, layout: str = "stereo", codec: str = "ac3", rate: int = RATE) -> tuple[str, ...]:
    codecs = (*MPEG_2, "-c:a", codec)
    return (*PICTURE, *tones(4, first, layout, rate), "-map", "0", "-map", "1", *codecs, "-t", "4")


def _late_clip() -> tuple[str, ...]:
    return (
        *PICTURE,
        "-itsoffset",
        "1",
        *tones(3),
        "-map",
        "0",
        "-map",
        "1",
        *MPEG_2,
        "-c:a",
        "ac3",
        "-t",
        "4",
    )


def _restamped(name: str, times: str, warning: str) -> Timed:
    """Return sound whose packets bear other times."""

    def make(folder: Path) -> Path:
        whole, file = folder / "whole.mka", folder / "restamped.mka"
        run(*tones(LONG, rate=RATE), "-c:a", "libopus", "-frame_duration", "20", whole)
        run("-i", whole, "-c", "copy", "-bsf:a", f"setts=ts={times}", file)
        return file

    return Timed(name, make, range(LONG), [warning])


def _chained(name: str, *songs: tuple[str, str, int]) -> Timed:
    """Return an Ogg file of songs of 3 seconds, each with its codec, layout and sample rate."""

    def make(folder: Path) -> Path:
        file, one = folder / "radio.ogg", folder / "song.ogg"
        with file.open("wb") as chain:
            for number, (codec, layout, rate) in enumerate(songs):
                sound = tones(3, 3 * number, layout, rate)
                run(*sound, "-c:a", codec, "-serial_offset", str(number % 2), one)
                chain.write(one.read_bytes())
        return file

    return Timed(name, make, range(3 * len(songs)))


def _begun(kind: str, codecs: Sequence[str]) -> Timed:
    """Return a live stream that was recorded from the middle on."""

    def make(folder: Path) -> Path:
        file = folder / f"begun.{kind}"
        picture = (*PICTURE, "-map", "1", "-map", "0") if len(codecs) > len(("-c:a", "libopus")) else ()
        run(*tones(4), *picture, *codecs, "-t", "4", "-output_ts_offset", "1000", file)
        return file

    return Timed(f"{kind} recorded from the middle on", make, range(4))


def _appended(kind: str, codec: str) -> Timed:
    """Return two files one after the other, whose clock begins again, and a pause in the second."""

    def make(folder: Path) -> Path:
        one, two, file = folder / f"one.{kind}", folder / f"two.{kind}", folder / f"both.{kind}"
        run(*tones(4), "-c:a", codec, one)
        drop = "noise=drop='between(pts*tb,0.98,1.98)'"
        run(*tones(4, 4), "-c:a", codec, "-bsf:a", drop, two)
        file.write_bytes(one.read_bytes() + two.read_bytes())
        return file

    return Timed(f"{kind} appended to another", make, [*range(5), SILENT, 6, 7], [FILLED])


def _second_track_late() -> Timed:
    def make(folder: Path) -> Path:
        file = folder / "two.ts"
        tracks = (*tones(8, layout="mono"), "-itsoffset", "3", *tones(5), "-map", "0", "-map", "1")
        run(*tracks, "-c:a", "ac3", file)
        return file

    seconds = [SILENT] * 3 + list(range(5))
    return Timed("ts without pictures whose other track is late", make, seconds, [FILLED])


def _empty_first(kind: str) -> Timed:
    def make(folder: Path) -> Path:
        file = folder / f"empty.{kind}"
        tracks = (*PICTURE, *tones(4), *tones(4), "-map", "0", "-map", "1", "-map", "2", "-t", "4")
        run(*tracks, *VIDEOS[kind], "-bsf:a:0", "noise=drop=1", "-disposition:a:0", "default", file)
        return file

    return Timed(f"{kind} whose default track has no packets", make, range(4))


TIMED = (
    *(_late(kind, codecs) for kind, codecs in VIDEOS.items()),
    *(_late(kind, codecs) for kind, codecs in MP3S.items()),
    _late("ts", VIDEOS["ts"], 20),
    _late("mkv", VIDEOS["mkv"], 20),
    _late("ts", VIDEOS["ts"], 0),
    _late("mkv", VIDEOS["mkv"], 0),
    *(_paused(kind, VIDEOS[kind]) for kind in ("mkv", "mp4", "m2ts")),
    *(_paused(kind, codecs) for kind, codecs in MP3S.items()),
    _paused("avi", MP3S["mp4"]),  # late sound in ffmpeg's AVI has its first frame at 0
    _joined("a clock that jumps by an hour", (_clip(0), _clip(4)), 3600),
    _joined("a clock that jumps by 14 hours", (_clip(0), _clip(4)), 50400),
    _joined("a clock that jumps back", (_clip(0), _clip(4)), -3600),
    _joined("stereo, then 5.1", (_clip(0), _clip(4, "5.1(side)")), 4),
    _joined("late stereo, then 5.1", (_late_clip(), _clip(3, "5.1(side)")), 4, [SILENT, *range(7)]),
    _joined("a low sample rate, then a high one", (_clip(0, rate=32000), _clip(4)), 4),
    _restamped("packets that bear their arrival time", "floor(TS/400)*400+mod(TS\\,400)/20", "uneven_times"),
    _chained("songs of one sample rate", *[("libvorbis", "stereo", 48000)] * 4),
    _chained("songs of three sample rates", *(("libvorbis", "stereo", n) for n in (32000, 48000, 44100))),
    _chained("songs in mono and stereo", *(("libopus", n, 48000) for n in ("mono", "stereo", "mono"))),
    _chained("songs of two codecs", ("libvorbis", "stereo", 44100), ("libopus", "stereo", 48000)),
    _chained("songs in FLAC", ("flac", "stereo", 48000), ("flac", "mono", 44100)),
    _begun("flv", (*VIDEOS["flv"], "-flvflags", "no_duration_filesize")),
    _begun("mkv", VIDEOS["mkv"]),
    _begun("opus", ("-c:a", "libopus")),
    _appended("mka", "pcm_s16le"),
    _second_track_late(),
    _empty_first("mkv"),
)
