"""Notice what a listener would miss: silence, one ear without sound, sound that cancels out or clips."""

from converter.media import Media
from converter.plan import Plan
from converter.report import Report
from converter.whole import Warned

SILENT, SOUNDING = -60.0, -50.0
"""Peaks in dBFS: nobody hears what stays below the first; what reaches the second is meant to be heard."""
CANCELLED = 30.0
"""So many dB get lost only where channels work against each other."""
CLIPPED = 3.0
"""Peaks in dBFS: what is above full scale by less is cut off in every loud piece of music, and not heard."""


def warnings(made: Plan, media: Media, report: Report) -> list[Warned]:
    """Return what is to be said of the channels that went into an MP3."""
    peaks = list(report.peaks.values()) or report.heard_peaks
    if not peaks:
        return []
    if max(peaks) < SILENT:
        return [Warned("silent", _silent(made, media))]
    found = []
    if made.channels == 2 and len(peaks) == 2 and min(peaks) < SILENT and max(peaks) > SOUNDING:  # noqa: PLR2004 - ears
        side = "left" if peaks[0] > peaks[1] else "right"
        message = f"Only the {side} channel has sound: choose channels={side} to hear it on both sides."
        found.append(Warned("one_side_silent", message))
    heard = report.loudness
    if made.channels == 1 and made.ear is None and heard is not None and heard.peak < max(peaks) - CANCELLED:
        message = "Left and right cancel each other out in mono: choose channels=left or channels=stereo."
        found.append(Warned("cancels_out", message))
    if heard is not None and heard.peak > CLIPPED:
        message = (
            f"The audio peaks {heard.peak:.0f} dB above full scale, where players clip it: "
            "choose a loudness, such as loudness=music."
        )
        found.append(Warned("clips", message))
    return found


def _silent(made: Plan, media: Media) -> str:
    others = [str(track) for track in media.tracks if track not in (made.track, made.other)]
    if not others:
        return "The audio track is silent from beginning to end."
    return f"Audio track {made.track.number} is silent. Choose another with track: {'; '.join(others)}."
