"""Notice for one listener which of his jobs have another place in the queue than he was told."""

import time
from collections.abc import Callable, Mapping

Place = tuple[int, int | None]
"""The position, and the seconds left; `None` is not known."""

EVERY_SECONDS = 5.0
"""How often places are told at the most."""
SHIFT_SECONDS = 10.0
SHIFT_SHARE = 0.1
"""By how much a time must differ from what was told, in seconds and as a share of it, to be told anew."""


class Places:
    """What one listener was told; `look` returns the places of now."""

    def __init__(
        self, look: Callable[[], Mapping[str, Place]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._clock = clock
        self._told = {job_id: (place, clock()) for job_id, place in look().items()}
        self._looked_at = clock()

    def news(self) -> dict[str, Place]:
        """Return the places that were not told yet, or have changed since."""
        time = self._clock()
        if time - self._looked_at < EVERY_SECONDS:
            return {}
        self._looked_at = time
        found = self._look()
        news = {job_id: place for job_id, place in found.items() if self._is_news(job_id, place, time)}
        self._told = {job_id: told for job_id, told in self._told.items() if job_id in found}
        self._told |= {job_id: (place, time) for job_id, place in news.items()}
        return news

    def _is_news(self, job_id: str, place: Place, time: float) -> bool:
        if job_id not in self._told:
            return True
        (position, seconds), at = self._told[job_id]
        if place[0] != position or (place[1] is None) != (seconds is None):
            return True
        if seconds is None or place[1] is None:
            return False
        shift = abs(place[1] - (seconds - (time - at)))
        return shift > max(SHIFT_SECONDS, SHIFT_SHARE * seconds)
