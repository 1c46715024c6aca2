"""A job that is over, as the tests of mails and notices need one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.job import Job

OVER = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DONE: dict[str, Any] = {
    "id": "0123456789abcdef0123456789abcdef",
    "owner": "me@example.com",
    "state": "done",
    "version": 5,
    "created_at": OVER,
    "updated_at": OVER,
    "ended_at": OVER,
    "attempt": 1,
    "request_id": "request-1",
    "source": {"filename": "talk.mp4", "size": 4_100_000, "sha256": "00", "kept": True},
    "options": {},
    "media": None,
    "progress": 1.0,
    "phase": None,
    "lease": {"token": 2, "holder": "c1", "until": None},
    "result": {"duration": 5.3, "size": 90_000, "complete": True, "warnings": []},
    "error": None,
    "doorbell": {"video": {"due_at": None, "rung_at": OVER}, "mp3": {"due_at": None, "rung_at": OVER}},
    "notice": {"state": "sending", "since": OVER, "run": 2, "tries": 1, "token": 1, "until": OVER},
}
FAILED: dict[str, Any] = DONE | {
    "state": "failed",
    "result": None,
    "error": {
        "code": "no_audio_track",
        "message": "The video has no sound.",
        "hint": "Upload one with sound.",
        "retryable": False,
    },
}


@pytest.fixture
def done() -> Callable[..., Job]:
    """Make a job that is done, with other values of its fields where they are given."""
    return lambda **fields: Job(**{**DONE, **fields})


@pytest.fixture
def failed() -> Callable[..., Job]:
    """Make a job that failed."""
    return lambda **fields: Job(**{**FAILED, **fields})
