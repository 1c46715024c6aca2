"""What the gateway and its reconciler read from the environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr

from chassis.settings import Duration
from pipeline.addresses import Networks
from pipeline.timing import JobSettings


class Settings(JobSettings):
    """The names are those of the environment, in capitals there."""

    auth_url: HttpUrl = HttpUrl("http://auth:5000")
    kept_keys: Path | None = None
    mongodb_url: SecretStr
    rabbitmq_url: SecretStr
    host: str = "0.0.0.0"  # noqa: S104 - it is the door; the network policy says who may knock
    port: int = 8080
    connections: int = Field(default=4096, ge=1)
    uploads_at_once: int = Field(default=256, ge=1)
    uploads_per_user: int = Field(default=16, ge=1)
    downloads_per_user: int = Field(default=32, ge=1)
    streams_per_user: int = Field(default=200, ge=1)
    shutdown_grace: Duration = timedelta(minutes=5)
    slow_after: Duration = timedelta(seconds=20)
    min_bytes_per_second: int = Field(default=1024, ge=1)
    token_issuer: str = "video-to-mp3"  # noqa: S105 - a name, no secret
    token_audience: str = "video-to-mp3"  # noqa: S105 - a name, no secret
    webhook_networks: Networks = ()
    """Networks that webhooks may be sent to though they are not public, with any port and without TLS."""
    trusted_proxies: int = Field(default=0, ge=0)
    cors_origin: str | None = None
    max_upload_bytes: int = Field(default=8 * 1024**3, ge=1)
    max_active_jobs: int = Field(default=1000, ge=1)
    max_jobs_per_day: int = Field(default=10_000, ge=1)
    max_stored_bytes: int = Field(default=500 * 1024**3, ge=1)
    min_free_bytes: int = Field(default=2 * 1024**3, ge=0)
    requests_per_minute: int = Field(default=6000, ge=1)
    logins_per_minute: int = Field(default=300, ge=1)
    reconcile_every: Duration = timedelta(seconds=5)
    ring_again_after: Duration = timedelta(seconds=30)
    """How long a bell may stay unanswered before its message can count as lost."""
    sweep_every: Duration = timedelta(hours=1)
    """How often all blobs are looked through for those that no job wants."""
    abandon_uploads_after: Duration = timedelta(hours=24)
    keep_videos_for: Duration = timedelta(hours=24)
    """How long after its success a job can be run again; other ones can be while their files are kept."""
    keep_files_for: Duration = timedelta(days=7)
    keep_jobs_for: Duration = timedelta(days=30)
