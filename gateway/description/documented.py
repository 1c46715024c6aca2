"""Say beside a view what it takes and answers, for `openapi` to describe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

View = TypeVar("View", bound=Callable[..., object])

QUERY_OF_OPTIONS = (
    "quality",
    "track",
    "start",
    "end",
    "channels",
    "sample_rate",
    "loudness",
    "tags",
    "title",
    "split",
    "strict",
    "callback_url",
)


@dataclass(frozen=True, slots=True)
class Documentation:
    """What one view takes and answers."""

    answers: Mapping[int, str]
    """By status: the name of a shape, or `text`, `token`, `mp3`, `zip`, `events`, `nothing`."""
    errors: tuple[int, ...] = ()
    """Those of its own; `openapi` adds those of the door."""
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = field(default=())
    body: str | None = None
    """The name of a shape, or of a body in `openapi`."""


def documented(
    answers: Mapping[int, str],
    *,
    errors: tuple[int, ...] = (),
    query: tuple[str, ...] = (),
    headers: tuple[str, ...] = (),
    body: str | None = None,
) -> Callable[[View], View]:
    """Attach its documentation to a view."""

    def attach(view: View) -> View:
        view.documentation = Documentation(answers, errors, query, headers, body)  # type: ignore[attr-defined]  # read by `openapi`
        return view

    return attach
