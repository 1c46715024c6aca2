"""The right sound track is chosen."""

from dataclasses import replace

import pytest

from converter.errors import ConversionFailed
from converter.media import Media, Track
from converter.tracks import ranked, three_letters

PLAIN = Track(
    number=1,
    stream=1,
    codec="aac",
    channels=2,
    layout="stereo",
    sample_rate=48000,
    bitrate=128,
    language=None,
    title=None,
    default=False,
    commentary=False,
    descriptive=False,
    seconds=None,
    encrypted=False,
)


def media(*tracks: Track) -> Media:
    numbered = (replace(track, number=number, stream=number) for number, track in enumerate(tracks, 1))
    return Media(container="matroska,webm", duration=60, tracks=tuple(numbered))


@pytest.mark.parametrize(
    ("tracks", "number"),
    [
        ((PLAIN, replace(PLAIN, default=True)), 2),
        ((replace(PLAIN, commentary=True, channels=6), PLAIN), 2),
        ((replace(PLAIN, descriptive=True), PLAIN), 2),
        ((PLAIN, replace(PLAIN, channels=6), replace(PLAIN, channels=6)), 2),
        ((PLAIN, PLAIN), 1),
        ((replace(PLAIN, channels=None), PLAIN), 2),
        ((replace(PLAIN, default=True, commentary=True), replace(PLAIN, default=True)), 2),
    ],
    ids=[
        "the default",
        "no commentary",
        "no description",
        "most channels",
        "the first",
        "known channels",
        "of two defaults no commentary",
    ],
)
def test_without_a_wish_the_rule_decides(tracks: tuple[Track, ...], number: int) -> None:
    assert ranked(media(*tracks), "default")[0].number == number


@pytest.mark.parametrize("asked", ["de", "deu", "ger", "de-at"])
def test_a_language_is_found_by_each_of_its_codes(asked: str) -> None:
    german = replace(PLAIN, language="ger")

    assert ranked(media(replace(PLAIN, language="eng", default=True), german), asked)[0].number == 2


def test_of_a_language_the_rule_chooses() -> None:
    english = replace(PLAIN, language="eng")

    chosen = ranked(media(PLAIN, replace(english, commentary=True), english), "en")[0]

    assert chosen.number == 3


def test_a_number_is_taken_at_its_word() -> None:
    assert ranked(media(PLAIN, replace(PLAIN, commentary=True)), 2)[0].number == 2


@pytest.mark.parametrize("asked", [3, "fr"])
def test_a_track_that_is_not_there_is_answered_with_those_that_are(asked: int | str) -> None:
    there = media(replace(PLAIN, language="eng", title="Main"), PLAIN)

    with pytest.raises(ConversionFailed) as failed:
        ranked(there, asked)

    assert failed.value.code == "no_such_track"
    assert "1 (eng, Main, aac, stereo); 2 (aac, stereo)" in failed.value.hint


def test_a_video_without_sound_has_no_track() -> None:
    with pytest.raises(ConversionFailed) as failed:
        ranked(media(), "default")

    assert failed.value.code == "no_audio_track"


def test_an_encrypted_track_is_refused() -> None:
    with pytest.raises(ConversionFailed) as failed:
        ranked(media(replace(PLAIN, encrypted=True)), "default")

    assert failed.value.code == "drm_protected"


def test_an_unknown_language_stays_what_it_is() -> None:
    assert three_letters("tlh") == "tlh"


def test_what_cannot_be_read_comes_last_and_is_named_if_nothing_else_is_there() -> None:
    spatial = replace(PLAIN, codec="apple_apac", channels=4, default=True)

    assert [track.codec for track in ranked(media(spatial, PLAIN), "default")] == ["aac"]
    with pytest.raises(ConversionFailed) as failed:
        ranked(media(spatial), "default")

    assert failed.value.code == "unsupported_codec"
    assert "apple_apac" in failed.value.message


def test_a_description_that_is_marked_as_default_is_still_none_of_the_main_sound() -> None:
    description = replace(PLAIN, default=True, descriptive=True)

    assert ranked(media(description, PLAIN), "default")[0].number == 2
