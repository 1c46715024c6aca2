"""The shapes of users, of what they log in with, and of their keys."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from gateway.description.schemas.shape import Shape

_ATOM = "[A-Za-z0-9!#$%&'*+=?^_`{|}~-]+"
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = rf"^{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*$"
SCOPES = "^((jobs:read|jobs:write|admin)( (jobs:read|jobs:write|admin))*)?$"
KEY_SCOPES = "^(jobs:read|jobs:write|admin)( (jobs:read|jobs:write|admin))*$"


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
        default=None, max_length=100, pattern=KEY_SCOPES, description="reading and writing jobs by default"
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
