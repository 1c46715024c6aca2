"""Give the memory that a crowd took back to the machine once the crowd has left.

glibc keeps what was freed for whoever asks next, which after a crowd is most of the process, for ever.
"""

import ctypes
import time
from collections.abc import Callable

CROWD = 200
"""Connections; what fewer take is little."""
EVERY_SECONDS = 10.0
"""Giving back takes some milliseconds, in which nobody is answered."""


def trim() -> None:
    """Give back all that is free (https://man7.org/linux/man-pages/man3/malloc_trim.3.html)."""
    if found := getattr(ctypes.CDLL(None), "malloc_trim", None):  # only glibc has it
        found(0)


class Memory:
    """Watches how many connections there are."""

    def __init__(self, give_back: Callable[[], None] = trim) -> None:
        self._give_back = give_back
        self._most = 0
        self._due = 0.0

    def note(self, connections: int) -> None:
        """Take how many there are now; memory goes back when a crowd has become half as large."""
        self._most = max(self._most, connections)
        if self._most < CROWD or connections > self._most / 2 or time.monotonic() < self._due:
            return
        self._give_back()
        self._most, self._due = connections, time.monotonic() + EVERY_SECONDS
