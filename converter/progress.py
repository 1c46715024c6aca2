"""How far a conversion is, from 0 to 1."""

from collections.abc import Callable
from typing import Literal

from converter.sandbox import OnTime

Phase = Literal["probing", "converting"]
OnProgress = Callable[[Phase, float], None]
PROBED, MEASURED, HALF, ENCODED = 0.02, 0.3, 0.6, 0.98
"""Where the steps end; an MP3 that is also split is whole at `HALF`."""


class Progress:
    """Passes on fractions that only grow."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._fraction = PROBED

    def between(self, begin: float, end: float, seconds: float | None) -> OnTime:
        """Return what takes the seconds that are done, of so many, on the way from `begin` to `end`."""

        def on_time(done: float) -> None:
            part = min(done / seconds, 1.0) if seconds else 0.0
            self._fraction = max(self._fraction, begin + (end - begin) * part)
            self._on_progress("converting", self._fraction)

        on_time(0.0)
        return on_time
