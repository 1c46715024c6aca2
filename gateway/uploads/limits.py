"""What one user may have under way and keep, and what the store must have left."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.settings import Settings
from gateway.uploads import problems as upload_problems
from pipeline.job_queries import Usage
from pipeline.jobs import Jobs
from pipeline.mongodb import Client, free_bytes
from pipeline.upload_store import UploadStore

FREE_SECONDS = 10.0
"""How long an answer about free space is believed."""


@dataclass(slots=True)
class FreeSpace:
    """What MongoDB's disk has left, asked seldom."""

    client: Client
    _bytes: int | None = field(default=None, init=False)
    _asked_at: float = field(default=float("-inf"), init=False)

    def __call__(self) -> int | None:
        """Return the bytes, or `None` when the server does not say."""
        if time.monotonic() - self._asked_at > FREE_SECONDS:
            self._bytes, self._asked_at = free_bytes(self.client), time.monotonic()
        return self._bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the settings, applied."""

    settings: Settings
    jobs: Jobs
    uploads: UploadStore
    free_space: FreeSpace

    def admit(self, owner: str, length: int | None) -> None:
        """Return when an owner may upload so many bytes now (`None`: not known yet).

        Raises:
            Problem: naming the limit that is reached.
        """
        usage = self.usage(owner)
        if usage.active_jobs >= self.settings.max_active_jobs:
            raise upload_problems.too_many_active_jobs(self.settings.max_active_jobs)
        if usage.jobs_today >= self.settings.max_jobs_per_day:
            raise upload_problems.too_many_jobs_today(self.settings.max_jobs_per_day)
        self._find_room(usage, length)

    def room(self, owner: str, length: int | None) -> None:
        """Return when there is room for so many bytes more of an upload that was admitted before.

        Raises:
            Problem: there is none, for this owner or for anybody.
        """
        self._find_room(self.usage(owner), length)

    def _find_room(self, usage: Usage, length: int | None) -> None:
        if usage.stored_bytes + (length or 0) > self.settings.max_stored_bytes:
            raise upload_problems.quota_full(usage.stored_bytes, self.settings.max_stored_bytes)
        free = self.free_space()
        if free is not None and free - (length or 0) < self.settings.min_free_bytes:
            raise upload_problems.out_of_space()

    def describe(self) -> dict[str, Any]:
        """Return the limits as the API tells them."""
        return {
            "max_upload_bytes": self.settings.max_upload_bytes,
            "max_active_jobs": self.settings.max_active_jobs,
            "max_jobs_per_day": self.settings.max_jobs_per_day,
            "max_stored_bytes": self.settings.max_stored_bytes,
            "requests_per_minute": self.settings.requests_per_minute,
            "logins_per_minute": self.settings.logins_per_minute,
            "uploads_at_once": self.settings.uploads_per_user,
            "downloads_at_once": self.settings.downloads_per_user,
            "streams_at_once": self.settings.streams_per_user,
            "min_bytes_per_second": self.settings.min_bytes_per_second,
            "max_wait_seconds": MAX_WAIT_SECONDS,
            "keep_uploads_seconds": int(self.settings.abandon_uploads_after.total_seconds()),
            "keep_videos_seconds": int(self.settings.keep_videos_for.total_seconds()),
            "keep_files_seconds": int(self.settings.keep_files_for.total_seconds()),
            "keep_jobs_seconds": int(self.settings.keep_jobs_for.total_seconds()),
        }

    def usage(self, owner: str) -> Usage:
        """Return what an owner takes up now, the whole length of unfinished uploads with it."""
        usage = self.jobs.usage(owner)
        return replace(usage, stored_bytes=usage.stored_bytes + self.uploads.reserved(owner))


MAX_WAIT_SECONDS = 300
"""How long a request may wait for a job."""
