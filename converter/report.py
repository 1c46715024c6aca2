"""Read what ffmpeg says of its own work: what it read, decoded, measured and wrote, and what went wrong."""

import re
from collections import deque
from dataclasses import dataclass

from converter.parts import Silence

LOG_LINES = 50

READ = re.compile(
    r"Input stream #0:\d+ \(audio\): (\d+) packets read \((\d+) bytes\);"
    r"(?: (\d+) frames decoded;(?: (\d+) decode errors)? \((\d+) samples\))?"
)
WROTE = re.compile(
    r"out#\d+/mp3 .*Output stream #\d+:0 \(audio\): (?:\d+ frames encoded \((\d+) samples\); )?"
    r"(\d+) packets muxed \((\d+) bytes\)"
)
MEASURE = re.compile(r" +(I|LRA|Peak): +(-?[\d.]+|-?inf|-?nan) (?:LUFS|LU|dBFS)")
PROBLEM = re.compile(r"(?:^|\] )\[(?:error|fatal|panic)\] (.*)")
FILLED = re.compile(r"adding (\d+) audio samples of silence")
DROPPED = re.compile(r"discarding (\d+) audio samples")
"""How the times of sound are kept: silence where there is none, and what comes too late left out."""
CHANGED = re.compile(r"Reconfiguring filter graph because audio parameters changed to (\d+) Hz")
EVENED = re.compile(r"out#0/null .*Output stream #0:0 \(audio\): \d+ frames encoded \((\d+) samples\)")
"""What came of sound of which the sample rate changes."""
SILENCE = re.compile(r"silencedetect.*\] silence_(start|end): (-?[\d.]+)")
_PEAKS = r"(?: +(?:-?[\d.]+|-?inf|-?nan))*"
METERED = re.compile(
    r".* TARGET:-?\d+ LUFS +M: *\S+ S: *\S+ +I: *\S+ LUFS +LRA: *\S+ LU"
    rf"(?: +FTPK:{_PEAKS}(?: dBFS)?)?(?: +(?:SPK|TPK):)?({_PEAKS})( dBFS)?"
)
"""A line of the meter; the last one knows the peaks of all.

It is written in pieces. What another thread says between two of them stands in the same line, and has
no prefix that would tell who says it and how bad it is.
"""
CUT = ("ended prematurely", "partial file")
"""What ffmpeg says where the file ends in the middle of something."""
GIVEN_UP = "Error during demuxing"
"""What it says where it reads no further, whatever comes."""
CHANNEL = re.compile(
    r"\[Parsed_astats_\d+ @ \w+\] \[info\] (?:Channel: (\d+)|Peak level dB: (-?[\d.]+|-?inf|-?nan))"
)
JUMPED = "timestamp discontinuity"
DESCRIBED = re.compile(r"\[info\]    | +: ")
"""How a line of the description of a file begins, in which strangers may write what they like."""
UNWRITTEN = ("[null @ ", "[u8 @ ")
"""What is said of outputs that only listen is no problem of the video's."""
REFUSED = re.compile(r"Codec \((\w+)\) not on whitelist")
"""No problem in itself: the decoders of pictures are meant to be missing."""

READING = "[in#0/"
"""Who complains of the container, and not of what is in it."""

MPEG_1_RATE = 32000
"""The lowest sample rate of MPEG-1."""
SILENT = -70.0
"""Integrated loudness, in LUFS, of what has no sound by EBU R 128."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud something is, by ITU-R BS.1770 and EBU R 128."""

    integrated: float
    """In LUFS; `SILENT` is the least."""
    range: float
    """In LU."""
    peak: float
    """In dBTP where a loudness was asked for; else of the samples, in dBFS."""


def samples_a_frame(sample_rate: int) -> int:
    """Return how many samples a frame of MP3 has (ISO 11172-3, ISO 13818-3)."""
    return 1152 if sample_rate >= MPEG_1_RATE else 576


class Report:
    """Takes ffmpeg's log line by line; what it never said stays at nothing."""

    def __init__(self) -> None:
        self.problems = 0
        self.breaks = 0
        """How many of them the file itself has, apart from the sound in it."""
        self.refused: set[str] = set()
        """Decoders that were asked for and are not allowed."""
        self.tail: deque[str] = deque(maxlen=LOG_LINES)
        self.packets = 0
        self.source_bytes = 0
        self.decoded_frames = 0
        self.decoded_samples = 0
        self.decode_errors = 0
        self.fills: list[int] = []
        self.drops: list[int] = []
        """Samples of silence that were added, and samples that were left out, to keep the sound's times."""
        self.changed_rates: list[int] = []
        """The sample rate at each place where the sound got another layout or sample rate."""
        self.peaks: dict[int, float] = {}
        """The highest sample of each channel of the source, from 1, in dBFS, if they were mixed to one."""
        self._metered = ""
        self._channel = 0
        self.evened_samples = 0
        """How many there were, once all had one sample rate."""
        self.jumps = 0
        """How often the clock of a stream of packets jumped."""
        self.silences: list[Silence] = []
        """Where it is silent, if that was asked for."""
        self._silent_from = 0.0
        self.unread_links = 0
        """How many links of a chain ffmpeg could make nothing of."""
        self.encoded_samples = 0
        self.mp3_frames = 0
        self.mp3_bytes = 0
        self.encoders = 1
        """How many wrote the MP3 together."""
        self._measured: dict[str, float] = {}

    def read(self, line: str) -> None:
        """Take the next line, as written under `-v level+verbose`."""
        if metered := METERED.match(line):
            if metered[2]:
                self._metered = metered[1]
            line = line[metered.end() :]
        elif found := MEASURE.match(line):
            self._measured[found[1]] = float(found[2])
            line = line[found.end() :]  # this is written in pieces too
        if not line or DESCRIBED.match(line):
            return
        if found := REFUSED.search(line):
            self.refused.add(found[1])
        elif found := PROBLEM.search(line):
            if not any(output in line for output in UNWRITTEN):
                self.problems += 1
                self.breaks += READING in line
                self.tail.append(found[1])
        elif metered and any(words in line for words in (*CUT, GIVEN_UP)):
            self.problems += 1
            self.breaks += 1
            self.tail.append(line)
        elif not self._count(line):
            self._notice(line)

    def _count(self, line: str) -> bool:
        """Take a line of the summary, if it is one."""
        if found := READ.search(line):
            self.packets = int(found[1])
            self.source_bytes += int(found[2])  # of both tracks, where there are two
            self.decoded_frames = int(found[3] or 0)
            self.decode_errors = int(found[4] or 0)
            self.decoded_samples = int(found[5] or 0)
        elif found := WROTE.search(line):
            self.encoded_samples = int(found[1] or 0)
            self.mp3_frames = int(found[2])
            self.mp3_bytes = int(found[3])
        elif found := EVENED.search(line):
            self.evened_samples = int(found[1])
        return found is not None

    def _notice(self, line: str) -> None:
        """Take a line about how the sound's times are kept."""
        if found := FILLED.search(line):
            self.fills.append(int(found[1]))
        elif found := DROPPED.search(line):
            self.drops.append(int(found[1]))
        elif found := CHANGED.search(line):
            self.changed_rates.append(int(found[1]))
        elif JUMPED in line:
            self.jumps += 1
        elif found := SILENCE.search(line):
            if found[1] == "start":
                self._silent_from = float(found[2])
            else:
                self.silences.append(Silence(self._silent_from, float(found[2])))
        elif found := CHANNEL.search(line):
            self._hear(found[1], found[2])

    def _hear(self, channel: str | None, peak: str | None) -> None:
        """Take the number of a channel, or the peak of the channel whose number came last."""
        if channel is not None:
            self._channel = int(channel)
        elif peak is not None:
            # In this order, what is not a number becomes the least.
            before = self.peaks.get(self._channel, SILENT)
            self.peaks[self._channel] = max(before, float(peak))

    def add(self, link: "Report", rate: float) -> None:
        """Add what was said of a link of a chain, each of whose samples counts as so many."""
        self.problems += link.problems
        self.breaks += link.breaks
        self.tail += link.tail
        self.refused |= link.refused
        self.jumps += link.jumps
        self.unread_links += link.unread_links
        self.packets += link.packets
        self.source_bytes += link.source_bytes
        self.decode_errors += link.decode_errors
        self.decoded_frames += link.decoded_frames
        self.decoded_samples += round(link.decoded_samples * rate)
        self.fills += [round(samples * rate) for samples in link.fills]
        self.drops += link.drops
        for channel, peak in link.peaks.items():
            self.peaks[channel] = max(self.peaks.get(channel, SILENT), peak)

    @property
    def samples(self) -> int:
        """How many went into the MP3: those of the encoder, or of a track that was copied."""
        return self.encoded_samples or self.decoded_samples

    @property
    def lost_samples(self) -> int:
        """How many the pieces would have had that could not be decoded, by the mean of those that could."""
        return self.decode_errors * self._samples_a_frame

    @property
    def undecoded_samples(self) -> int:
        """How many the packets would have had of which no sound came, by the mean of the others."""
        return max(self.packets - self.decoded_frames, 0) * self._samples_a_frame

    @property
    def _samples_a_frame(self) -> int:
        return self.decoded_samples // max(self.decoded_frames, 1)

    def bitrate(self, sample_rate: int) -> float:
        """Return the MP3's bitrate in kbit/s, on average over its frames."""
        seconds = self.mp3_frames * samples_a_frame(sample_rate) / sample_rate
        return self.mp3_bytes * 8 / 1000 / seconds if seconds else 0.0

    @property
    def said(self) -> str:
        """The last of what went wrong."""
        return "\n".join(self.tail)

    @property
    def heard_peaks(self) -> list[float]:
        """The highest sample of each channel that the meter heard, in dBFS."""
        # In this order, what is not a number becomes the least.
        return [max(SILENT, float(peak)) for peak in self._metered.split()]

    @property
    def loudness(self) -> Loudness | None:
        """What was measured; `None` if nothing was."""
        if not self._measured.keys() >= {"I", "LRA", "Peak"}:
            return None
        integrated, spread, peak = (self._measured[name] for name in ("I", "LRA", "Peak"))
        # In this order, what is not a number becomes the least.
        return Loudness(max(SILENT, integrated), max(0.0, spread), max(SILENT, peak))
