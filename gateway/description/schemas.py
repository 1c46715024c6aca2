"""The shapes that the API takes and answers with, for its description and the tests that hold it to them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pipeline.addresses import MAX_URL
from pipeline.endpoints import EVENTS, Event
from pipeline.job import Phase, State

_ATOM = "[A-Za-z0-9!#$%&'*+=?^_`{|}~-]+"
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = rf"^{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*$"
SCOPES = "^((jobs:read|jobs:write|admin)( (jobs:read|jobs:write|admin))*)?$"

KEY_SCOPES = "^(jobs:read|jobs:write|admin)( (jobs:read|jobs:write|admin))*$"


class Shape(BaseModel):
    """Nothing but what is named here."""

    # Built when it is first used: building all of them took a sixth of a gateway's start.
    model_config = ConfigDict(extra="forbid", defer_build=True)


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


class Token(Shape):
    """What a login is worth."""

    token: str
    expires_at: datetime


class Login(BaseModel):
    """What a token is to allow; more is not looked at."""

    scope: str = Field(default="", pattern=SCOPES, description="those with spaces between; all by default")


class SessionLogin(BaseModel):
    """Who logs in with a browser."""

    username: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1024)


class Me(Shape):
    """Who you are, and what you may do."""

    username: str
    scopes: list[str]
    session: str | None = Field(
        description="the id of your browser's session; of a token or a password, none"
    )


class Session(Shape):
    """A browser that you are logged in with."""

    id: str
    created_at: datetime
    last_used_at: datetime = Field(description="within five minutes")
    agent: str = Field(description="what the browser says that it is")
    address: str


class Sessions(Shape):
    """Those that go on, the last used first."""

    sessions: list[Session]


class KeyWish(Shape):
    """A personal key to make."""

    name: str = Field(min_length=1, max_length=100, description="what you will know it by")
    scope: str | None = Field(
        default=None, pattern=KEY_SCOPES, description="reading and writing jobs by default"
    )
    expires_in_days: int = Field(default=90, ge=1, le=365)


class Key(Shape):
    """A personal key that is good."""

    id: str
    name: str
    start: str = Field(description="its first characters")
    scope: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="to the hour")


class NewKey(Key):
    """A personal key, with what is told once."""

    key: str = Field(description="the key itself, in this answer only")


class Keys(Shape):
    """Your personal keys."""

    keys: list[Key]


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


class NewPassword(Shape):
    """Your next password."""

    password: str = Field(min_length=12, max_length=128)


class NewUser(Shape):
    """A user to add."""

    username: str = Field(pattern=ADDRESS, max_length=254, description="an e-mail address of plain ASCII")
    admin: bool = False
    password: str | None = Field(default=None, min_length=12, max_length=128, description="made if not given")


class UserChange(Shape):
    """What is to change of a user; the rest stays."""

    disabled: bool | None = None
    admin: bool | None = None
    password: Literal["generate"] | None = None


class User(Shape):
    """Somebody who may log in."""

    username: str
    admin: bool
    disabled: bool
    created_at: datetime


class ChangedUser(User):
    """A user, with what is told once."""

    password: str | None = Field(default=None, description="one that was made, in this answer only")


class Users(Shape):
    """Everybody."""

    users: list[User]


class Finding(Shape):
    """What a look at one server saw."""

    name: str
    ok: bool
    seen: str = Field(description="what is there, or what is wrong")
    advice: str | None = Field(description="what to do, if it is wrong")


class Findings(Shape):
    """What the doctor says."""

    findings: list[Finding]


class DeadLetter(Shape):
    """A message that no consumer could decode."""

    body: str
    reason: str


class DeadLetters(Shape):
    """The first of a queue's."""

    dead_letters: list[DeadLetter]


class Replayed(Shape):
    """How many messages are in their queue again."""

    replayed: int


class Dropped(Shape):
    """How many messages were deleted."""

    dropped: int


SHAPES: tuple[type[BaseModel], ...] = (
    Problem,
    Job,
    Jobs,
    Peaks,
    Page,
    AnyJob,
    AnyPage,
    UploadPage,
    Limits,
    Usage,
    Token,
    Login,
    SessionLogin,
    Me,
    Sessions,
    ShareWish,
    NewShare,
    Shares,
    FeedWish,
    NewFeed,
    Feeds,
    WebhookWish,
    WebhookChange,
    WebhookReplay,
    NewWebhook,
    Webhooks,
    Deliveries,
    ReplayedDeliveries,
    KeyWish,
    NewKey,
    Keys,
    NewPassword,
    NewUser,
    UserChange,
    User,
    ChangedUser,
    Users,
    Findings,
    DeadLetters,
    Replayed,
    Dropped,
)
