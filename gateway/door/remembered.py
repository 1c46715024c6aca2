"""Take a password, a key or a session wherever a token is taken: auth is asked once, then remembered."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable

REMEMBERED_SECONDS = 60.0
MAX_REMEMBERED = 10_000

Ask = Callable[[str], str | None]
"""Returns a token for credentials, or `None` when they are wrong."""


class Remembered:
    """Tokens of credentials that auth found right; the credentials themselves are not kept."""

    def __init__(self, seconds: float = REMEMBERED_SECONDS) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def token(self, credentials: str, ask: Ask) -> str | None:
        """Return a token for credentials, or `None` when they are wrong."""
        name = hmac.digest(self._key, credentials.encode("latin-1", "replace"), hashlib.sha256)
        now = time.monotonic()
        token, until = self._known.get(name, ("", 0.0))
        if now < until:
            return token
        asked = ask(credentials)
        if asked is not None:
            with self._lock:
                if len(self._known) >= MAX_REMEMBERED:
                    self._known = {key: kept for key, kept in self._known.items() if now < kept[1]}
                if len(self._known) < MAX_REMEMBERED:
                    self._known[name] = (asked, now + self._seconds)
        return asked

    def forget(self, credentials: str) -> None:
        """Ask again next time: the token is not good any more."""
        name = hmac.digest(self._key, credentials.encode("latin-1", "replace"), hashlib.sha256)
        with self._lock:
            self._known.pop(name, None)
