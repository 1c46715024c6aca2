"""Turn one queued job into an MP3 or an honest failure, under a lease.

The conversion itself is `converter.convert`; here are the claim, the video's way to the scratch
folder, the MP3's way into the store, and what happens when the lease or the process ends first.
Long, because the whole way of one claim stands in one place.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import Counter, Gauge, Histogram
from pydantic import ValidationError

from chassis import logs
from converter import errors
from converter.conversion import Conversion
from converter.convert import convert
from converter.errors import Cancelled, ConversionFailed, of_a_full_disk
from converter.lease import WorkKeeper
from converter.limits import Limits
from converter.scratch import Scratch
from converter.stages import Stages
from converter.storing import Storing
from pipeline.broker import BrokerUnavailable
from pipeline.doorbell import Publishes, ring
from pipeline.fair_queue import FairQueue
from pipeline.files import BlobDamaged, Blobs, NoSuchBlob
from pipeline.job import Bell, Job, Phase
from pipeline.jobs import MAX_ATTEMPTS, Jobs
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.options import Options
from pipeline.speeds import Speeds, kind

SPACE_FACTOR, SPLIT_FACTOR = 1.4, 1.8
"""Room that a job needs, as a multiple of its video: the MP3 lies beside it, and a split one twice."""
SPACE_BYTES = 64 * 1024 * 1024
SPACE_DELAY = timedelta(seconds=30)
VERSION_DELAY = timedelta(seconds=10)
"""How long a job of a newer gateway waits for a newer converter."""
STORE_PAUSE_SECONDS = 0.5

T = TypeVar("T")

conversions = Counter("conversions_total", "Conversions that came to an end.", ["outcome"])
conversion_seconds = Histogram(
    "conversion_seconds",
    "Seconds from the claim to the stored outcome.",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200),
)
media_seconds = Counter("converted_media_seconds_total", "Seconds of audio that became MP3s.")
busy = Gauge("converter_busy", "1 while a job is being worked on.")
log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Conversions:
    """Works on one job at a time."""

    jobs: Jobs
    queue: FairQueue
    speeds: Speeds
    videos: Blobs
    mp3s: Blobs
    publisher: Publishes
    scratch: Scratch
    limits: Limits
    holder: str
    stop: threading.Event
    grace: timedelta

    def look_at(self, job_id: str) -> None:
        """Claim the job whose turn it is, and bring it to an outcome; `job_id` is what the message names.

        Raises:
            StoreUnavailable: before anything was claimed.
        """
        job = self.queue.claim(job_id, self.holder)
        if job is None:
            log.info("nothing to convert: no job waits, and this one is unknown, finished, or held elsewhere")
            return
        with logs.bind(job_id=job.id, request_id=job.request_id):
            self._work_on(job)

    def _work_on(self, job: Job) -> None:
        log.info("claimed", attempt=job.attempt, token=job.claimed.token, size=job.source["size"])
        began, stages = time.monotonic(), Stages("fetching")
        with busy.track_inprogress(), WorkKeeper(self.jobs, job.claimed, self.stop, self.grace) as keeper:
            outcome = _Work(self, job, keeper, stages).outcome()
        seconds = time.monotonic() - began
        conversions.labels(outcome).inc()
        conversion_seconds.observe(seconds)
        log.info("conversion finished", outcome=outcome, seconds=round(seconds, 3), stages=stages.seconds())
        if outcome == "done":
            self._note(job, seconds)

    def _note(self, job: Job, seconds: float) -> None:
        """Let the next be foreseen by it; one that is not noted is one among many."""
        try:
            self.speeds.note(kind(job.source["filename"], job.options), job.source["size"], seconds)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("how long it took was not noted", reason=str(error))


@dataclass(frozen=True, slots=True)
class _Work:
    """One claim of one job, from the video in the store to the outcome in the job document."""

    use: Conversions
    job: Job
    keeper: WorkKeeper
    stages: Stages

    def outcome(self) -> str:
        """Work, store what came of it, and return its name for the metrics."""
        try:
            return self._worked()
        except Cancelled:
            return self._lost() if self.keeper.lost else self._given_back()

    def _worked(self) -> str:
        try:
            return self._convert()
        except Cancelled:
            raise
        except ConversionFailed as error:
            if error.retryable and self.job.attempt < MAX_ATTEMPTS:
                return self._again(error.code, error.message, error.log)
            return self._failed(error)
        except (NoSuchBlob, BlobDamaged) as error:
            log.error("the video cannot be read from the store", reason=str(error))
            return self._failed(errors.video_lost())
        except Exception as error:
            log.exception("unhandled exception in the converter")
            if self.job.attempt < MAX_ATTEMPTS:
                return self._again("bug", type(error).__name__)
            return self._failed(errors.crashed("a fault in the converter"))

    def _convert(self) -> str:
        if self._waits_for_space():
            return "waits for space"
        options = self._options()
        if options is None:
            return "waits for a newer converter"
        with self.use.scratch.folder(self.job.claimed.blob_id) as folder:
            video, mp3 = folder / "video", folder / "out.mp3"
            with of_a_full_disk():
                self._fetch(video)
            done = convert(
                video,
                mp3,
                options,
                limits=self.use.limits,
                stop=self.keeper.cancelled,
                on_media=self._describe,
                on_progress=self._progress,
            )
            self._progress("storing", 0.99)
            result = done.as_document() | self._store(mp3, done)
        self.stages.enter("recording")
        return self._done(result)

    def _progress(self, phase: Phase, fraction: float) -> None:
        self.stages.enter(phase)
        self.keeper.progress(phase, fraction)

    def _waits_for_space(self) -> bool:
        factor = SPLIT_FACTOR if self.job.options.get("split") else SPACE_FACTOR
        needed = int(self.job.source["size"] * factor) + SPACE_BYTES
        if self.use.scratch.free_bytes >= needed:
            return False
        log.error(
            "no space in the scratch volume: the job waits", needed=needed, free=self.use.scratch.free_bytes
        )
        self._patiently(lambda: self.use.jobs.give_back(self.job.claimed, delay=SPACE_DELAY))
        return True

    def _options(self) -> Options | None:
        """Return what is asked for, or hand the job back: in a rollout the gateway may be newer than this."""
        try:
            return Options.model_validate(self.job.options)
        except ValidationError as error:
            log.error("options of a newer version: the job waits", reason=str(error).splitlines()[0])
            self._patiently(lambda: self.use.jobs.give_back(self.job.claimed, delay=VERSION_DELAY))
            return None

    def _fetch(self, video: Path) -> None:
        """Copy the video into the scratch folder; after an outage the copy goes on where it stopped."""
        blob = self._patiently(lambda: self.use.videos.find(self.job.id))
        digest = hashlib.sha256()
        with video.open("wb") as file:

            def copy_rest() -> None:
                for data in self.use.videos.read(blob, start=file.tell()):
                    self._go_on()
                    file.write(data)
                    digest.update(data)

            self._patiently(copy_rest)
        if digest.hexdigest() != self.job.source["sha256"]:
            raise BlobDamaged(f"{blob.id}: its sha256 is not the one of the upload")

    def _store(self, mp3: Path, done: Conversion) -> dict[str, Any]:
        """Store what was made, and return what the job's `result` says of it."""
        self.stages.enter("storing")
        storing = Storing(self.use.mp3s, self.job, self._go_on)
        parts = self._patiently(lambda: storing.parts(mp3, done))
        return self._patiently(lambda: storing.mp3(mp3, done.peaks)) | parts

    def _describe(self, media: dict[str, Any]) -> None:
        self._patiently(lambda: self.use.jobs.describe(self.job.claimed, media))

    def _done(self, result: dict[str, Any]) -> str:
        job = self._patiently(lambda: self.use.jobs.finish(self.job.claimed, result) or self._as_ours())
        if job is None:
            return self._lost()
        media_seconds.inc(result["duration"])
        self._ring(job, "mp3")
        return "done"

    def _as_ours(self) -> Job | None:
        """Return the job if it was finished by this claim: the answer to `finish` can get lost."""
        job = self.use.jobs.get(self.job.id)
        ours = job is not None and job.result is not None and job.result["blob"] == self.job.claimed.blob_id
        return job if ours else None

    def _failed(self, error: ConversionFailed) -> str:
        log.warning("failed", code=error.code, reason=error.message, ffmpeg=error.log)
        job = self._patiently(lambda: self.use.jobs.fail(self.job.claimed, error.as_document()))
        if job is not None:
            self._ring(job, "mp3")
        return error.code

    def _again(self, code: str, reason: str, said: Sequence[str] = ()) -> str:
        log.warning("will be tried again", code=code, reason=reason, attempt=self.job.attempt, ffmpeg=said)
        self._patiently(lambda: self.use.jobs.retry_later(self.job.claimed, self.job.attempt))
        return "again"

    def _lost(self) -> str:
        """Throw the work away: the job was canceled, or is in other hands.

        Unless this claim finished it, and the answer got lost: then the job wants its MP3.
        """
        try:
            job = self._as_ours()
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("deleting the files is left to the reconciler", reason=str(error))
            return "lease lost"
        if job is not None:
            self._ring(job, "mp3")
            return "done"
        log.warning("the lease is lost: the work is discarded")
        self._delete_blobs()
        return "lease lost"

    def _given_back(self) -> str:
        """Leave the job to others at once: this process must end.

        The lease goes first: while it holds, a `finish` that is still on its way could want the MP3.
        """
        job = self.use.jobs.give_back(self.job.claimed)
        if job is None:
            return self._lost()
        self._ring(job, "video")
        self._delete_blobs()
        return "given back"

    def _delete_blobs(self) -> None:
        try:
            for blob_id in self.job.claimed.blob_ids:
                self.use.mp3s.delete(blob_id)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("deleting the files is left to the reconciler", reason=str(error))

    def _ring(self, job: Job, bell: Bell) -> None:
        try:
            ring(self.use.jobs, self.use.publisher, job, bell)
        except (BrokerUnavailable, StoreUnavailable, StoreRefused) as error:
            log.warning("sending the message is left to the reconciler", bell=bell, reason=str(error))

    def _go_on(self) -> None:
        if self.keeper.cancelled.is_set():
            raise Cancelled

    def _patiently(self, step: Callable[[], T]) -> T:
        """Return what `step` returns, however long the store is away while the lease is ours."""
        while True:
            try:
                return step()
            except (StoreUnavailable, StoreRefused) as error:
                log.warning("waiting for the store during the work", reason=str(error))
                if self.keeper.cancelled.wait(STORE_PAUSE_SECONDS):
                    raise Cancelled from None
