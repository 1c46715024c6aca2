"""Read the query of a request, refusing what is not allowed by name."""

import json
from urllib.parse import parse_qsl

from flask import request

from gateway import problems


def number(name: str, default: int, least: int, most: int) -> int:
    """Return a whole number of the query.

    Raises:
        Problem: it is none, or out of bounds.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):  # noqa: PLR2004 - digits of a number that nobody asks for
        raise problems.invalid_parameter(name, f"a number from {least} to {most}")
    return int(text)


def one_of(name: str, allowed: tuple[str, ...]) -> str | None:
    """Return a word of the query.

    Raises:
        Problem: it is none of those that are allowed.
    """
    text = request.args.get(name)
    if text is not None and text not in allowed:
        raise problems.invalid_parameter(name, f"one of {', '.join(allowed)}")
    return text


def only(*names: str) -> None:
    """Refuse every part of the query that is none of these.

    Raises:
        Problem: naming the first.
    """
    for name in request.args:
        if name not in names:
            raise problems.invalid_parameter(name, f"this route knows {', '.join(names) or 'no parameters'}")


def options(*others: str) -> dict[str, str]:
    """Return the parts of the query that are options of a conversion: all but these others."""
    return {name: value for name, value in request.args.items() if name not in others}


def fields(mimetype: str, body: bytes) -> dict[str, str]:
    """Return the fields of a JSON object or of an urlencoded form.

    Raises:
        Problem: the body is neither.
    """
    try:
        text = body.decode("utf-8")
        found = (
            json.loads(text) if mimetype == "application/json" else dict(parse_qsl(text, strict_parsing=True))
        )
    except ValueError:
        raise problems.malformed_options() from None
    if not isinstance(found, dict):
        raise problems.malformed_options()
    return {
        str(name): value if isinstance(value, str) else json.dumps(value) for name, value in found.items()
    }
