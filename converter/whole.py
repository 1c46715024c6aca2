"""The whole-file guarantee: compare what came out with what the video promised.

ffmpeg's exit status says nothing here: of a file that was cut at 43 % it converts 43 % and is content.
"""

from dataclasses import dataclass

from converter import command, declared, ending
from converter.encoder import Encoder
from converter.media import Media
from converter.plan import Plan, Timing
from converter.report import CUT, GIVEN_UP, Report

SHORT_SECONDS, SHORT_PART = 1.0, 0.01
"""How much may be missing: the greater of both."""
MOVED_SECONDS = 0.1
"""How far sounds move where the times in a file are slightly wrong."""
REPEATED, DRIFT_SECONDS = 3, 0.15
"""How often, and by no more than what, times are kept where a clock runs fast or slow."""
UNANCHORED = ("flv", "matroska,webm", "ogg")
"""Containers whose duration is the time of their end, also if they were recorded from the middle on."""
JUMPING = ("mpegts", "mpeg")
"""Streams of packets: their length is the difference of two times that may be of two clocks."""
INDEXED, NESTED = "mov", "matroska"
"""Containers with a table of packets, from which damage takes none away, and those where it is noticed."""
UNTIMED = ("aac", "loas", "mp3", "ac3", "eac3", "dts")
"""Formats without times: where the sample rate changes, ffmpeg counts on with the first."""
FRAMES_ONLY = ("aac", "amr")
"""Formats without a container, where all bytes are sound."""


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
    said = _from_beginning(said, encoder, plan)
    return None if said is None else max(min(said, plan.end or said) - plan.start, 0.0)


def _from_beginning(end: float | None, encoder: Encoder, plan: Plan) -> float | None:
    """Return how long a file is that states when it ends, on a clock that ran before it began."""
    begin = encoder.media.start - plan.late
    if encoder.media.container in UNANCHORED and end is not None and SHORT_SECONDS <= begin < end:
        return end - begin
    return end


def is_sure(media: Media) -> bool:
    """Say whether the promise can be held against a file: the clock of a stream of packets may jump."""
    return media.container not in JUMPING


def better_timing(report: Report, plan: Plan, expected: float | None) -> Timing:
    """Return how far the times in a file should be believed, after a run that believed them."""
    filled, dropped = _filled(report, plan), _dropped(report, plan)
    if report.problems and plan.timing != "joined":
        heard = report.decoded_samples / _source_rate(plan)
        far = (2 * heard if expected is None else expected) + allowed(expected or heard)
        # Damage has moved pieces of sound over each other, or far away.
        if dropped > MOVED_SECONDS or report.samples / plan.sample_rate > far:
            return "joined"
    if plan.timing == "exact" and max(report.drops, default=0) > SHORT_SECONDS * plan.sample_rate:
        return "restarting"
    if plan.timing != "exact" or len(report.fills) + len(report.drops) < REPEATED:
        return plan.timing
    if filled > MOVED_SECONDS and dropped > MOVED_SECONDS:
        return "bursting"
    largest = max(
        max(report.fills, default=0) / _source_rate(plan), max(report.drops, default=0) / plan.sample_rate
    )
    return "drifting" if largest < DRIFT_SECONDS else "exact"


def judge(encoder: Encoder, plan: Plan, report: Report, expected: float | None) -> Verdict:
    """Return the verdict about the MP3 that came of a run of ffmpeg, with `expected` seconds promised."""
    length = report.samples / plan.sample_rate
    heard = _heard(report, plan, encoder) if plan.timing != "joined" else length
    damaged = report.problems > 0
    sound = _there(encoder, plan, report, heard, length) if damaged else length
    expected = None if report.jumps else expected
    if damaged and report.fills:  # what is silent now may have been lost
        expected = max(expected or 0.0, length)
    if report.decode_errors:  # damage may have shortened the promise too
        expected = max(expected or 0.0, sound + _lost(encoder, plan, report, sound))
    short = expected is not None and sound < expected - allowed(expected)
    if report.unread_links or _lacks_its_end(encoder, plan, report, sound, expected):
        return _partial(sound, expected if short else None, report.unread_links)
    if expected is not None and short:
        if damaged or not _is_whole(encoder, plan):
            return _partial(sound, expected)
        message = f"The audio ends after {length:.1f} s, the video after {expected:.1f} s."
        return _whole(length, expected, Warned("sound_ends_early", message), *_moved(report, plan))
    missing = _unexplained(report, plan, heard, length)
    if missing > allowed(heard):
        return _partial(heard - missing, heard)
    if report.decode_errors:
        message = f"The video is damaged: {_pieces(report.decode_errors)} of its audio cannot be read."
        return _whole(heard, expected, *_moved(report, plan), Warned("damaged", message))
    return _whole(heard, expected, *_moved(report, plan))


def _there(encoder: Encoder, plan: Plan, report: Report, heard: float, length: float) -> float:
    """Return the seconds of a damaged file that are no worse than in a whole one, silent ones among them."""
    container = encoder.media.container
    # Where such a file has no packet, there was no sound.
    if container.startswith(INDEXED) or (container.startswith(NESTED) and not report.breaks):
        return max(length - report.undecoded_samples / _source_rate(plan), 0.0)
    return min(heard + plan.late, length)


def _unexplained(report: Report, plan: Plan, heard: float, length: float) -> float:
    """Return the seconds of sound that were decoded, and are neither in the MP3 nor known to be left out."""
    if plan.start or plan.end is not None or plan.timing in ("joined", "drifting") or plan.copied:
        return 0.0
    return heard - _dropped(report, plan) - (length - _filled(report, plan))


def _moved(report: Report, plan: Plan) -> tuple[Warned, ...]:
    """Return what is to be said of sound that was not simply put one piece after the other."""
    filled, dropped = _filled(report, plan), _dropped(report, plan)
    found = []
    if filled > SHORT_SECONDS:
        message = f"The video has no audio for {filled:.1f} s; the MP3 is silent there."
        found.append(Warned("silence_filled", message))
    if dropped > MOVED_SECONDS:
        message = f"Two sections of audio overlap for {dropped:.1f} s; the later one was left out there."
        found.append(Warned("sound_overlaps", message))
    if plan.timing == "drifting":
        message = "The recorder's clock ran fast or slow: the audio was stretched to match the video."
        found.append(Warned("clock_drift", message))
    if plan.timing == "bursting":
        message = "The audio's timestamps are times of arrival: the small gaps between them were closed."
        found.append(Warned("uneven_times", message))
    return tuple(found)


def _filled(report: Report, plan: Plan) -> float:
    return sum(report.fills) / (plan.sample_rate if plan.changing else _source_rate(plan))


def _dropped(report: Report, plan: Plan) -> float:
    return sum(report.drops) / plan.sample_rate


def _source_rate(plan: Plan) -> int:
    return plan.track.sample_rate or plan.sample_rate


def _pieces(count: int) -> str:
    return "1 short piece" if count == 1 else f"{count} short pieces"


def allowed(seconds: float) -> float:
    """Return how much of a sound may be missing without a word."""
    return max(SHORT_SECONDS, SHORT_PART * seconds)


def _heard(report: Report, plan: Plan, encoder: Encoder) -> float:
    """Return the seconds of sound that were decoded, less those before the start."""
    skipped = plan.start - command.read_from(plan, encoder.media)
    if plan.changing:
        return report.evened_samples / plan.sample_rate - skipped
    return report.decoded_samples / _source_rate(plan) - skipped


def _lost(encoder: Encoder, plan: Plan, report: Report, sound: float) -> float:
    """Return how many seconds could not be decoded, or not even be found where nothing but frames is."""
    lost = report.lost_samples / _source_rate(plan)
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
    return said or GIVEN_UP in report.said or ending.breaks_off(encoder.video, encoder.media.container)


def _is_whole(encoder: Encoder, plan: Plan) -> bool:
    """Find out whether the file goes on to its promised end, though this sound does not."""
    media = encoder.media
    duration = declared.seconds(encoder.video, media, plan.track) or media.duration
    duration = _from_beginning(duration, encoder, plan)
    if duration is None or media.picture is None:
        return False
    end, report = encoder.survey(media.picture)
    return report.problems == 0 and end >= duration - allowed(duration)


def _whole(got: float, expected: float | None, *warnings: Warned) -> Verdict:
    return Verdict(complete=True, got=got, promised=expected, warnings=warnings)


def _partial(got: float, expected: float | None, unread_links: int = 0) -> Verdict:
    lacking = f"{unread_links} of its streams cannot be read" if unread_links else "the end is missing"
    of = f"; {lacking}" if expected is None else f" of {expected:.1f} s"
    message = f"The video is incomplete: the MP3 contains {got:.1f} s of audio{of}."
    return Verdict(complete=False, got=got, promised=expected, warnings=(Warned("input_truncated", message),))
