"""Say lengths and sizes as people do."""

MINUTE, HOUR = 60, 3600
UNIT = 1000


def duration(seconds: float) -> str:
    """Return `0:05`, `12:05` or `1:02:03`."""
    whole = round(seconds)
    hours, minutes, rest = whole // HOUR, whole % HOUR // MINUTE, whole % MINUTE
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Return `912 bytes` or `4.1 MB`."""
    if count < UNIT:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB"):
        count /= UNIT
        if round(count, 1) < UNIT:
            return f"{count:.1f} {unit}"
    return f"{count / UNIT:.1f} GB"
