"""Keep a lease for as long as the work under it takes."""

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from types import TracebackType
from typing import Self

from chassis import logs
from pipeline.mongodb import StoreRefused, StoreUnavailable

RENEWALS = 4
"""How often a lease is renewed in the time that it holds."""
TICK_SECONDS = 0.1
"""How often the holder is asked whether to renew before that."""

log = logs.get(__name__)


def only_in_time(age: float, /) -> bool:
    """Renew no sooner than has to be."""
    del age
    return False


class LeaseKeeper:
    """Renews a lease on a thread of its own until the `with` block ends or the lease is lost.

    A process that dies renews no more, so another one may go on with its work soon.
    `renew` tells whether the lease is still held; `early`, given the seconds since the last renewal,
    whether to renew before it is time.
    """

    def __init__(
        self, holds: timedelta, renew: Callable[[], bool], early: Callable[[float], bool] = only_in_time
    ) -> None:
        self.lost = False
        self.cancelled = threading.Event()
        """Set once the lease is lost: the work must end."""
        self._every = holds.total_seconds() / RENEWALS
        self._renew = renew
        self._early = early
        self._renewed = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=copy_context().run, args=[self._keep], name="lease", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self.cancelled.is_set() and not self._over.wait(min(TICK_SECONDS, self._every)):
            age = time.monotonic() - self._renewed
            if self._early(age) or age >= self._every:
                self._renew_once()

    def _renew_once(self) -> None:
        try:
            self.lost = not self._renew()
        except (StoreUnavailable, StoreRefused) as error:
            # Nobody can take the lease over while the store is away; the next tick tries again.
            log.warning("lease not renewed", reason=str(error))
            return
        self._renewed = time.monotonic()
        if self.lost:
            self.cancelled.set()
