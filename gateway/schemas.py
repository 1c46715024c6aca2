"""The shapes that the API answers with, for its description and for the tests that hold it to them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chassis.job import Phase, State


class Shape(BaseModel):
    """Nothing but what is named here."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """An error (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    status: int
    code: str = Field(description="stable; what a program decides by")
    detail: str
    hint: str = Field(description="what to do about it")
    request_id: str


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


class Job(Shape):
    """One conversion."""

    id: str
    state: State
    version: int = Field(description="+1 with every change")
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    attempt: int
    progress: float = Field(ge=0, le=1)
    phase: Phase | None
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


class Limits(Shape):
    """What is allowed."""

    max_upload_bytes: int
    max_active_jobs: int
    max_jobs_per_day: int
    max_stored_bytes: int
    requests_per_minute: int
    logins_per_minute: int
    min_bytes_per_second: int
    max_wait_seconds: int


class Usage(Shape):
    """What you take up of it."""

    active_jobs: int
    jobs_today: int
    stored_bytes: int


SHAPES: tuple[type[Shape], ...] = (Problem, Job, Jobs, Page, AnyJob, AnyPage, Limits, Usage)
