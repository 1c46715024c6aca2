"""The shapes of what operators see: the doctor's findings and dead letters."""

from pydantic import Field

from gateway.description.schemas.shape import Shape


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
