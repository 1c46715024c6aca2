"""Read the header `Authorization`, whatever a stranger put into it."""

import base64


def basic(header: str) -> tuple[str, str] | None:
    """Return user name and password of HTTP basic authentication (RFC 7617), None when there are none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return None
    username, colon, password = decoded.partition(":")
    return (username, password) if colon else None


def bearer(header: str) -> str | None:
    """Return the token of a bearer (RFC 6750), None when there is none."""
    scheme, _, token = header.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
