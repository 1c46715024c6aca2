"""Read the query of a request, refusing what is not allowed by name."""

import json
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qsl

from flask import request
from pydantic import BaseModel, ValidationError

from chassis.problem import Problem
from gateway import problems
from gateway.door.body import Body

S = TypeVar("S", bound=BaseModel)

MAX_BODY_BYTES = 16 * 1024
MAX_TEXT = 100
MAX_DIGITS = 9
MAX_PAGE = 100
"""How many entries one page of a list holds."""


def number(name: str, default: int, least: int, most: int) -> int:
    """Return a whole number of the query.

    Raises:
        Problem: it is none, or out of bounds.
    """
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS and least <= int(given) <= most):
        raise problems.invalid_parameter(name, f"a number from {least} to {most}")
    return int(given)


def one_of(name: str, allowed: tuple[str, ...]) -> str | None:
    """Return a word of the query.

    Raises:
        Problem: it is none of those that are allowed.
    """
    given = request.args.get(name)
    if given is not None and given not in allowed:
        raise problems.invalid_parameter(name, f"one of {', '.join(allowed)}")
    return given


def text(name: str) -> str | None:
    """Return a text of the query, `None` for an empty one.

    Raises:
        Problem: it is too long.
    """
    given = request.args.get(name)
    if given is not None and len(given) > MAX_TEXT:
        raise problems.invalid_parameter(name, f"at most {MAX_TEXT} characters")
    return given or None


def only(*names: str) -> None:
    """Refuse every part of the query that is none of these.

    Raises:
        Problem: naming the first.
    """
    for name in request.args:
        if name not in names:
            raise problems.unknown_parameter(name, names)


def options(*others: str) -> dict[str, str]:
    """Return the parts of the query that are options of a conversion: all but these others."""
    return {name: value for name, value in request.args.items() if name not in others}


def fields(
    mimetype: str, body: bytes, otherwise: Callable[[], Problem] = problems.malformed_options
) -> dict[str, str]:
    """Return the fields of a JSON object or of an urlencoded form.

    Raises:
        Problem: the body is neither.
    """
    try:
        given = body.decode("utf-8")
        is_json = mimetype == "application/json"
        found = json.loads(given) if is_json else dict(parse_qsl(given, strict_parsing=True))
        return _texts(found)
    except (ValueError, RecursionError):
        raise otherwise() from None


def _texts(found: object) -> dict[str, str]:
    if not isinstance(found, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - what `json` raises for what it cannot read
    return {str(name): value if isinstance(value, str) else _text(value) for name, value in found.items()}


def shape(kind: type[S]) -> S:
    """Return the request's body, a JSON object of this shape; none at all is an empty one.

    Raises:
        Problem: the body is not JSON, or of another shape.
    """
    body = b"".join(Body(request, MAX_BODY_BYTES).pieces()) or b"{}"
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        if first["type"] == "json_invalid":
            raise problems.malformed_body() from None
        name = ".".join(str(part) for part in first["loc"]) or "the body"
        raise problems.invalid_body(f"{name}: {first['msg']}") from None


def _text(value: object) -> str:
    """Return a JSON value as one writes it in a form: 1.0 is 1 there."""
    if not isinstance(value, float | int):
        raise ValueError("it is neither text nor number")  # noqa: TRY004 - likewise
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)
