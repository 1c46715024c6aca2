"""How a sound is dealt out: blocks of whole frames in turn, each with an overlap into its successor.

Encoder k of N gets the blocks k, k + N, k + 2N … one after the other.  All lengths are multiples of 49
frames: at 44.1, 22.05 and 11.025 kHz the padding of a constant bitrate repeats every 49 frames, and an
encoder that starts elsewhere in that cycle never writes the frames of its neighbour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from converter.plan import Plan
from converter.report import MPEG_1_RATE, samples_a_frame

CYCLE = 49
"""Frames."""
BLOCK_SECONDS, LEAST_BLOCK_SECONDS = 120.0, 30.0
LEAST_RATE = 16000
"""Below, an MP3 is of MPEG-2.5, and small."""
ALIKE = 98
"""Frames that two encoders must have written alike: longer than anything but the bit reservoir is remembered.

The slowest is LAME's threshold of hearing, which falls by 7.5 % a frame, to 1/1600 at most: 95 frames.
"""
OVERLAP, CONSTANT_OVERLAP = 4 * CYCLE, 6 * CYCLE
"""Frames; the bit reservoirs of a constant bitrate take longer to become the same."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Lengths are in frames."""

    encoders: int
    sample_rate: int
    length: int
    overlap: int

    @property
    def turn(self) -> int:
        """What an encoder gets of one block."""
        return self.length + self.overlap

    def filters(self, encoder: int) -> tuple[str, ...]:
        """Return ffmpeg's filters that let through what this encoder gets."""
        own, all_ = self.length // CYCLE, self.encoders * self.length // CYCLE
        begin = encoder * own
        blocks = f"gte(n,{begin})*lt(mod(n-{begin},{all_}),{self.turn // CYCLE})"
        chosen = f"eq(n,0)+{blocks}" if encoder else blocks
        return (
            f"asettb=1/{self.sample_rate}",
            f"asetnsamples=n={CYCLE * samples_a_frame(self.sample_rate)}:p=0",
            f"aselect='{chosen}'",
            "asetpts=N",
        )

    def place(self, block: int) -> tuple[int, int]:
        """Return who encodes a block, and at which of its frames the block begins."""
        turn, encoder = divmod(block, self.encoders)
        return encoder, turn * self.turn + _lead(encoder)

    def samples(self, encoded: Sequence[int]) -> int:
        """Return how many samples the sound has, if its encoders got so many each."""
        return max(self._end(encoder, count) for encoder, count in enumerate(encoded))

    def _end(self, encoder: int, samples: int) -> int:
        """Return where in the sound the last sample lies that an encoder got."""
        frame = samples_a_frame(self.sample_rate)
        own = samples - _lead(encoder) * frame
        if own <= 0:
            return samples
        turns, rest = divmod(own - 1, self.turn * frame)
        return (turns * self.encoders + encoder) * self.length * frame + rest + 1


def _takes_all_it_gets(plan: Plan) -> bool:
    """Say whether many frames are as large as the reservoir lets them be: then few streams can be joined."""
    largest = plan.quality in ("V0", "V1") and plan.channels > 1
    return plan.quality.startswith("V") and (largest or plan.sample_rate < MPEG_1_RATE)


def _lead(encoder: int) -> int:
    """Return how many frames an encoder gets before its first block.

    All but the first get the sound's first frames too: ffmpeg fails where there is nothing to encode.
    """
    return CYCLE if encoder else 0


def blocks_for(plan: Plan, encoders: int, expected: float | None) -> Blocks | None:
    """Return how to deal out a sound of so many seconds; `None` if one encoder does it best."""
    seconds = BLOCK_SECONDS if expected is None else min(expected / (2 * encoders), BLOCK_SECONDS)
    too_little = seconds < LEAST_BLOCK_SECONDS or plan.sample_rate < LEAST_RATE
    if encoders == 1 or too_little or _takes_all_it_gets(plan):
        return None
    cycles = int(seconds * plan.sample_rate / samples_a_frame(plan.sample_rate) / CYCLE)
    overlap = OVERLAP if plan.quality.startswith("V") else CONSTANT_OVERLAP
    return Blocks(encoders, plan.sample_rate, cycles * CYCLE, overlap)
