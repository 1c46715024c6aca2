"""What the bodies of requests may hold."""

from typing import Annotated, Any, Literal, TypeVar

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from werkzeug.exceptions import BadRequest

from auth import problems


def _whole(number: object) -> object:
    """Take 90.0 for 90, as JSON does."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Whole = Annotated[int, BeforeValidator(_whole)]


class Body(BaseModel):
    """A JSON object; a name that means nothing is refused, a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NewPassword(Body):
    """A user's next password."""

    password: str


class NewUser(Body):
    """A user to add."""

    username: str
    admin: bool = False
    password: str | None = None


class UserChange(Body):
    """What is to change of a user; the rest stays."""

    disabled: bool | None = None
    admin: bool | None = None
    password: Literal["generate"] | None = None


class NewKey(Body):
    """A personal key to make."""

    name: str = Field(min_length=1, max_length=100)
    scope: str | None = Field(default=None, max_length=100)
    expires_in_days: Whole = Field(default=90, ge=1, le=365)


B = TypeVar("B", bound=Body)


def read(kind: type[B]) -> B:
    """Return the request's body.

    Raises:
        Problem: it is no JSON, or not of this kind.
    """
    try:
        return kind.model_validate(_json())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "the body"
        raise problems.invalid_body(f"{name}: {first['msg']}") from None


def scopes() -> list[str] | None:
    """Return the scopes that a login asks for, in a form or in JSON; None when it asks for none.

    Raises:
        Problem: they are no text.
    """
    if request.is_json:
        body = _json()
        if not isinstance(body, dict):
            raise problems.invalid_body("the body: Input should be an object")
        if "scope" not in body:
            return None
        asked = body["scope"]
    else:
        asked = request.form.get("scope")
        if asked is None:
            return None
    if not isinstance(asked, str):
        raise problems.invalid_body("scope: Input should be a valid string")
    return asked.split(" ") if asked else []


def _json() -> Any:
    """Return what the body is in JSON, whatever its headers call it."""
    try:
        return request.get_json(force=True)
    except (BadRequest, RecursionError):  # the second for what is nested too deeply
        raise problems.malformed_body() from None
