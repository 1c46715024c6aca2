"""How many processors this process may use, by affinity and control group, and how many encoders fit."""

import math
import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
MOST = 8
"""More gain nothing: every encoder decodes for itself, which takes about a fifth of the time of all."""
LEAST = 4
"""With fewer, that decoding takes more of the processors than waiting is saved."""


def encoders(asked: int | None, groups: Path = GROUPS) -> int:
    """Return how many encoders to use at most, if so many are asked for, or if nobody says."""
    processors = available(groups)
    if asked is not None:
        return min(asked, processors)
    return processors if processors >= LEAST else 1


def available(groups: Path = GROUPS) -> int:
    """Return how many encoders can work at once without waiting for each other."""
    allowed = min(len(os.sched_getaffinity(0)), MOST)
    quota = _quota(groups)
    return allowed if quota is None else max(1, min(allowed, math.floor(quota)))


def _quota(groups: Path) -> float | None:
    """Return the processors of a container's limit (`cpu.max`, or the two files of version 1)."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = " ".join((groups / name).read_text() for name in names).split()
        except OSError:
            continue  # the other version, or no container
        quota, period = words[0], words[1]
        return None if quota in ("max", "-1") else int(quota) / int(period)
    return None
