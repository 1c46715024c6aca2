"""Have ffmpeg encode, measure or survey one video, and turn its failures into ours."""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from converter import chain, command, errors, sandbox
from converter.command import Descriptors
from converter.errors import ConversionFailed
from converter.limits import Limits
from converter.media import Media
from converter.plan import Plan
from converter.report import Report
from converter.sandbox import OnTime

BROKEN = (
    "opening decoder",
    "reinitializing filters",
    "opening input",
    "Invalid data",
    "Cannot allocate memory",
    "pthread_create",
)
"""What ffmpeg says of sound that it cannot make sense of, and not of one that is not there."""

EMPTY = "Could not open encoder before EOF"
"""What it says of sound that is not there."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What comes of a video besides its MP3; the files are empty in the beginning."""

    text: IO[bytes]
    """Tags and chapters, as `metadata` reads them."""
    cover: IO[bytes]
    """The attached picture."""
    waveform: IO[bytes]
    """What `peaks` draws."""

    def emptied(self) -> Descriptors:
        """Return the descriptors of the files, empty again."""
        files = (self.text, self.cover, self.waveform)
        for file in files:
            file.seek(0)
            file.truncate()
        return Descriptors(*(file.fileno() for file in files))


@contextmanager
def beside(folder: Path) -> Iterator[Beside]:
    """Make files for what comes besides an MP3; nobody else sees them, and they are gone afterwards."""
    with ExitStack() as until:
        yield Beside(*(until.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Encoder:
    """Works on one video.

    Every method raises `Cancelled` when `stop` is set, and `ConversionFailed` when ffmpeg could not.
    """

    video: Path
    media: Media
    limits: Limits
    stop: threading.Event

    def encode(
        self, plan: Plan, filters: Sequence[str], mp3: Path, beside: Beside, on_time: OnTime
    ) -> Report:
        """Write the MP3 without a tag, and what belongs into it beside."""
        descriptors = beside.emptied()

        def arguments(samples: int | None) -> Sequence[str]:
            return command.encode(plan, self.media, filters, descriptors, samples=samples)

        report = self._hear(arguments, plan, on_time, mp3, descriptors)
        if not report.samples:
            raise errors.empty_audio().after(report.tail)
        return report

    def measure(self, plan: Plan, filters: Sequence[str], on_time: OnTime) -> Report:
        """Measure what the encoder would get, and write nothing."""

        def arguments(samples: int | None) -> Sequence[str]:
            return command.measure(plan, self.media, filters, samples=samples)

        return self._hear(arguments, plan, on_time)

    def decode(self, plan: Plan, filters: Sequence[str], sink: int) -> Report:
        """Write the samples that the encoder would get to a descriptor."""

        def arguments(samples: int | None) -> Sequence[str]:
            return command.decode(plan, self.media, filters, sink, samples=samples)

        return self._hear(arguments, plan, lambda _: None, shared=(sink,))

    def silences(self, plan: Plan, filters: Sequence[str], depth: float, on_time: OnTime) -> Report:
        """Find where what the encoder would get is silent, which is below so many dBFS."""

        def arguments(samples: int | None) -> Sequence[str]:
            return command.silences(plan, self.media, filters, depth, samples=samples)

        return self._hear(arguments, plan, on_time)

    def survey(self, picture: int) -> tuple[float, Report]:
        """Read the whole file without decoding it; return where it ends, and what was said."""
        ends = [0.0]
        report = Report()
        sandbox.run(
            command.survey(picture, self.media),
            video=self.video,
            limits=self.limits,
            stop=self.stop,
            on_line=report.read,
            on_time=ends.append,
        )
        return ends[-1], report

    def _hear(
        self,
        arguments: Callable[[int | None], Sequence[str]],
        plan: Plan,
        on_time: OnTime,
        mp3: Path | None = None,
        shared: Sequence[int] = (),
    ) -> Report:
        """Run ffmpeg on the sound of the file, or on that of all links of a chain."""
        if not self.media.links:
            return self.run(arguments(None), plan, on_time, mp3, shared)
        with chain.decoded(self.video, self.media, plan, self.limits) as links:
            shared = (*shared, links.samples)
            return self.run(arguments(links.samples), plan, on_time, mp3, shared, links=links)

    def run(  # noqa: PLR0913 - one call is one run of ffmpeg
        self,
        arguments: Sequence[str],
        plan: Plan,
        on_time: OnTime,
        mp3: Path | None = None,
        shared: Sequence[int] = (),
        *,
        links: chain.Chain | None = None,
    ) -> Report:
        """Run ffmpeg with these arguments; return what it said, and what was said of the links it heard."""
        report = Report()
        try:
            status = sandbox.run(
                arguments,
                video=self.video,
                output=mp3,
                shared=shared,
                limits=self.limits,
                stop=self.stop,
                on_line=report.read,
                on_time=on_time,
            )
        except ConversionFailed as error:
            raise error.after(report.tail) from None
        if links is not None:
            report.add(links.report(), 1)
        if status != 0:
            raise why_failed(report, plan.track.codec, self.limits).after(report.tail)
        return report


def why_failed(report: Report, codec: str, limits: Limits) -> ConversionFailed:
    """Return the error for an ffmpeg that failed, having said this."""
    said = report.said
    if "File too large" in said:
        return errors.too_large(limits.mp3_bytes)
    if "No space left on device" in said:
        return errors.out_of_space()
    return _why_undecoded(report, codec)


def _why_undecoded(report: Report, codec: str) -> ConversionFailed:
    if codec in report.refused or "no decoder found" in report.said:
        return errors.unsupported_codec(codec)
    if report.decode_errors or any(words in report.said for words in BROKEN):
        return errors.unreadable_media("its sound cannot be decoded")
    if not report.source_bytes and (EMPTY in report.said or not report.problems):
        return errors.empty_audio()
    return errors.crashed(report.tail[-1] if report.tail else "without a word")
