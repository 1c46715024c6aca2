"""Addresses that let in whoever has them: random, and stored as a hash alone."""

import hashlib
import re
import secrets

FORM = re.compile(r"[A-Za-z0-9_-]{32}")


def token() -> str:
    """Return a new token of 192 random bits."""
    return secrets.token_urlsafe(24)


def digest(given: str) -> str | None:
    """Return what is stored of a token; `None` for a text that is none."""
    return hashlib.sha256(given.encode()).hexdigest() if FORM.fullmatch(given) else None
