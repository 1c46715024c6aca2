"""What a listener would miss is said, with what to do about it."""

from dataclasses import replace

import pytest

from converter import channels
from converter.media import Media
from converter.plan import Plan
from converter.report import Report
from tests.unit.converter.test_tracks import PLAIN

PLAN = Plan(track=PLAIN, start=0, end=None, channels=2, sample_rate=48000, quality="V2")
OTHER = replace(PLAIN, number=2, title="Microphone")
MEDIA = Media(container="mov", duration=5.0, tracks=(PLAIN,))


def report(*peaks: float, heard: float = -12.0) -> Report:
    read = Report()
    for number, peak in enumerate(peaks, start=1):
        read.read(f"[Parsed_astats_0 @ 0x7f69] [info] Channel: {number}")
        read.read(f"[Parsed_astats_0 @ 0x7f69] [info] Peak level dB: {peak}")
    for name, value in (("I", -20.0), ("LRA", 1.0), ("Peak", heard)):
        read.read(f"    {name}: {value} {'LU' if name == 'LRA' else 'LUFS' if name == 'I' else 'dBFS'}")
    return read


@pytest.mark.parametrize(
    ("plan", "peaks", "heard", "code", "words"),
    [
        (PLAN, (float("-inf"), float("-inf")), -70, "silent", "from beginning to end"),
        (PLAN, (-12, float("-inf")), -12, "one_side_silent", "channels=left"),
        (PLAN, (float("-inf"), -12), -12, "one_side_silent", "channels=right"),
        (replace(PLAN, channels=1), (-12, -12), -60, "cancels_out", "channels=left"),
        (PLAN, (12, 12), 12, "clips", "12 dB above"),
    ],
)
def test_what_is_wrong_with_the_channels_is_said(
    plan: Plan, peaks: tuple[float, ...], heard: float, code: str, words: str
) -> None:
    [warned] = channels.warnings(plan, MEDIA, report(*peaks, heard=heard))

    assert warned.code == code
    assert words in warned.message


@pytest.mark.parametrize(
    ("plan", "peaks", "heard"),
    [
        (PLAN, (), -12),
        (PLAN, (-12, -14), -12),
        (PLAN, (-12, -40), -12),
        (PLAN, (1, 1), 1),
        (replace(PLAN, channels=1), (-12, -12), -13),
        (replace(PLAN, channels=1, ear=1), (-12, float("-inf")), -70),
        (PLAN, (-12, -12, float("-inf"), -20, -20, -20), -12),
    ],
    ids=["unknown", "both", "one is softer", "loud", "mono", "the silent side was asked for", "six"],
)
def test_of_a_usual_sound_nothing_is_said(plan: Plan, peaks: tuple[float, ...], heard: float) -> None:
    assert channels.warnings(plan, MEDIA, report(*peaks, heard=heard)) == []


def test_of_a_silent_track_the_others_are_named() -> None:
    media = replace(MEDIA, tracks=(PLAIN, OTHER))

    [warned] = channels.warnings(PLAN, media, report(float("-inf")))

    assert "2 (Microphone" in warned.message
