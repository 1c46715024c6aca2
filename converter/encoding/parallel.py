"""Encode one sound by several encoders at once, each in a sandbox of its own that decodes for itself.

Nothing but the MP3 passes this process, and no decoded sound lies anywhere in between.
"""

import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from chassis import logs
from converter import command, errors
from converter.encoder import Beside, Encoder
from converter.encoding.blocks import Blocks, blocks_for
from converter.encoding.frames import Frames, Shape
from converter.encoding.join import Joint
from converter.encoding.seam import Unmatched
from converter.plan import Plan
from converter.report import Report, samples_a_frame
from converter.sandbox import OnTime

LOOK_SECONDS = 0.1
"""How often what the encoders wrote is joined."""

log = logs.get(__name__)


def encode(  # noqa: PLR0913 - as `Encoder.encode`, and what is expected
    encoder: Encoder,
    plan: Plan,
    expected: float | None,
    mp3: Path,
    beside: Beside,
    *,
    on_time: OnTime,
) -> Report | None:
    """Encode a sound of so many seconds as `Encoder.encode` does; return `None` where that has to do it."""
    simple = not (plan.copied or plan.changing or plan.other or encoder.media.links)
    blocks = blocks_for(plan, encoder.limits.encoders, expected) if simple else None
    if blocks is None:
        return None
    try:
        return Parallel(encoder, plan, blocks).encode(mp3, beside, on_time)
    except Unmatched as error:
        log.info("one encoder starts over", reason=str(error), quality=plan.quality)
        return None


@dataclass(frozen=True, slots=True)
class Parallel:
    """Makes one MP3 of a video as `Encoder.encode` does, of the same samples."""

    encoder: Encoder
    plan: Plan
    blocks: Blocks

    def encode(self, mp3: Path, beside: Beside, on_time: OnTime) -> Report:
        """Write the MP3 without a tag, and what belongs into it beside.

        Raises:
            Unmatched: the streams cannot be joined; one encoder has to do it all.
        """
        with ExitStack() as until:
            folder = Path(until.enter_context(tempfile.TemporaryDirectory(dir=mp3.parent)))
            parts = [folder / str(number) for number in range(self.blocks.encoders)]
            files = [until.enter_context(part.open("wb+")) for part in parts]
            shape = Shape(self.plan.sample_rate, self.plan.channels)
            streams = [Frames(file.fileno(), shape) for file in files]
            variable = self.plan.quality.startswith("V")
            out = until.enter_context(mp3.open("wb"))
            joint = Joint(out, streams, self.blocks, self.encoder.limits.mp3_bytes, variable=variable)
            pool = until.enter_context(ThreadPoolExecutor(self.blocks.encoders))
            over = threading.Event()
            until.callback(over.set)
            works = self._start(pool, over, parts, beside)
            self._follow(works, streams, joint, on_time)
            reports = [work.result() for work in works]
            return self._finish(reports, joint)

    def _start(
        self, pool: ThreadPoolExecutor, over: threading.Event, parts: Sequence[Path], beside: Beside
    ) -> list[Future[Report]]:
        one = replace(self.encoder, stop=over)
        works = []
        for number, part in enumerate(parts):
            shared = None if number else beside.emptied()
            chosen = self.blocks.filters(number)
            arguments = command.encode_frames(self.plan, self.encoder.media, chosen, shared)
            works.append(pool.submit(one.run, arguments, self.plan, _ignore, part, shared or ()))
        return works

    def _follow(
        self, works: Sequence[Future[Report]], streams: Sequence[Frames], joint: Joint, on_time: OnTime
    ) -> None:
        """Join while the encoders work, until all are done or one has failed."""
        blocks = self.blocks
        seconds = samples_a_frame(blocks.sample_rate) / blocks.sample_rate * blocks.length / blocks.turn
        waiting = set(works)
        while waiting:
            done, waiting = wait(waiting, LOOK_SECONDS, FIRST_EXCEPTION)
            if self.encoder.stop.is_set():
                raise errors.Cancelled
            for work in done:
                work.result()
            joint.advance()
            if done_seconds := sum(map(len, streams)) * seconds:
                on_time(done_seconds)

    def _finish(self, reports: Sequence[Report], joint: Joint) -> Report:
        report = reports[0]
        report.encoded_samples = self.blocks.samples([each.encoded_samples for each in reports])
        if not report.samples:
            raise errors.empty_audio().after(report.tail)
        report.mp3_bytes = joint.finish(report.samples)
        report.mp3_frames = joint.frames
        report.encoders = self.blocks.encoders
        return report


def _ignore(_: float) -> None:
    """Take the time of one encoder, which says little of the whole."""
