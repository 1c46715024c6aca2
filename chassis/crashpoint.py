"""Places where a process can be told to die, as if somebody had killed it there and then.

`CRASHPOINT="after Jobs.claim"` kills the process the first time that it comes by, `after Jobs.claim:2`
the second time.  Decided once, when the process starts: without it every function stays as it is.
docs/reports/crash-points.md lists the points.
"""

import functools
import os
import signal
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Death:
    """Kills this process at one point."""

    def __init__(self, wanted: str) -> None:
        self._point, _, hit = wanted.partition(":")
        self._left = int(hit or 1)
        self._lock = threading.Lock()

    def at(self, point: str) -> None:
        """Die if this is the point, and it was passed often enough."""
        if point != self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


_death = Death(os.environ["CRASHPOINT"]) if "CRASHPOINT" in os.environ else None


def crashpoints(function: Callable[P, T]) -> Callable[P, T]:
    """Put a point before and one after what a function does: a durable write, or a send."""
    if _death is None:
        return function
    name, death = function.__qualname__, _death

    @functools.wraps(function)
    def dying(*args: P.args, **kwargs: P.kwargs) -> T:
        death.at(f"before {name}")
        result = function(*args, **kwargs)
        death.at(f"after {name}")
        return result

    return dying
