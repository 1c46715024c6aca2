"""How long each stage of a job took, for the log: what is slow, the store or the conversion."""

import time


class Stages:
    """A stopwatch; the first stage begins with it."""

    def __init__(self, first: str) -> None:
        self._seconds: dict[str, float] = {}
        self._stage = first
        self._since = time.monotonic()

    def enter(self, stage: str) -> None:
        """Begin a stage, or go on with it; the one before ends."""
        now = time.monotonic()
        self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage until now, to the millisecond."""
        self.enter(self._stage)
        return {stage: round(seconds, 3) for stage, seconds in self._seconds.items()}
