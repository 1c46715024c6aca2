"""What a user is, and which names one can have."""

import re
from dataclasses import dataclass
from datetime import datetime

MAX_USERNAME = 254
"""The longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3)."""

_ATOM = r"[a-z0-9!#$%&'*+=?^_`{|}~-]+"  # without the slash: a username is a segment of a path
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


class InvalidUsername(Exception):
    """The text is no e-mail address that mail can safely be sent to."""


class UserExists(Exception):
    """There is a user of this name already."""


class NoSuchUser(Exception):
    """There is no user of this name."""


@dataclass(frozen=True, slots=True)
class User:
    """A user as the database held it at `read_at` (its own clock, epoch seconds)."""

    id: str
    username: str
    password_hash: str
    admin: bool
    disabled: bool
    tokens_valid_from: int
    """Tokens issued before this (epoch seconds) are refused."""
    created_at: datetime
    read_at: int


def canonical(username: str) -> str:
    """Return the one spelling under which a user is stored and compared.

    Raises:
        InvalidUsername: it is not an address of plain ASCII, such as me@example.com.
    """
    address = username.lower() if username.isascii() else ""
    if len(address) > MAX_USERNAME or not _ADDRESS.fullmatch(address):
        raise InvalidUsername("a username must be an e-mail address, such as me@example.com")
    return address
