"""Find blobs, and pieces of blobs, that no job wants, and delete them.

They are what is left by a process that died between a transition and a deletion, by a converter that
lost its lease in the middle of storing, or by a second run of a job.  Nothing is judged by its age: a
job document tells which blobs it wants, or will want, and what it does not want it never will again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.upkeep.rules import Rule
from pipeline.files import Blobs
from pipeline.job import Job
from pipeline.jobs import Jobs

OURS = re.compile(r"([0-9a-f]{32})(\.[0-9]+(\.parts)?)?")
"""The ids that this suite gives; what other tools stored beside is left alone."""
LOOKED_UP = 500
"""How many jobs are asked for at once."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """A blob that no job wants, or the chunks of one."""

    blobs: Blobs
    blob_id: str

    @property
    def id(self) -> str:
        """The id of the job that it belonged to."""
        return self.blob_id.partition(".")[0]

    def delete(self) -> bool:
        """Delete all of it."""
        self.blobs.delete(self.blob_id)
        return True


@dataclass(frozen=True, slots=True)
class Sweep:
    """Looks through both buckets, a sixteenth of the ids at a time."""

    jobs: Jobs
    videos: Blobs
    mp3s: Blobs

    def rule(self) -> Rule[Unwanted]:
        """Return the one rule."""
        return Rule("blob unwanted", self._unwanted, Unwanted.delete)

    def _unwanted(self) -> Iterator[Unwanted]:
        for blobs, wants in ((self.videos, _wants_video), (self.mp3s, _wants_mp3)):
            for digit in "0123456789abcdef":
                ids = [blob_id for blob_id in blobs.ids(digit) if OURS.fullmatch(blob_id)]
                for start in range(0, len(ids), LOOKED_UP):
                    some = ids[start : start + LOOKED_UP]
                    jobs = self.jobs.among([blob_id[:32] for blob_id in some])
                    for blob_id in some:
                        job = jobs.get(blob_id[:32])
                        if job is None or not wants(job, blob_id):
                            yield Unwanted(blobs, blob_id)


def _wants_video(job: Job, _: str) -> bool:
    return bool(job.source["kept"])


def _wants_mp3(job: Job, blob_id: str) -> bool:
    """Tell whether this is the job's MP3 or its parts, or what the holder of its lease is storing now."""
    if job.state == "converting":
        return blob_id in job.claimed.blob_ids
    return job.state == "done" and blob_id in job.blob_ids
