"""Claim the job whose turn it is; a message only says that there is work.

The lowest turn is next, and every job of the same owner that is being converted counts like one more
turn.  What waits is read by index, a window at a time, so that a claim costs the same however long the
queue is.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis import logs
from pipeline.job import Job
from pipeline.job_queries import Waiting
from pipeline.jobs import Jobs
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.turns import Turns

WINDOW = 64
"""How many of the waiting jobs with the lowest turns a claim looks at."""
ROUNDS = 3
"""How often a claim looks again when others took everything that it had found."""

log = logs.get(__name__)


def order(running: Mapping[str, int]) -> Callable[[Waiting], tuple[int, datetime, str]]:
    """Return what waiting jobs are sorted by, while so many jobs of each owner are being converted."""
    return lambda job: (job.turn + running.get(job.owner, 0), job.created_at, job.id)


@dataclass(frozen=True, slots=True)
class FairQueue:
    """What waits for a converter, in the order in which it is taken."""

    jobs: Jobs
    turns: Turns

    def claim(self, hint: str, holder: str) -> Job | None:
        """Claim the job whose turn it is for a holder that works on one job at a time.

        What the holder has already comes first: a claim whose answer was lost.  The job that the message
        names (`hint`) is tried when nothing else waits: a message can be faster than the record that it
        was sent.

        Raises:
            StoreUnavailable: nothing is known to be claimed.
        """
        job = self._next(holder) or self.jobs.claim(hint, holder)
        if job is not None:
            self._serve(job)
        return job

    def _next(self, holder: str) -> Job | None:
        for _ in range(ROUNDS):
            converting = self.jobs.converting()
            for own in converting:
                if own.holder == holder and (job := self.jobs.claim(own.id, holder)):
                    return job
            waiting = self.jobs.waiting(WINDOW)
            running = Counter(job.owner for job in converting)
            for found in sorted(waiting, key=order(running)):
                if job := self.jobs.claim(found.id, holder):
                    return job
            if len(waiting) < WINDOW:
                return None
        return None

    def _serve(self, job: Job) -> None:
        """Note the turn; without that the job is converted all the same, and its owner gets one turn more."""
        try:
            self.turns.serve(job.owner, job.turn)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("the turn was not noted", job_id=job.id, reason=str(error))
