"""Foresee when each job is converted: play the queue through, as converters will take from it."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.fair_queue import WINDOW, order
from pipeline.job_queries import Waiting


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a job that waits: 1 is next; and in how many seconds it begins and ends."""

    position: int
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Running:
    """A job that is being converted, and in how many seconds it ends."""

    owner: str
    left: float


def forecast(
    waiting: Sequence[Waiting],
    running: Sequence[Running],
    converters: int,
    seconds: Callable[[Waiting], float],
) -> dict[str, Place]:
    """Return the places of jobs that wait, by id.

    `waiting` is in the order of turns, and `seconds` tells how long a job takes.  There are as many
    converters as jobs that are being converted, at the least, and one.
    """
    idle = max(converters - len(running), 0 if running else 1)
    busy: list[tuple[float, str]] = [(job.left, job.owner) for job in running]
    free = [(0.0, "")] * idle + busy
    heapq.heapify(free)
    of_owner = Counter(job.owner for job in running)
    line, places = list(waiting), dict[str, Place]()
    while line:
        time, owner = heapq.heappop(free)
        of_owner[owner] -= 1
        job = min(line[:WINDOW], key=order(of_owner))
        line.remove(job)
        ends = time + seconds(job)
        places[job.id] = Place(len(places) + 1, time, ends)
        of_owner[job.owner] += 1
        heapq.heappush(free, (ends, job.owner))
    return places
