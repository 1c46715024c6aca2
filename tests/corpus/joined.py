"""Is an MP3 that several encoders made the one that a single encoder makes?  The matrix, and its judge.

`python -m tests.corpus.joined --cases 300 --seed 7` draws cases from the whole matrix and prints what came of
them; the exit status is 1 if a joined MP3 decodes to other samples, or mp3val finds fault with it.
"""

import argparse
import hashlib
import itertools
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from converter.encoder import Encoder, beside
from converter.encoding.blocks import CONSTANT_OVERLAP, CYCLE, OVERLAP, Blocks
from converter.encoding.parallel import Parallel
from converter.encoding.seam import Unmatched
from converter.limits import Limits
from converter.plan import Plan
from converter.probe import probe
from converter.report import Report, samples_a_frame
from tests.corpus.ffmpeg import FFMPEG, run
from tests.corpus.player import played

SECONDS = 45
VOICE = (
    "volume='if(lt(mod(t,5),4.1),0.05+0.9*pow(sin(PI*3.1*t),2)*abs(sin(0.7*t)),0.0005)':eval=frame,"
    "highpass=f=120,lowpass=f=5000"
)
CHORDS = "+".join(f"0.07*sin(2*PI*{hertz}*t+3*sin(t/{n}))" for n, hertz in enumerate((110, 165, 277, 415), 2))
BEAT = "0.5*exp(-18*mod(t\\,0.47))*sin(2*PI*57*t)"
SOUNDS = {
    "speech": f"anoisesrc=color=pink:seed=1:sample_rate=48000,{VOICE},aformat=channel_layouts=stereo",
    "music": (
        f"aevalsrc={CHORDS}+{BEAT}+0.1*exp(-50*mod(t+0.2\\,0.47))*(random(0)-0.5)"
        f"|{CHORDS}+{BEAT}+0.1*exp(-50*mod(t\\,0.31))*(random(1)-0.5):sample_rate=48000"
    ),
    "silence": "anullsrc=channel_layout=stereo:sample_rate=48000",
    "clicks": "aevalsrc=lt(mod(t\\,0.73)\\,0.0002)|lt(mod(t\\,1.1)\\,0.0001):sample_rate=48000",
    "noise": "anoisesrc=color=white:seed=3:sample_rate=48000:amplitude=0.3,aformat=channel_layouts=stereo",
    "jumps": (
        f"aevalsrc=({CHORDS}+0.2*(random(0)-0.5))*if(lt(mod(t\\,7)\\,3)\\,1\\,0.004)"
        f"|({CHORDS})*if(lt(mod(t\\,11)\\,5)\\,0.01\\,1):sample_rate=48000"
    ),
}
"""By the filter graphs that make them."""
QUALITIES = ("V0", "V2", "V5", "V9", "64", "128", "192", "320")
RATES = (48000, 44100, 32000, 24000, 22050, 16000)
LARGEST_HALF = 160
"""The largest bitrate below 32 kHz, in kbit/s."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to make an MP3."""

    sound: str
    quality: str
    sample_rate: int
    channels: int
    encoders: int
    cycles: int
    """The length of a block."""

    def __str__(self) -> str:
        shape = f"{self.sample_rate} Hz, {self.channels} ch"
        return f"{self.sound}, {self.quality}, {shape}, {self.encoders} encoders, {self.cycles} x 49 frames"

    @property
    def blocks(self) -> Blocks:
        """How the sound is dealt out."""
        overlap = OVERLAP if self.quality.startswith("V") else CONSTANT_OVERLAP
        return Blocks(self.encoders, self.sample_rate, self.cycles * CYCLE, overlap)


def cases() -> Iterator[tuple[str, str, int, int]]:
    """Return the whole matrix of sound, quality, sample rate and channels."""
    for sound, quality, rate, channels in itertools.product(SOUNDS, QUALITIES, RATES, (1, 2)):
        if rate >= RATES[2] or quality.startswith("V") or int(quality) <= LARGEST_HALF:
            yield sound, quality, rate, channels


def make(folder: Path) -> dict[str, Path]:
    """Make the sounds and return their files."""
    made = {}
    for name, graph in SOUNDS.items():
        made[name] = folder / f"{name}.m4a"
        run("-f", "lavfi", "-i", graph, "-t", str(SECONDS), "-c:a", "aac", "-b:a", "256k", made[name])
    return made


def serial(video: Path, case: Case, mp3: Path) -> Report:
    """Have one encoder make the MP3."""
    encoder, plan = _work(video, case)
    with beside(mp3.parent) as files:
        return encoder.encode(plan, (), mp3, files, lambda _: None)


def joined(video: Path, case: Case, mp3: Path) -> Report:
    """Have several encoders make the MP3.

    Raises:
        Unmatched: their streams cannot be joined.
    """
    encoder, plan = _work(video, case)
    with beside(mp3.parent) as files:
        return Parallel(encoder, plan, case.blocks).encode(mp3, files, lambda _: None)


def _work(video: Path, case: Case) -> tuple[Encoder, Plan]:
    limits, stop = Limits(), threading.Event()
    media = probe(video, limits, stop)
    plan = Plan(media.tracks[0], 0.0, None, case.channels, case.sample_rate, case.quality)
    return Encoder(video, media, limits, stop), plan


def decoded(mp3: Path) -> list[tuple[int, str]]:
    """Return number and digest of the bytes that each of two decoders makes of an MP3."""
    by_ffmpeg = _output([FFMPEG, "-v", "error", "-i", str(mp3), "-map", "0:a", "-f", "f32le", "pipe:1"])
    by_mpg123 = played(mp3)[0].tobytes()
    return [(len(came), hashlib.sha256(came).hexdigest()) for came in (by_ffmpeg, by_mpg123)]


def _output(command: list[str]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def faults(mp3: Path) -> str:
    """Return what mp3val says of an MP3, if it is on this machine and says anything."""
    mp3val = shutil.which("mp3val")
    said = _output([mp3val, str(mp3)]).decode() if mp3val else ""
    return "\n".join(line for line in said.splitlines() if line.startswith(("WARNING", "ERROR")))


def judged(video: Path, case: Case, folder: Path) -> str:
    """Make both MP3s and return `equal`, `unmatched`, or what is wrong."""
    one, many = folder / "one.mp3", folder / "many.mp3"
    alone = serial(video, case, one)
    try:
        together = joined(video, case, many)
    except Unmatched as error:
        return f"unmatched: {error}"
    if decoded(one) != decoded(many):
        return "wrong: other samples"
    if (alone.samples, alone.mp3_frames) != (together.samples, together.mp3_frames):
        return "wrong: another length"
    return f"wrong: {said}" if (said := faults(many)) else "equal"


def main() -> int:
    """Judge as many cases as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=300, help="drawn from the matrix (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (default 1)")
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)  # noqa: S311 - which cases, not whose
    matrix = list(cases())
    came: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        sounds = make(Path(name))
        for _ in range(arguments.cases):
            sound, quality, rate, channels = draw.choice(matrix)
            most = SECONDS * rate // samples_a_frame(rate) // CYCLE // 2
            case = Case(sound, quality, rate, channels, draw.randint(2, 4), draw.randint(7, max(most, 8)))
            verdict = judged(sounds[sound], case, Path(name))
            came[verdict.partition(":")[0]] += 1
            if verdict != "equal":
                sys.stdout.write(f"{case}: {verdict}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{arguments.cases} cases, seed {arguments.seed}: {dict(came)}\n")
    return 1 if came["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
