"""What a personal key is: a secret that a user makes for a script, and how its text is told from others.

`v2m_`, 32 random letters and digits, and six that are their checksum: scanners for leaked secrets know
one when they see it, and a mistyped one is known without looking it up.  Only its SHA-256 is stored;
192 random bits need no slow hash.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime

PREFIX = "v2m_"
SHOWN = len(PREFIX) + 4
"""How many characters of a key are kept to know it by."""

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECKSUM = 32, 6
_FORM = re.compile(rf"({PREFIX}[0-9A-Za-z]{{{_RANDOM}}})([0-9A-Za-z]{{{_CHECKSUM}}})")


class NoSuchKey(Exception):
    """The user has no key with this id."""


class TooManyKeys(Exception):
    """The user has as many keys as one may have."""


@dataclass(frozen=True, slots=True)
class PersonalKey:
    """A key as it is stored; the times are UTC."""

    id: str
    name: str
    start: str
    """Its first characters."""
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    """To the hour."""


def generate() -> str:
    """Return the text of a new key."""
    text = PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    return text + _checksum(text)


def digest(text: str) -> str | None:
    """Return what is stored of a key's text; `None` for a text that is no key."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(found[1]) != found[2]:
        return None
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(text: str) -> str:
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM):
        rest, digit = divmod(rest, len(_LETTERS))
        digits = _LETTERS[digit] + digits
    return digits
