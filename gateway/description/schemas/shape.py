"""What every shape has in common, and the one of all errors."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
