"""What a user may ask of a conversion."""

import pytest

from pipeline.options import InvalidOption, Options


def test_nothing_asked_is_what_most_people_want() -> None:
    assert Options.parse({}) == Options()


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("quality", "auto", "auto"),
        ("quality", "v0", "V0"),
        ("quality", "V9", "V9"),
        ("quality", "64", "64"),
        ("quality", "320k", "320"),
        ("track", "default", "default"),
        ("track", "2", 2),
        ("track", "1+2", "1+2"),
        ("track", "1 2", "1+2"),
        ("track", "3,4", "3+4"),
        ("track", "EN", "en"),
        ("track", "en-US", "en-us"),
        ("start", "90", 90.0),
        ("start", "1:30", 90.0),
        ("start", "00:01:30.5", 90.5),
        ("end", "75:00", 4500.0),
        ("channels", "Mono", "mono"),
        ("channels", "left", "left"),
        ("sample_rate", "auto", "auto"),
        ("sample_rate", "22050", 22050),
        ("loudness", "off", None),
        ("loudness", "podcast", -16.0),
        ("loudness", "music", -14.0),
        ("loudness", "EBU", -23.0),
        ("loudness", "-19.5", -19.5),
        ("loudness", "−19", -19.0),  # noqa: RUF001 - the sign that word processors write
        ("tags", "strip", "strip"),
        ("title", " On gifts ", "On gifts"),
        ("title", "", None),
        ("split", "Chapters", "chapters"),
        ("split", "silence", "silence"),
        ("split", "off", None),
        ("strict", "on", True),
        ("strict", "0", False),
    ],
)
def test_a_value_is_understood(name: str, value: str, meant: object) -> None:
    options = Options.parse({name: value})

    assert getattr(options, name) == meant


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("quality", "V10", "V0 (best) to V9"),
        ("quality", "999k", "320"),
        ("quality", "100", "96, 112"),
        ("track", "0", "from 1 to 99"),
        ("track", "100", "from 1 to 99"),
        ("track", "1+2+3", "two as 1+2"),
        ("track", "english", "a language such as en or eng"),
        ("start", "-1", "seconds (90"),
        ("start", "1:60", "seconds (90"),
        ("start", "1:60:00", "seconds (90"),
        ("end", "nan", "seconds (90"),
        ("channels", "5.1", "auto, mono, stereo"),
        ("sample_rate", "96000", "48000"),
        ("loudness", "loud", "podcast (-16)"),
        ("loudness", "-3", "from -40 to -8"),
        ("loudness", "-16.123", "from -40 to -8"),
        ("tags", "all", "keep, strip"),
        ("title", "x" * 201, "at most 200 characters"),
        ("title", "two\nlines", "one line"),
        ("split", "songs", "off, chapters, silence"),
        ("strict", "maybe", "true, yes"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_those_that_are(
    name: str, value: str, allowed: str
) -> None:
    with pytest.raises(InvalidOption) as refused:
        Options.parse({name: value})

    assert (refused.value.name, refused.value.value) == (name, value)
    assert allowed in refused.value.allowed
    assert str(refused.value).startswith(f"{name} cannot be ")


def test_an_unknown_option_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidOption, match=r"the options are quality, track, start") as refused:
        Options.parse({"qualty": "V0"})

    assert refused.value.name == "qualty"


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(InvalidOption, match="later than start") as refused:
        Options.parse({"start": "1:30", "end": "90"})

    assert refused.value.name == "end"


def test_a_long_value_is_cut_in_the_sentence() -> None:
    with pytest.raises(InvalidOption) as refused:
        Options.parse({"track": "x" * 10_000})

    assert len(str(refused.value)) < 300


def test_what_a_job_stores_is_read_back_as_it_was() -> None:
    options = Options.parse({"quality": "V0", "track": "2", "start": "1:30", "loudness": "podcast"})

    assert Options.model_validate(options.as_document()) == options


def test_a_converter_of_an_earlier_release_is_not_told_of_options_that_are_not_used() -> None:
    assert not {"split", "callback_url"} & Options().as_document().keys()
    assert Options(split="silence").as_document()["split"] == "silence"


def test_a_job_of_an_older_version_gets_the_defaults() -> None:
    assert Options.model_validate({}) == Options()
