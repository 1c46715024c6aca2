"""Limit how often somebody may ask, over all replicas together.

A process counts for itself and adds its part to the shared counter once a second, so that a limit
costs no look at the store for each request and may be overshot by what comes within that second.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from chassis import logs
from pipeline.counters import Counters
from pipeline.mongodb import StoreRefused, StoreUnavailable

WINDOW_SECONDS = 60
SHARE_SECONDS = 1.0
CLEAR_WINDOWS = 60
"""How many windows go by until the shared counters of old ones are deleted."""
MAX_NAMES = 10_000

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of a limit is left in this window."""

    limit: int
    remaining: int
    reset_seconds: int

    @property
    def exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.remaining < 0


@dataclass(slots=True)
class _Count:
    window: int
    shared: int = 0
    own: int = 0
    shared_at: float = float("-inf")


class Rates:
    """Counts requests by name in windows of a minute."""

    def __init__(self, counters: Counters, clock: Callable[[], float] = time.time) -> None:
        self._counters = counters
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()
        self._clear_in = 0

    def count(self, name: str, limit: int, requests: int = 1) -> Rate:
        """Count so many more requests under a name and return what is left."""
        now = self._clock()
        window = int(now // WINDOW_SECONDS)
        with self._lock:
            count = self._counts.get(name)
            if count is None or count.window != window:
                self._make_room(window)
                count = self._counts[name] = _Count(window)
            count.own += requests
            due = now - count.shared_at >= SHARE_SECONDS
            if due:
                part, count.own, count.shared_at = count.own, 0, now
                count.shared += part
        if due:
            self._share(name, count, part)
        reset = WINDOW_SECONDS - int(now % WINDOW_SECONDS)
        return Rate(limit, limit - count.shared - count.own, reset)

    def _share(self, name: str, count: _Count, part: int) -> None:
        try:
            count.shared = self._counters.add(name, count.window, part)
            if count.window >= self._clear_in:
                self._clear_in = count.window + CLEAR_WINDOWS
                self._counters.clear()
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("rates are limited per replica for now", reason=str(error))

    def _make_room(self, window: int) -> None:
        if len(self._counts) >= MAX_NAMES:
            self._counts = {name: count for name, count in self._counts.items() if count.window == window}
