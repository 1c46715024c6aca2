"""Decide what to make of a sound track: its channels, its sample rate, its bitrate, or a mere copy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from converter.media import Track
from pipeline.options import SAMPLE_RATES, Options

SAME_BAND = 0.98
"""A sample rate that is lower by no more than this loses nothing: no filter passes the last of the band."""
EARS = {"left": 0, "right": 1}
HALF_RATES_TO = 24000
"""Up to this sample rate an MP3 is of MPEG-2 (ISO 13818-3), which has other bitrates."""
BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
HALF_BITRATES = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
LEAST_A_CHANNEL, HALF_LEAST_A_CHANNEL = 32, 16
"""In kbit/s: below, speech in an MP3 cannot be understood, however good it is at the source's bitrate."""
LEVELS = {"V2": 190, "V3": 175, "V4": 165, "V5": 130, "V6": 115, "V7": 100, "V8": 85, "V9": 65}
"""What LAME's variable bitrates come to with stereo music at 44.1 kHz, in kbit/s (lame.sf.net)."""
LEVELS_RATE = 44100
MONO = 0.6
"""What a single channel takes of that."""


Timing = Literal["exact", "drifting", "bursting", "restarting", "joined"]
"""How far the times in the file are believed.

`exact`: every sound is put where its time says, with silence in between; `drifting`: likewise, but a clock
that runs fast or slow stretches the sound; `bursting`: the times are those at which packets arrived, so
only gaps of a second are gaps; `restarting`: as `exact`, but where the clock goes back the sound
continues; `joined`: not at all, one sound comes after the other.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the encoder is asked for."""

    track: Track
    start: float
    end: float | None
    channels: int
    sample_rate: int
    quality: str
    """`V0` to `V9`, a constant bitrate in kbit/s, or `copy`."""
    timing: Timing = "exact"
    late: float = 0.0
    """Seconds by which the sound begins later than ffmpeg makes it (converter/beginning.py)."""
    changing: bool = False
    """The sound gets another layout or sample rate on the way."""
    ear: int | None = None
    """The only channel that is taken, from 0."""
    other: Track | None = None
    """The track for the right ear, where each has one of its own."""

    @property
    def layout(self) -> str:
        """The channels by ffmpeg's name."""
        return "mono" if self.channels == 1 else "stereo"

    @property
    def copied(self) -> bool:
        """The track is an MP3 already and stays as it is."""
        return self.quality == "copy"

    @property
    def downmixed(self) -> bool:
        """Channels are added up, so peaks may add up too."""
        return self.ear is None and self.other is None and (self.track.channels or 2) > self.channels


def plan(track: Track, options: Options, late: float = 0.0, other: Track | None = None) -> Plan:
    """Return how to convert a track as the options ask, whose sound begins later than ffmpeg makes it.

    With another track this one is for the left ear, and the other one for the right.
    """
    ear = _ear(track, options)
    single = options.channels == "mono" or ear is not None
    mono = single or (options.channels == "auto" and track.channels == 1 and other is None)
    channels = 1 if mono else 2
    rate = _rate(track.sample_rate, options)
    if options.quality != "auto":
        quality = options.quality
    elif not late and other is None and _needs_no_change(track, options):
        quality = "copy"
    else:
        quality = _quality(track.bitrate, channels, rate)
    return Plan(track, options.start, options.end, channels, rate, quality, late=late, ear=ear, other=other)


def _ear(track: Track, options: Options) -> int | None:
    """Return the channel that is asked for; of sound from all around, the one that hears all of it."""
    if (track.layout or "").startswith("ambisonic"):
        return 0
    if options.channels in ("left", "right"):
        return EARS[options.channels] if (track.channels or 2) > 1 else 0
    return None


def no_more_than(source_bitrate: float, channels: int, sample_rate: int) -> str:
    """Return the highest constant bitrate that is no higher than the source's, in kbit/s.

    It is not lower than what a listener can understand.
    """
    half = sample_rate <= HALF_RATES_TO
    least = (HALF_LEAST_A_CHANNEL if half else LEAST_A_CHANNEL) * channels
    bitrates = HALF_BITRATES if half else BITRATES
    return str(max(rate for rate in bitrates if rate <= max(source_bitrate, least)))


def _quality(source_bitrate: int | None, channels: int, sample_rate: int) -> str:
    """Return the best variable bitrate that is usually no higher than the source's."""
    if source_bitrate is None:
        return "V2"
    share = sample_rate / LEVELS_RATE * (MONO if channels == 1 else 1)
    return next((level for level, usual in LEVELS.items() if usual * share <= source_bitrate), "V9")


def _needs_no_change(track: Track, options: Options) -> bool:
    same = options.channels in ("auto", track.layout)
    same_rate = options.sample_rate in ("auto", track.sample_rate)
    part = options.start > 0 or options.end is not None
    return track.codec == "mp3" and same and same_rate and not part and options.loudness is None


def changing(made: Plan, options: Options, rates: Sequence[int]) -> Plan:
    """Return the plan for a track that gets other layouts, and these sample rates, on the way."""
    rate = max(_rate(max(rates), options), made.sample_rate)
    return replace(made, changing=True, sample_rate=rate)


def _rate(source: int | None, options: Options) -> int:
    if options.sample_rate != "auto":
        return options.sample_rate
    least = (source or SAMPLE_RATES[-1]) * SAME_BAND
    return next((rate for rate in SAMPLE_RATES if rate >= least), SAMPLE_RATES[-1])
