"""What auth, its migration and its commands read from the environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from chassis.settings import Duration
from chassis.settings import Settings as ChassisSettings

MAX_TOKEN_LIFETIME = timedelta(days=30)


class DatabaseSettings(ChassisSettings):
    """What the commands read: where the users are."""

    database_url: SecretStr
    """mysql://user:password@host:port/database."""


class KeySettings(ChassisSettings):
    """What `python -m auth.keys` reads: where the signing keys are, and how long a token lives."""

    signing_keys_dir: Path
    """A folder of PEM files, each a private key on the curve P-256."""
    token_lifetime: Duration = Field(default=timedelta(hours=24), gt=timedelta(0), le=MAX_TOKEN_LIFETIME)


class Settings(DatabaseSettings, KeySettings):
    """What the service reads; the names are those of the environment, in capitals there."""

    token_issuer: str = "video-to-mp3"  # noqa: S105 - a name, no secret
    token_audience: str = "video-to-mp3"  # noqa: S105 - a name, no secret
    failures_per_account: int = Field(default=10, ge=1)
    failures_per_address: int = Field(default=100, ge=1)
    failures_window: Duration = Field(default=timedelta(minutes=1), ge=timedelta(seconds=1))
    """Failed logins within a window: more are answered 429."""
    host: str = "0.0.0.0"  # noqa: S104 - the gateway knocks from outside the pod
    port: int = 5000
    threads: int = Field(default=16, ge=1)


class MigrateSettings(DatabaseSettings):
    """What `python -m auth.migrate` reads."""

    first_admin: str | None = None
    first_admin_password: SecretStr | None = None
    database_wait: Duration = timedelta(seconds=60)
    """How long a database that is still starting is waited for."""
