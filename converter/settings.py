"""What the converter reads from the environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from chassis.settings import Settings as ChassisSettings


class Settings(ChassisSettings):
    """The names are those of the environment, in capitals there."""

    mongodb_url: SecretStr
    rabbitmq_url: SecretStr
    scratch_dir: Path = Path("/scratch")
    """Where a job's video and MP3 lie while it is worked on."""
    shutdown_grace: timedelta = timedelta(seconds=25)
    """How long work may go on after SIGTERM, if it looks as if it would end in that time."""
