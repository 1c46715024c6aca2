"""Turn a video into an MP3: probe, choose, encode, and check that what came out is the whole."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converter import bitrates, channels, errors, loudness, parts, peaks, whole
from converter.beginning import lateness
from converter.conversion import Conversion
from converter.division import Division
from converter.encoder import Beside, Encoder, beside
from converter.encoding import parallel
from converter.errors import ConversionFailed
from converter.labels import Labels
from converter.limits import Limits
from converter.loudness import Level
from converter.media import Media, Track
from converter.metadata import Metadata
from converter.parts import Part
from converter.plan import Plan, changing, no_more_than, plan
from converter.probe import probe
from converter.progress import ENCODED, HALF, MEASURED, PROBED, OnProgress, Progress
from converter.report import Loudness, Report
from converter.tracks import pair, ranked
from converter.whole import Warned
from pipeline.options import Options

OnMedia = Callable[[dict[str, Any]], None]
LOUDNESS_TRIES = 3
"""How often an MP3 is made again because its peaks or its loudness are off."""
EMPTY = "empty_audio"


def convert(  # noqa: PLR0913 - the whole core is behind this one call
    video: Path,
    mp3: Path,
    options: Options,
    *,
    limits: Limits,
    stop: threading.Event,
    on_media: OnMedia,
    on_progress: OnProgress,
) -> Conversion:
    """Write the sound of `video` to `mp3` and return what can be said of it.

    `on_media` takes what the probe found, `on_progress` the phase and a fraction that only grows.

    Raises:
        Cancelled: `stop` was set; no process is left, and no MP3.
        ConversionFailed: there is no MP3, for the reason that it says.
    """
    on_progress("probing", 0.0)
    if video.stat().st_size == 0:
        raise errors.empty_file()
    media = probe(video, limits, stop)
    on_media(media.as_document())
    tracks, other = _chosen(media, options.track)
    try:
        with errors.of_a_full_disk(), beside(mp3.parent) as files:
            encoder = Encoder(video, media, limits, stop)
            work = _Work(encoder, options, mp3, files, Labels(options, files), Progress(on_progress))
            return work.first_that_sounds(tracks, other)
    except BaseException:
        discard(mp3)
        raise


def discard(mp3: Path) -> None:
    """Delete an MP3 and its parts, as far as there are any."""
    mp3.unlink(missing_ok=True)
    for number in range(1, parts.MAX_PARTS + 1):
        if not (part := parts.file_of(mp3, number)).exists():
            break
        part.unlink()


def _chosen(media: Media, asked: int | str) -> tuple[list[Track], Track | None]:
    """Return the tracks to try, and the one for the right ear if it has one of its own."""
    if isinstance(asked, str) and "+" in asked:
        left, right = pair(media, asked)
        return [left], right
    return ranked(media, asked), None


@dataclass(frozen=True, slots=True)
class _Work:
    """One conversion, from the plan to the MP3 with its tags."""

    encoder: Encoder
    options: Options
    mp3: Path
    beside: Beside
    labels: Labels
    progress: Progress

    def first_that_sounds(self, tracks: Sequence[Track], other: Track | None) -> Conversion:
        """Convert the first of some tracks that is not empty, or a track and another for the right ear."""
        *better, last = tracks
        for track in better:
            try:
                return self.done(track)
            except ConversionFailed as error:
                if error.code != EMPTY:
                    raise
        return self.done(last, other)

    def done(self, track: Track, other: Track | None = None) -> Conversion:
        late = lateness(self.encoder, track, self.beside.text)
        first = plan(track, self.options, late, other)
        expected = whole.promised(self.encoder, first)
        if whole.is_sure(self.encoder.media):
            self._check_length(first, expected)
        level = self._level(first, expected)
        made, report = self._fitting(first, level, expected)
        level, report = self._loud_enough(made, level, report, expected)
        verdict = whole.judge(self.encoder, made, report, expected)
        if self.options.strict and not verdict.complete:
            raise errors.input_truncated(verdict.got, verdict.promised).after(report.tail)
        text = self.labels.text()
        cover = self.labels.write(self.mp3, text, made, report)
        divided = self._parts(made, level, report, text)
        seconds = report.samples / made.sample_rate
        return Conversion(
            duration=round(seconds, 3),
            complete=verdict.complete,
            warnings=(
                *verdict.warnings,
                *bitrates.warnings(made, report),
                *_of_loudness(self.options.loudness, report),
                *channels.warnings(made, self.encoder.media, report),
                *(_of_text(text) if self.labels.kept else ()),
                *_of_parts(self.options.split, divided),
            ),
            reencoded=not made.copied,
            track=made.track.number,
            language=made.track.language,
            channels=made.channels,
            sample_rate=made.sample_rate,
            bitrate=round(report.bitrate(made.sample_rate)),
            quality=made.quality,
            encoders=report.encoders,
            chapters=len(text.chapters) if self.labels.kept else 0,
            gain=None if level is None else round(level.gain, 2),
            loudness=report.loudness,
            cover=cover,
            parts=tuple(divided),
            peaks=peaks.of(self.beside.waveform),
        )

    def _check_length(self, planned: Plan, seconds: float | None) -> None:
        if seconds is not None and seconds > self.encoder.limits.seconds:
            raise errors.too_long(self.encoder.limits.seconds)
        if seconds == 0 and planned.start > 0:
            raise errors.nothing_there(planned.start)

    def _encode(self, planned: Plan, level: Level | None, expected: float | None) -> Report:
        end = ENCODED if self.options.split is None else HALF
        follow = self.progress.between(PROBED if level is None else MEASURED, end, expected)

        def on_time(seconds: float) -> None:
            self._check_length(planned, seconds)
            follow(seconds)

        filters = () if level is None else level.filters(planned.sample_rate)
        report = None
        if level is None:
            report = parallel.encode(self.encoder, planned, expected, self.mp3, self.beside, on_time=on_time)
        if report is None:
            report = self.encoder.encode(planned, filters, self.mp3, self.beside, on_time)
        self._check_length(planned, report.samples / planned.sample_rate)
        return report

    def _fitting(self, first: Plan, level: Level | None, expected: float | None) -> tuple[Plan, Report]:
        """Encode, and again where it turns out that the plan does not fit the video."""
        made, report = first, self._encode(first, level, expected)
        if made.copied and (report.problems or report.changed_rates or report.fills or report.drops):
            made = replace(made, quality="V2")
            report = self._encode(made, level, expected)
        if report.changed_rates and not made.changing:
            made = changing(made, self.options, report.changed_rates)
            if self.encoder.media.container in whole.UNTIMED:
                made = replace(made, timing="joined")
            report = self._encode(made, level, expected)
        timing = whole.better_timing(report, made, expected)
        if timing != made.timing:
            made = replace(made, timing=timing)
            report = self._encode(made, level, expected)
        source, own = bitrates.of_source(made, report), report.bitrate(made.sample_rate)
        if self.options.quality == "auto" and not made.copied and own > source * bitrates.HIGHER:
            less = replace(made, quality=no_more_than(source, made.channels, made.sample_rate))
            if less != made:
                return less, self._encode(less, level, expected)
        return made, report

    def _level(self, planned: Plan, expected: float | None) -> Level | None:
        if self.options.loudness is None:
            return None
        source = self._measurer(planned, expected)(())
        return loudness.level_for(
            self.options.loudness, source, planned.sample_rate, self._measurer(planned, expected)
        )

    def _measurer(self, planned: Plan, expected: float | None) -> loudness.Measure:
        def measure(filters: Sequence[str]) -> Loudness:
            on_time = self.progress.between(PROBED, MEASURED, expected)
            found = self.encoder.measure(planned, filters, on_time).loudness
            return found or loudness.SILENCE

        return measure

    def _loud_enough(
        self, made: Plan, level: Level | None, report: Report, expected: float | None
    ) -> tuple[Level | None, Report]:
        """Encode again while the MP3's loudness or peaks are off."""
        for _ in range(LOUDNESS_TRIES):
            if level is None or self.options.loudness is None or report.loudness is None:
                break
            better = loudness.corrected(
                level,
                self.options.loudness,
                report.loudness,
                made.sample_rate,
                self._measurer(made, expected),
            )
            if better is None:
                break
            level = better
            report = self._encode(made, level, expected)
        return level, report

    def _parts(self, made: Plan, level: Level | None, report: Report, text: Metadata) -> list[Part]:
        if self.options.split is None:
            return []
        filters = () if level is None else level.filters(made.sample_rate)
        division = Division(self.encoder, made, filters, report, self.labels, self.progress)
        return division.parts(self.mp3, text)


def _of_loudness(asked: float | None, report: Report) -> list[Warned]:
    heard = report.loudness
    if asked is None or heard is None or abs(heard.integrated - asked) <= 1:
        return []
    message = f"The loudness is {heard.integrated:.1f} LUFS: it could not be brought to {asked:g}."
    return [Warned("loudness_missed", message)]


def _of_text(text: Metadata) -> list[Warned]:
    if not text.guessed:
        return []
    message = "The tags do not say how their letters are encoded: they were guessed. Check title and artist."
    return [Warned("text_guessed", message)]


def _of_parts(asked: str | None, made: Sequence[Part]) -> list[Warned]:
    if asked is None or made:
        return []
    what = "chapters" if asked == "chapters" else "silence long enough to split it at"
    return [Warned("not_split", f"The sound has no {what}: there is only the one MP3.")]
