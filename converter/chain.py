"""Decode the links of a chained Ogg file one after the other for an ffmpeg that encodes them as one sound."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from converter import command, sandbox
from converter.limits import Limits
from converter.media import Media
from converter.plan import Plan
from converter.report import Report

READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Chain:
    """Links that are being decoded."""

    samples: int
    """The descriptor that their sound comes from."""
    _work: Future[Report]

    def report(self) -> Report:
        """Return what was said of the links that were asked for, once nobody reads their sound any more."""
        while os.read(self.samples, READ_BYTES):
            pass
        return self._work.result()


@contextmanager
def decoded(video: Path, media: Media, plan: Plan, limits: Limits) -> Iterator[Chain]:
    """Decode the links of a file while the block lasts."""
    samples, sink = os.pipe()
    over = threading.Event()
    with os.fdopen(samples, "rb"), ThreadPoolExecutor(1) as pool:
        work = pool.submit(_decode, video, media, plan, limits, over, sink=sink)
        try:
            yield Chain(samples, work)
        finally:
            over.set()


def _decode(  # noqa: PLR0913 - what it decodes, how, until when and whereto
    video: Path, media: Media, plan: Plan, limits: Limits, over: threading.Event, *, sink: int
) -> Report:
    whole = Report()
    rate = plan.track.sample_rate or plan.sample_rate
    begin = 0.0
    with os.fdopen(sink, "wb"):
        for number, link in enumerate(media.links):
            if plan.end is not None and begin >= plan.end:
                break
            if link.is_empty:
                continue
            report, ends = Report(), [0.0]
            status = sandbox.run(
                command.link(plan, media, number, begin, sink),
                video=video,
                shared=(sink,),
                limits=limits,
                stop=over,
                on_line=report.read,
                on_time=ends.append,
            )
            report.unread_links = int(status != 0)
            whole.add(report, rate / (link.sample_rate or rate))
            begin += ends[-1]
    return whole
