"""How much of the machine one conversion may use."""

from dataclasses import dataclass

MIB = 1024 * 1024
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What ffmpeg is held to; whatever goes beyond ends as an honest failure."""

    seconds: float = 12 * HOUR
    """The longest sound that is converted."""
    mp3_bytes: int = 2048 * MIB
    """The largest MP3."""
    memory_bytes: int = 1024 * MIB
    """The address space of ffmpeg."""
    cpu_seconds: int = 3 * 3600
    """Processor time of one run of ffmpeg: twelve hours of sound take about a quarter of an hour."""
    open_files: int = 32
    encoders: int = 1
    """How many may work on one sound at once."""
    stall_seconds: float = 120.0
    """How long ffmpeg may run without getting any further."""
