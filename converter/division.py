"""Encode the parts of an MP3, each from the samples that are its own, so that all in a row are the whole.

One ffmpeg decodes; what it writes passes on through pipes to one encoder after the other.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from converter import bitrates, command, parts
from converter.encoder import Encoder
from converter.labels import Labels
from converter.metadata import Metadata
from converter.parts import Cut, Part
from converter.plan import Plan, no_more_than
from converter.progress import ENCODED, HALF, Progress
from converter.report import Report

SAMPLE_BYTES = 4
MOVED_BYTES = 1024 * 1024
DECODING_AND_MOVING = 2


@dataclass(frozen=True, slots=True)
class Division:
    """Makes the parts of an MP3 whose sound went through `filters`."""

    encoder: Encoder
    made: Plan
    filters: Sequence[str]
    report: Report
    labels: Labels
    progress: Progress

    def parts(self, mp3: Path, text: Metadata) -> list[Part]:
        """Write each part beside the MP3; nothing if it has no more than one.

        Raises:
            Cancelled: the work was stopped.
            ConversionFailed: ffmpeg could not.
        """
        cuts = self._cuts(text)
        if len(cuts) < 2:  # noqa: PLR2004 - one is the whole
            return []
        found = []
        for number, said in enumerate(self._encoded(mp3, cuts), start=1):
            cut = cuts[number - 1]
            part = Part(
                number=number,
                title=cut.title,
                name=parts.name(number, len(cuts), cut.title),
                start=round(cut.start, 3),
                duration=round(said.samples / self.made.sample_rate, 3),
            )
            self.labels.write_part(parts.file_of(mp3, number), part, len(cuts), self.made, said)
            found.append(part)
        return found

    @property
    def _seconds(self) -> float:
        return self.report.samples / self.made.sample_rate

    def _cuts(self, text: Metadata) -> list[Cut]:
        split, heard = self.labels.options.split, self.report.loudness
        if split == "chapters":
            return parts.at_chapters(text.chapters, self._seconds)
        if split == "silence" and heard is not None:
            depth = heard.integrated - parts.SILENCE_DEPTH
            on_time = self.progress.between(HALF, HALF, self._seconds)
            said = self.encoder.silences(self.made, self.filters, depth, on_time)
            return parts.at_silences(said.silences, self._seconds)
        return []

    def _encoded(self, mp3: Path, cuts: Sequence[Cut]) -> Iterator[Report]:
        """Encode one part after the other, and yield what was said of each."""
        plan = self._plan()
        starts = [round(cut.start * plan.sample_rate) * plan.channels * SAMPLE_BYTES for cut in cuts]
        sizes = [end - start for start, end in pairwise(starts)]
        decoded, sink = os.pipe()
        over = threading.Event()
        with os.fdopen(decoded, "rb"), ThreadPoolExecutor(DECODING_AND_MOVING) as pool:
            decoder = replace(self.encoder, stop=over)
            decoding = pool.submit(_decode, decoder, plan, self.filters, sink)
            try:
                for number, size in enumerate([*sizes, None]):
                    samples, own = os.pipe()
                    moving = pool.submit(_move, decoded, own, size)
                    on_time = self.progress.between(*self._place(cuts, number))
                    with os.fdopen(samples, "rb"):
                        arguments, file = command.part(plan, samples), parts.file_of(mp3, number + 1)
                        yield self.encoder.run(arguments, plan, on_time, file, (samples,))
                    moving.result()
                decoding.result()
            finally:
                over.set()

    def _plan(self) -> Plan:
        """Return how to encode the parts; those of a track that was copied get its bitrate."""
        if not self.made.copied:
            return self.made
        source = bitrates.of_source(self.made, self.report)
        return replace(self.made, quality=no_more_than(source, self.made.channels, self.made.sample_rate))

    def _place(self, cuts: Sequence[Cut], number: int) -> tuple[float, float, float]:
        """Return where the progress of a part begins and ends, and how long the part is."""
        starts = [*(cut.start for cut in cuts), self._seconds][number : number + 2]
        begin, end = (HALF + (ENCODED - HALF) * start / self._seconds for start in starts)
        return begin, end, starts[1] - starts[0]


def _decode(decoder: Encoder, plan: Plan, filters: Sequence[str], sink: int) -> None:
    with os.fdopen(sink, "wb"):
        decoder.decode(plan, filters, sink)


def _move(source: int, sink: int, size: int | None) -> None:
    """Move so many bytes from one pipe to another, or all that there are."""
    with os.fdopen(sink, "wb"):
        while size is None or size > 0:
            moved = os.splice(source, sink, MOVED_BYTES if size is None else min(size, MOVED_BYTES))
            if not moved:
                return
            size = None if size is None else size - moved
