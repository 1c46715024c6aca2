"""What to make of a track follows from the track and the wishes."""

from dataclasses import replace

import pytest

from converter.plan import no_more_than, plan
from pipeline.options import Options
from tests.unit.converter.test_tracks import PLAIN


@pytest.mark.parametrize(
    ("channels", "asked", "made"),
    [(1, "auto", 1), (2, "auto", 2), (6, "auto", 2), (None, "auto", 2), (6, "mono", 1), (1, "stereo", 2)],
)
def test_mono_stays_mono_and_the_rest_becomes_stereo(channels: int | None, asked: str, made: int) -> None:
    planned = plan(replace(PLAIN, channels=channels), Options.parse({"channels": asked}))

    assert planned.channels == made


@pytest.mark.parametrize(
    ("rate", "made"),
    [
        (48000, 48000),
        (96000, 48000),
        (88200, 48000),
        (44100, 44100),
        (37800, 44100),
        (11024, 11025),
        (44056, 44100),
        (22255, 22050),
        (4000, 8000),
        (None, 48000),
    ],
)
def test_the_sample_rate_is_the_sources_or_the_next_that_keeps_its_band(rate: int | None, made: int) -> None:
    assert plan(replace(PLAIN, sample_rate=rate), Options()).sample_rate == made


def test_a_sample_rate_that_was_asked_for_is_taken() -> None:
    assert plan(PLAIN, Options(sample_rate=16000)).sample_rate == 16000


@pytest.mark.parametrize(
    ("bitrate", "channels", "quality"),
    [(None, 2, "V2"), (320, 2, "V2"), (185, 2, "V4"), (128, 2, "V6"), (20, 2, "V9"), (128, 1, "V2")],
)
def test_the_usual_quality_is_no_better_than_the_source(
    bitrate: int | None, channels: int, quality: str
) -> None:
    track = replace(PLAIN, bitrate=bitrate, channels=channels)

    assert plan(track, Options()).quality == quality


def test_a_quality_that_was_asked_for_is_taken() -> None:
    assert plan(replace(PLAIN, bitrate=64), Options(quality="V0")).quality == "V0"


MP3 = replace(PLAIN, codec="mp3", sample_rate=44100)


def test_an_mp3_of_which_nothing_changes_is_copied() -> None:
    assert plan(MP3, Options()).copied
    assert plan(MP3, Options(channels="stereo", sample_rate=44100)).copied


@pytest.mark.parametrize(
    "asked",
    [
        {"start": "1"},
        {"end": "9"},
        {"channels": "mono"},
        {"sample_rate": "48000"},
        {"loudness": "ebu"},
        {"quality": "V2"},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_an_mp3_of_which_something_changes_is_encoded(asked: dict[str, str]) -> None:
    assert not plan(MP3, Options.parse(asked)).copied


@pytest.mark.parametrize(
    ("source", "channels", "rate", "most"),
    [(130, 2, 44100, "128"), (1000, 2, 44100, "320"), (5, 2, 44100, "64"), (5, 1, 44100, "32")],
)
def test_the_highest_bitrate_below_the_sources_can_still_be_understood(
    source: float, channels: int, rate: int, most: str
) -> None:
    assert no_more_than(source, channels, rate) == most


def test_low_sample_rates_have_bitrates_of_their_own() -> None:
    assert no_more_than(12.2, 1, 8000) == "16"
    assert no_more_than(150, 2, 22050) == "144"


def test_more_channels_than_the_mp3_has_are_mixed_down() -> None:
    assert plan(replace(PLAIN, channels=6), Options()).downmixed
    assert not plan(PLAIN, Options()).downmixed
