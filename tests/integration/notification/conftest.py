"""Jobs in a real store, brought to an outcome that owes a mail."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from pipeline import mongodb
from pipeline.job import Job
from pipeline.jobs import Jobs
from pipeline.mongodb import Client

ERROR = {"code": "no_audio_track", "message": "It is silent.", "hint": "Add sound.", "retryable": False}


@dataclass(frozen=True, slots=True)
class Store:
    """The jobs, and what the passing of time does to them."""

    jobs: Jobs
    client: Client

    def claimed(self, owner: str = "me@example.com") -> Job:
        job = self.jobs.begin_upload(
            owner, filename="talk.mp4", content_type="video/mp4", options={}, request_id="r1"
        )
        self.jobs.queue(job.id, size=1000, sha256="00", options={})
        return some(self.jobs.claim(job.id, job.id))

    def done(self, owner: str = "me@example.com") -> Job:
        lease = self.claimed(owner).claimed
        result = {"blob": lease.blob_id, "size": 500, "sha256": "00", "duration": 5.3}
        return some(self.jobs.finish(lease, {**result, "complete": True, "warnings": []}))

    def failed(self) -> Job:
        return some(self.jobs.fail(self.claimed().claimed, ERROR))

    def now(self, job: Job) -> Job:
        return some(self.jobs.get(job.id))

    def notice(self, job: Job) -> dict[str, Any]:
        return dict(self.now(job).notice or {})

    def set(self, job: Job, **values: Any) -> None:
        """Change the stored document; `__` stands for a dot."""
        fields = {name.replace("__", "."): value for name, value in values.items()}
        self.client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": fields})

    def wait_for(self, job: Job) -> timedelta:
        """Return how long after its last change the job's mail is due."""
        now = self.now(job)
        due: timedelta = now.doorbell["mp3"]["due_at"] - now.updated_at
        return due

    def ring(self, job: Job) -> None:
        """Do what the reconciler does when the mail is due again."""
        assert self.jobs.end_delay(self.now(job), "mp3")
        assert self.jobs.mark_rung(self.now(job), "mp3")


def some(job: Job | None) -> Job:
    assert job is not None
    return job


@pytest.fixture
def store(mongodb_url: str) -> Iterator[Store]:
    with mongodb.connect(mongodb_url) as client:
        client.drop_database("jobs")
        yield Store(Jobs(client), client)
