"""The messages of the queues `video` and `mp3`: they say "look at this job" and nothing else.

Losing, repeating or reordering them changes nothing: the job document knows what is due.
"""

import json
from dataclasses import asdict, dataclass
from typing import Protocol, Self

from chassis import logs
from pipeline.job import Bell, Job
from pipeline.jobs import Jobs

VERSION = 1
log = logs.get(__name__)


class Undecodable(Exception):
    """The body is no doorbell, or one of a newer version than this process knows."""


class Publishes(Protocol):
    """What can put a message into a queue and knows when it is safe there."""

    def publish(self, queue: str, body: bytes) -> None:
        """Return when the broker has confirmed the message, raise `BrokerUnavailable` otherwise."""


@dataclass(frozen=True, slots=True)
class Doorbell:
    """One message. Consumers that know only the first three keys work (the original contract)."""

    video_fid: str
    mp3_fid: str | None
    username: str
    job_id: str
    request_id: str
    v: int = VERSION

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the doorbell that says what is known of `job` now."""
        mp3 = job.id if job.state == "done" else None
        return cls(
            video_fid=job.id, mp3_fid=mp3, username=job.owner, job_id=job.id, request_id=job.request_id
        )

    def encode(self) -> bytes:
        """Return the message's body: one JSON object."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a message's body.

        Raises:
            Undecodable: saying what is wrong with it.
        """
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Undecodable(f"not JSON: {error}") from None
        if not isinstance(fields, dict):
            raise Undecodable("not a JSON object")
        if fields.get("v", VERSION) != VERSION:
            raise Undecodable(f"version {fields['v']!r}; this process knows {VERSION}")
        job_id = fields.get("job_id", fields.get("video_fid"))
        if not isinstance(job_id, str):
            raise Undecodable("neither job_id nor video_fid is a text")
        return cls(
            video_fid=job_id,
            mp3_fid=fields.get("mp3_fid"),
            username=str(fields.get("username", "")),
            job_id=job_id,
            request_id=str(fields.get("request_id", "")),
        )


def ring(jobs: Jobs, publisher: Publishes, job: Job, bell: Bell) -> None:
    """Put the job's message into the bell's queue, then note that it was rung.

    A process that dies in between rings twice, which is harmless; the other order could lose the bell.
    A delay ends before: who answers at once must find a job that may be taken up.

    Raises:
        BrokerUnavailable: the message is not known to be in the queue; the bell stays due.
        StoreUnavailable: likewise.
    """
    if job.doorbell[bell].get("delayed"):
        jobs.end_delay(job, bell)
    publisher.publish(bell, Doorbell.of(job).encode())
    jobs.mark_rung(job, bell)
    log.info("message sent", bell=bell, job_id=job.id, state=job.state)
