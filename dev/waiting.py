"""Wait until everything is ready, and say meanwhile what is not."""

import sys
import time
from collections.abc import Callable, Sequence

from dev.errors import CannotRun

READY_SECONDS = 180.0
WORD_SECONDS = 10.0
"""Nobody waits longer without being told for what."""


def until_ready(
    missing: Callable[[], Sequence[str]],
    seconds: float = READY_SECONDS,
    word_seconds: float = WORD_SECONDS,
    *,
    word: str = "",
    pause: float = 0.2,
) -> None:
    """Return when nothing is missing; `word` goes before the names in what is said meanwhile.

    Raises:
        CannotRun: something still is after `seconds`.
    """
    began = time.monotonic()
    next_word = began + word_seconds
    while found := missing():
        names, waited = ", ".join(found), time.monotonic() - began
        if waited > seconds:
            raise CannotRun(f"not ready after {seconds:g} s: {names}; make logs says why")
        if time.monotonic() > next_word:
            next_word += word_seconds
            sys.stderr.write(f"  … {word}{names} ({waited:.0f} s)\n")
        time.sleep(pause)
