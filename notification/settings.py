"""What the notification service reads from the environment."""

from pydantic import Field, SecretStr

from pipeline.addresses import Networks
from pipeline.timing import JobSettings


class Settings(JobSettings):
    """The names are those of the environment, in capitals there."""

    mongodb_url: SecretStr
    rabbitmq_url: SecretStr
    smtp_url: SecretStr
    """smtp://, smtp+starttls:// or smtps://, with [user:password@]host[:port]."""
    mail_from: str = Field(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$")
    public_url: str = Field(default="http://mp3converter.com", pattern=r"^https?://[^\s]+[^/]$")
    """Where a reader of the mail reaches the gateway."""
    webhook_networks: Networks = ()
    """Networks that webhooks may be sent to though they are not public, with any port and without TLS."""
