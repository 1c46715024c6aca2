"""The whole-file guarantee: compare what came out with what the video promised.

ffmpeg's exit status says nothing here: of a file that was cut at 43 % it converts 43 % and is content.
"""

from dataclasses import dataclass

from converter import command, declared, ending
from converter.encoder import Encoder
from converter.plan import Plan
from converter.report import Report

SHORT_SECONDS, SHORT_PART = 1.0, 0.01
"""How much may be missing: the greater of both."""
MOVED_SECONDS = 0.1
"""How far sounds move where the times in a file are slightly wrong."""
FRAMES_ONLY = ("aac", "amr")
"""Formats without a container, where all bytes are sound."""
CUT = ("ended prematurely", "partial file", "Error during demuxing")
"""What ffmpeg says where the file ends in the middle of something."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the owner should know about an MP3."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the MP3 holds all the sound that was asked for, and what is to be said about that."""

    complete: bool
    got: float
    """Seconds of sound that could be read."""
    promised: float | None
    """Seconds of sound by what the video says of itself; `None` if it says nothing."""
    warnings: tuple[Warned, ...] = ()


def promised(encoder: Encoder, plan: Plan) -> float | None:
    """Return how long the MP3 must be by what the video says of itself; `None` if it says nothing."""
    media = encoder.media
    said = declared.seconds(encoder.video, media, plan.track) or plan.track.seconds
    if said is None and not media.estimated:
        said = media.duration
    return None if said is None else max(min(said, plan.end or said) - plan.start, 0.0)


def is_patchwork(report: Report, plan: Plan, encoder: Encoder) -> bool:
    """Say whether damage has moved pieces of sound to wrong places, or over each other."""
    moved = abs(report.samples / plan.sample_rate - _heard(report, plan, encoder))
    return report.problems > 0 and moved > MOVED_SECONDS


def judge(encoder: Encoder, plan: Plan, report: Report, expected: float | None) -> Verdict:
    """Return the verdict about the MP3 that came of a run of ffmpeg, with `expected` seconds promised."""
    length = report.samples / plan.sample_rate
    heard = _heard(report, plan, encoder) if plan.timed else length
    damaged = report.problems > 0
    sound = min(heard, length) if damaged else length
    if report.decode_errors:  # damage may have shortened the promise too
        expected = max(expected or 0.0, sound + _lost(encoder, plan, report, sound))
    short = expected is not None and sound < expected - allowed(expected)
    if _lacks_its_end(encoder, plan, report, sound, expected):
        return _partial(sound, expected if short else None)
    if expected is not None and short:
        if damaged or not _is_whole(encoder, plan):
            return _partial(sound, expected)
        message = f"The sound ends after {length:.1f} s, the video after {expected:.1f} s."
        return _whole(length, expected, Warned("sound_ends_early", message))
    if heard < length - allowed(length):
        message = f"The video has no sound for {length - heard:.1f} s; the MP3 is silent there."
        return _whole(heard, expected, Warned("silence_filled", message))
    if report.decode_errors:
        message = f"The video is damaged: {_pieces(report.decode_errors)} of its sound cannot be read."
        return _whole(heard, expected, Warned("damaged", message))
    return _whole(heard, expected)


def _pieces(count: int) -> str:
    return "1 short piece" if count == 1 else f"{count} short pieces"


def allowed(seconds: float) -> float:
    """Return how much of a sound may be missing without a word."""
    return max(SHORT_SECONDS, SHORT_PART * seconds)


def _heard(report: Report, plan: Plan, encoder: Encoder) -> float:
    """Return the seconds of sound that were decoded, less those before the start."""
    skipped = plan.start - command.read_from(plan, encoder.media)
    return report.decoded_samples / (plan.track.sample_rate or plan.sample_rate) - skipped


def _lost(encoder: Encoder, plan: Plan, report: Report, sound: float) -> float:
    """Return how many seconds could not be decoded, or not even be found where nothing but frames is."""
    lost = report.lost_samples / (plan.track.sample_rate or plan.sample_rate)
    whole = plan.start == 0 and plan.end is None
    if whole and encoder.media.container in FRAMES_ONLY:
        skipped = encoder.video.stat().st_size - report.source_bytes
        return max(lost, sound * skipped / max(report.source_bytes, 1))
    return lost


def _lacks_its_end(
    encoder: Encoder, plan: Plan, report: Report, sound: float, expected: float | None
) -> bool:
    """Find out whether the file breaks off before the end of the part that was asked for."""
    if plan.end is not None and sound >= (asked := plan.end - plan.start) - allowed(asked):
        return False
    said = expected is None and any(words in report.said for words in CUT)
    return said or ending.breaks_off(encoder.video, encoder.media.container)


def _is_whole(encoder: Encoder, plan: Plan) -> bool:
    """Find out whether the file goes on to its promised end, though this sound does not."""
    media = encoder.media
    duration = declared.seconds(encoder.video, media, plan.track) or media.duration
    if duration is None or media.picture is None:
        return False
    end, report = encoder.survey(media.picture)
    return report.problems == 0 and end >= duration - allowed(duration)


def _whole(got: float, expected: float | None, *warnings: Warned) -> Verdict:
    return Verdict(complete=True, got=got, promised=expected, warnings=warnings)


def _partial(got: float, expected: float | None) -> Verdict:
    of = "; the end is missing" if expected is None else f" of {expected:.1f} s"
    message = f"The video is incomplete: the MP3 holds {got:.1f} s of sound{of}."
    return Verdict(complete=False, got=got, promised=expected, warnings=(Warned("input_truncated", message),))
