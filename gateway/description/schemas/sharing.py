"""The shapes of links, feeds and webhooks."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from gateway.description.schemas.shape import Shape
from pipeline.addresses import MAX_URL
from pipeline.endpoints import EVENTS, Event


class ShareWish(Shape):
    """A link to make."""

    expires_in_days: int = Field(default=7, ge=1, le=365)
    max_downloads: int | None = Field(default=None, ge=1, le=1_000_000, description="no limit by default")


class Share(Shape):
    """A link to one MP3."""

    id: str
    job: str
    created_at: datetime
    expires_at: datetime
    downloads: int
    max_downloads: int | None


class NewShare(Share):
    """A link, with what is told once."""

    url: str = Field(description="where it is opened, in this answer only")


class Shares(Shape):
    """The oldest first."""

    shares: list[Share]


class FeedWish(Shape):
    """A feed to make."""

    title: str = Field(default="My MP3s", min_length=1, max_length=100)


class Feed(Shape):
    """A private feed of your finished MP3s."""

    id: str
    title: str
    created_at: datetime


class NewFeed(Feed):
    """A feed, with what is told once."""

    url: str = Field(description="what a podcast app subscribes to, in this answer only")


class Feeds(Shape):
    """Yours, the oldest first."""

    feeds: list[Feed]


class WebhookWish(Shape):
    """A webhook to add."""

    url: str = Field(min_length=1, max_length=MAX_URL, description="https, on port 443 or 8443")
    events: list[Event] = Field(default_factory=lambda: list(EVENTS), min_length=1, max_length=len(EVENTS))


class WebhookChange(Shape):
    """Whether to send to a webhook."""

    paused: bool


class WebhookReplay(Shape):
    """What to send again."""

    since: AwareDatetime = Field(description="with its offset from UTC")


class Pause(Shape):
    """Since when nothing is sent, and why."""

    at: datetime
    reason: Literal["asked", "gone", "failing"]


class Webhook(Shape):
    """Where you are told of outcomes."""

    id: str
    url: str | None = Field(description="of `callbacks`, none")
    events: list[Event]
    created_at: datetime
    paused: Pause | None
    failing_since: datetime | None


class NewWebhook(Webhook):
    """A webhook, with what is told once."""

    secret: str = Field(description="what its messages are signed with, in this answer only")


class Webhooks(Shape):
    """Yours, the oldest first."""

    webhooks: list[Webhook]


class Attempt(Shape):
    """One attempt to deliver."""

    at: datetime
    ms: int
    status: int | None = Field(description="of the answer, if there was one")
    answer: str | None = Field(description="its first kilobyte")
    error: str | None


class Delivery(Shape):
    """One message to one webhook."""

    id: str
    event: str = Field(description="`webhook-id`")
    type: str
    created_at: datetime
    state: Literal["pending", "delivered", "failed"]
    due_at: datetime | None = Field(description="when it is tried next")
    tries: int
    attempts: list[Attempt]
    body: str = Field(description="what is sent, as it is")


class Deliveries(Shape):
    """The newest first."""

    deliveries: list[Delivery]


class ReplayedDeliveries(Shape):
    """How many are sent again."""

    replayed: int
