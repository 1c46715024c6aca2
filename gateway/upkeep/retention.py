"""What is kept for how long: uploads that never ended, videos, MP3s, and the jobs themselves."""

from dataclasses import dataclass
from functools import partial

from gateway.settings import Settings
from gateway.upkeep.rules import Rule
from pipeline.files import Blobs
from pipeline.job import Job
from pipeline.job_queries import OVER
from pipeline.jobs import Jobs


@dataclass(frozen=True, slots=True)
class Retention:
    """Gives up what has been kept long enough.

    The job document changes first: from then on its files are unwanted, and if they cannot be deleted
    now, `sweep` finds them.
    """

    jobs: Jobs
    videos: Blobs
    mp3s: Blobs
    settings: Settings

    def rules(self, batch: int) -> list[Rule[Job]]:
        """Return the rules, each for a batch of jobs at once."""
        jobs, keep = self.jobs, self.settings
        succeeded = partial(jobs.ended, ["done"], keep.keep_videos_for, batch, source_kept=True)
        return [
            Rule(
                "upload abandoned",
                partial(jobs.stale_uploads, keep.abandon_uploads_after, batch),
                self._abandon,
            ),
            Rule("video released", succeeded, self._release),
            Rule("files expired", partial(jobs.ended, OVER, keep.keep_files_for, batch), self._expire),
            Rule("job forgotten", partial(jobs.ended, ["expired"], keep.keep_jobs_for, batch), jobs.forget),
        ]

    def _abandon(self, job: Job) -> bool:
        if not self.jobs.discard(job.id):
            return False
        self.videos.delete(job.id)
        return True

    def _release(self, job: Job) -> bool:
        if self.jobs.release_source(job) is None:
            return False
        self.videos.delete(job.id)
        return True

    def _expire(self, job: Job) -> bool:
        if self.jobs.expire(job) is None:
            return False
        self.videos.delete(job.id)
        for blob_id in job.blob_ids:
            self.mp3s.delete(blob_id)
        return True
