"""The shapes of jobs, of uploads, and of what a user may have of them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from gateway.description.schemas.shape import Shape
from pipeline.job import Phase, State


class Source(Shape):
    """The video."""

    filename: str
    size: int | None
    sha256: str | None
    content_type: str
    kept: bool = Field(description="whether the job can be retried without another upload")


class Failure(Shape):
    """Why there is no MP3."""

    code: str
    message: str
    hint: str
    retryable: bool


class Notice(Shape):
    """The mail about the outcome."""

    state: Literal["pending", "sending", "sent", "undeliverable"]
    tries: int


class Queue(Shape):
    """Where a job stands that waits."""

    position: int | None = Field(
        ge=1, description="1 is next; null behind the first 1,000, and while it waits for another try"
    )


class Job(Shape):
    """One conversion."""

    id: str
    state: State
    version: int = Field(description="+1 with every change")
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None = Field(description="when its files are deleted")
    attempt: int
    progress: float = Field(ge=0, le=1)
    phase: Phase | None
    queue: Queue | None = Field(description="while it is queued")
    eta_seconds: int | None = Field(
        ge=0, description="in how many seconds it is done, as far as this installation can tell"
    )
    source: Source
    options: dict[str, Any]
    media: dict[str, Any] | None = Field(description="what was found in the video")
    result: dict[str, Any] | None = Field(description="size, sha256, duration, … of the MP3")
    error: Failure | None
    notice: Notice | None
    links: dict[str, str] = Field(description="where one can go from here")


class AnyJob(Job):
    """One conversion, as administrators see it."""

    owner: str
    request_id: str
    log: list[str] = Field(description="the last that ffmpeg said, if the job failed")


class Peaks(Shape):
    """The waveform of an MP3."""

    peaks: list[int] = Field(description="the loudest sample of each of as many equal parts, from 0 to 255")


class Jobs(Shape):
    """The jobs of one upload."""

    jobs: list[Job]


class Page(Jobs):
    """A part of a list; `next` is where it goes on."""

    next: str | None


class AnyPage(Shape):
    """A part of everybody's list; `before` is the cursor of the next."""

    jobs: list[AnyJob]
    before: str | None


class Upload(Shape):
    """A resumable upload that is not complete, or not queued yet."""

    id: str = Field(description="also its job's")
    filename: str
    content_type: str
    length: int | None
    offset: int = Field(description="how many bytes are there")
    options: dict[str, Any]
    metadata: str = Field(description="as it was sent")
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    links: dict[str, str]


class UploadPage(Shape):
    """A part of a list; `next` is where it goes on."""

    uploads: list[Upload]
    next: str | None


class Limits(Shape):
    """What is allowed."""

    max_upload_bytes: int
    max_active_jobs: int
    max_jobs_per_day: int
    max_stored_bytes: int
    requests_per_minute: int
    logins_per_minute: int
    uploads_at_once: int = Field(description="of one user, in each gateway; so are the next two")
    downloads_at_once: int
    streams_at_once: int
    min_bytes_per_second: int
    max_wait_seconds: int
    keep_uploads_seconds: int = Field(description="how long a resumable upload waits for its next byte")
    keep_videos_seconds: int = Field(description="how long after a success a job can be run again")
    keep_files_seconds: int = Field(description="how long after its end a job's MP3 can be downloaded")
    keep_jobs_seconds: int = Field(description="how long after its end a job is still told of")


class Usage(Shape):
    """What you take up of it."""

    active_jobs: int
    jobs_today: int
    stored_bytes: int
