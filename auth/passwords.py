"""Hash and verify passwords with argon2id, a few at a time.

A hash is made expensive on purpose: without a bound, a burst of logins would take the memory and the
cores that every other request needs.
"""

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHash

AT_ONCE = 2
WAIT_SECONDS = 5.0

# The OWASP password storage cheat sheet's setting of least memory for argon2id: 19 MiB, two passes.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Busy(Exception):
    """More passwords wait to be hashed than can be within `WAIT_SECONDS`."""


class Passwords:
    """Hashes and verifies; safe to use from many threads."""

    def __init__(self, hasher: PasswordHasher = HASHER, *, at_once: int = AT_ONCE) -> None:
        self._hasher = hasher
        self._places = threading.BoundedSemaphore(at_once)
        self._nobodys = hasher.hash(secrets.token_urlsafe(24))

    def hash(self, password: str) -> str:
        """Return the hash to store for a password.

        Raises:
            Busy: no place came free in time.
        """
        with self._place():
            return self._hasher.hash(_normal(password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Tell whether a password is the hashed one; without a hash it never is, after the same time.

        Raises:
            Busy: no place came free in time.
        """
        with self._place():
            try:
                self._hasher.verify(password_hash or self._nobodys, _normal(password))
            except (Argon2Error, InvalidHash):
                return False
        return password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise Busy("too many logins at once")
        try:
            yield
        finally:
            self._places.release()


def generate() -> str:
    """Return a new password of 144 random bits."""
    return secrets.token_urlsafe(18)


def _normal(password: str) -> bytes:
    """Return the bytes that are hashed: the same for every way to type a letter (RFC 8265, 4.2)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
