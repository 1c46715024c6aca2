"""Which passwords are refused: those that are guessed first (NIST SP 800-63B, section 5.1.1.2).

Length, not classes of characters; a list of those that many people use; nothing that is the name.
"""

from functools import cache
from importlib import resources
from string import digits, punctuation

SHORTEST = 12
LONGEST = 128
FEWEST_CHARACTERS = 5
"""How many different ones there must be."""
SHORTEST_NAME = 4
"""A shorter name is in many a good password by chance."""


class WeakPassword(Exception):
    """The password is one that the rules refuse; the message says which rule and what to do."""


def check(password: str, username: str) -> None:
    """Return when a password is good enough for this user.

    Raises:
        WeakPassword: it is not.
    """
    lowered = password.lower()
    name = username.partition("@")[0].lower()
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"a password must have {SHORTEST} to {LONGEST} characters")
    if len(set(lowered)) < FEWEST_CHARACTERS:
        raise WeakPassword(f"a password must have at least {FEWEST_CHARACTERS} different characters")
    if password.isdigit():
        raise WeakPassword("a password must not be a number: add letters")
    if len(name) >= SHORTEST_NAME and name in lowered:
        raise WeakPassword("a password must not contain the user name")
    if is_common(password):
        raise WeakPassword("this password is too common: choose another")


def is_common(password: str) -> bool:
    """Tell whether many people use a password, or use it with digits and signs around it."""
    lowered = password.lower()
    return lowered in _common() or lowered.strip(digits + punctuation) in _common()


@cache
def _common() -> frozenset[str]:
    lines = resources.files("auth").joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))
