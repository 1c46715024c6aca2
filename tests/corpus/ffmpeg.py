"""ffmpeg as a referee: it makes the corpora's files and measures what came of them, without any sandbox."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SECONDS = 60
"""No file of a corpus takes longer to make or to measure."""

PICTURE = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10,format=yuv420p")
"""An endless picture as an input."""

FRONT = ("0.3*sin(2*PI*440*t)*(0.7+0.3*sin(2*PI*2*t))", "0.25*sin(2*PI*554*t)")
CENTRE = "0.2*sin(2*PI*330*t)"
BASS = "0.1*sin(2*PI*60*t)"
AROUND = tuple(f"0.02*sin(2*PI*{hertz}*t)" for hertz in (659, 740, 880, 988))
LAYOUTS = {
    "mono": FRONT[:1],
    "stereo": FRONT,
    "5.1": (*FRONT, CENTRE, BASS, *AROUND[:2]),
    "7.1": (*FRONT, CENTRE, BASS, *AROUND),
}
"""A tone of its own for each channel; as in a film, the front is what one hears."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a listener gets from an audio track."""

    seconds: float
    channels: int
    rate: int
    lufs: float
    """Integrated loudness by EBU R 128; -70 is silence."""
    true_peak: float
    """In dBTP."""


def sound(layout: str = "stereo", rate: int = 48000, seconds: float = 3, gain: float = 1) -> tuple[str, ...]:
    """Return the arguments that make tones an input."""
    tones = "|".join(f"{gain}*{tone}" for tone in LAYOUTS[layout])
    return ("-f", "lavfi", "-i", f"aevalsrc={tones}:s={rate}:c={layout}:d={seconds}")


def run(*arguments: str | Path) -> bytes:
    """Run ffmpeg and return what it wrote to its standard output.

    Raises:
        AssertionError: with what it complained of.
    """
    done = _run("-v", "error", "-y", *arguments)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def measure(file: Path, track: int = 0) -> Heard:
    """Decode an audio track wholly and measure it, with the silence before it if it begins late."""
    in_time = "aresample=async=1:first_pts=0"
    meter = ("-map", f"0:a:{track}", "-af", f"{in_time},ebur128=peak=true:framelog=quiet")
    done = _run("-nostats", "-progress", "-", "-i", file, *meter, "-f", "null", "-")
    report = done.stderr.decode(errors="replace")
    assert done.returncode == 0, report
    # The output's stream line: what was decoded, whatever the input calls itself.
    shape = re.search(r"Output #0.*?Audio: pcm\w+, (\d+) Hz, ([\w.]+)", report, re.DOTALL)
    assert shape is not None, report
    ended = re.findall(rb"out_time_us=(\d+)", done.stdout)
    return Heard(
        seconds=int(ended[-1]) / 1e6,
        channels={"mono": 1, "stereo": 2}.get(shape[2]) or len(LAYOUTS[shape[2]]),
        rate=int(shape[1]),
        lufs=_figure(r"I: +(\S+) LUFS", report),
        true_peak=_figure(r"Peak: +(\S+) dBFS", report),
    )


def decoded_seconds(file: Path) -> float:
    """Return how much sound is left of a damaged file, by counting samples: times in it may be wrong."""
    rate = 8000
    raw = ("-map", "0:a:0", "-ac", "1", "-ar", str(rate), "-f", "u8", "pipe:1")
    return len(_run("-v", "quiet", "-i", file, *raw).stdout) / rate


def _figure(pattern: str, report: str) -> float:
    found = re.findall(pattern, report)
    assert found, report
    return float(found[-1])


def _run(*arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    command = [FFMPEG, "-hide_banner", "-nostdin", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
