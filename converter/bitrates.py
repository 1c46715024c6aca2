"""Compare the bitrate of an MP3 with that of its source, and with the one that was asked for."""

from converter.plan import Plan
from converter.report import Report
from converter.whole import Warned

HIGHER = 1.05
"""From this factor on, a bitrate is higher than another."""


def of_source(made: Plan, report: Report) -> float:
    """Return the source's bitrate in kbit/s."""
    rate = made.track.sample_rate or made.sample_rate
    return report.source_bytes / max(report.decoded_samples, 1) * rate * 8 / 1000


def warnings(made: Plan, report: Report) -> list[Warned]:
    """Return what is to be said of the bitrate of an MP3."""
    source, own = of_source(made, report), report.bitrate(made.sample_rate)
    found = []
    if own > source * HIGHER:
        message = (
            f"The MP3 has {own:.0f} kbit/s, the video only {source:.0f}: the MP3 is larger, but no better."
        )
        found.append(Warned("higher_bitrate", message))
    if made.quality.isdigit() and own < int(made.quality) / HIGHER:
        message = f"At {made.sample_rate} Hz an MP3 has {own:.0f} kbit/s at most, not {made.quality}."
        found.append(Warned("bitrate_lowered", message))
    return found
