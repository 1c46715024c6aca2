"""What the converter reads from the environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from chassis.settings import Duration
from pipeline.timing import JobSettings


class Settings(JobSettings):
    """The names are those of the environment, in capitals there."""

    mongodb_url: SecretStr
    rabbitmq_url: SecretStr
    scratch_dir: Path = Path("/scratch")
    """Where a job's video and MP3 lie while it is worked on."""
    encoders: int | None = Field(default=None, ge=1)
    """How many encoders may work on one sound at once; 1 turns that off.  Unset: by the processors."""
    shutdown_grace: Duration = timedelta(seconds=25)
    """How long work may go on after SIGTERM, if it looks as if it would end in that time."""
