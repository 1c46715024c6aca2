"""What a user may ask of a conversion: checked at the upload, stored in the job, obeyed by the converter."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from pipeline.addresses import ANYWHERE, InvalidUrl, parse

BITRATES = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""In kbit/s: what every player plays at every sample rate from 32 kHz up."""
SAMPLE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
LOUDNESS = {"podcast": -16.0, "music": -14.0, "ebu": -23.0}
"""Targets in LUFS: Apple's for podcasts, the streaming services' for music, EBU R 128 for broadcast."""
QUIETEST, LOUDEST = -40.0, -8.0
MAX_TRACK = 99
MAX_TITLE = 200
YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class InvalidOption(ValueError):
    """An option has a value that it cannot have; `allowed` says in words which it can."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(f"{name[:50]} cannot be {value[:100]!r}: {allowed}.")
        self.name = name
        self.value = value
        self.allowed = allowed


class Options(BaseModel):
    """What to make of a video; the defaults are what most people want."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quality: str = Field(default="auto", pattern=r"^(auto|V[0-9]|[0-9]{2,3})$")
    """`V0` (best) to `V9` by LAME's variable bitrate, or a constant bitrate in kbit/s.

    `auto` is V2, or less where the source has less.
    """
    track: int | str = "default"
    """Which sound track: a number from 1, a language, or `default` by the rule of docs/conversion.md.

    Two numbers as `1+2` are the tracks for the left and the right ear.
    """
    start: float = 0.0
    end: float | None = None
    """The part to convert, in seconds of the video."""
    channels: Literal["auto", "mono", "stereo", "left", "right"] = "auto"
    sample_rate: int | Literal["auto"] = "auto"
    loudness: float | None = None
    """The integrated loudness to bring the sound to, in LUFS; `None` leaves it as it is."""
    tags: Literal["keep", "strip"] = "keep"
    title: str | None = None
    split: Literal["chapters", "silence"] | None = None
    """Besides the MP3, one for each chapter, or for each piece between two silences."""
    strict: bool = False
    """Fail rather than make an MP3 of a video that is not whole."""
    callback_url: str | None = None
    """Where to tell of the outcome, besides the mail."""

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> Self:
        """Return the options that the fields of a form, a query or a command line ask for.

        Raises:
            InvalidOption: for the first that is unknown, or has a value that is not allowed.
        """
        values: dict[str, Any] = {}
        for name, value in fields.items():
            if name not in _READERS:
                raise InvalidOption(
                    name, value, f"there is no such option; the options are {', '.join(_READERS)}"
                )
            values[name] = _READERS[name](name, value.strip())
        options = cls(**values)
        if options.end is not None and options.end <= options.start:
            raise InvalidOption("end", fields["end"], f"it must be later than start ({options.start:g} s)")
        return options

    def as_document(self) -> dict[str, Any]:
        """Return what the job stores; `model_validate` reads it back, and refuses what it does not know."""
        document = self.model_dump()
        for name in ("callback_url", "split"):
            if document[name] is None:  # a converter of an earlier release does not know it
                del document[name]
        return document


def _quality(name: str, value: str) -> str:
    if value.lower() == "auto":
        return "auto"
    found = re.fullmatch(r"[vV]([0-9])|([0-9]{2,3})k?", value)
    if found and found[1]:
        return f"V{found[1]}"
    if found and int(found[2]) in BITRATES:
        return found[2]
    allowed = ", ".join(map(str, BITRATES))
    raise InvalidOption(name, value, f"use auto, V0 (best) to V9, or one of {allowed} (kbit/s)")


def _track(name: str, value: str) -> int | str:
    if re.fullmatch(r"[0-9]{1,9}", value) and 1 <= int(value) <= MAX_TRACK:
        return int(value)
    if pair := re.fullmatch(r"([1-9][0-9]?)[+, ]([1-9][0-9]?)", value):  # a plus is a space in a query
        return f"{pair[1]}+{pair[2]}"
    if value == "default" or re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", value):
        return value.lower()
    numbers = f"a number from 1 to {MAX_TRACK}, or two as 1+2 for left and right"
    allowed = f"use default, {numbers}, or a language such as en or eng"
    raise InvalidOption(name, value, allowed)


def _time(name: str, value: str) -> float:
    found = re.fullmatch(r"(?:(?:([0-9]{1,3}):)?([0-9]{1,2}):)?([0-9]{1,6}(?:\.[0-9]{1,6})?)", value)
    if found is None or (found[2] and float(found[3]) >= 60) or (found[1] and int(found[2]) >= 60):  # noqa: PLR2004 - of a clock
        raise InvalidOption(name, value, "use seconds (90 or 90.5) or a time (1:30 or 00:01:30.5)")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _channels(name: str, value: str) -> str:
    return _one_of(name, value, ("auto", "mono", "stereo", "left", "right"))


def _sample_rate(name: str, value: str) -> int | str:
    found = _one_of(name, value, ("auto", *map(str, SAMPLE_RATES)))
    return found if found == "auto" else int(found)


def _loudness(name: str, value: str) -> float | None:
    if value.lower() == "off":
        return None
    if value.lower() in LOUDNESS:
        return LOUDNESS[value.lower()]
    if re.fullmatch(r"[-\u2212][0-9]{1,2}(\.[0-9]{1,2})?", value):
        number = float(value.replace("\u2212", "-"))
        if QUIETEST <= number <= LOUDEST:
            return number
    names = ", ".join(f"{name} ({lufs:g})" for name, lufs in LOUDNESS.items())
    raise InvalidOption(
        name, value, f"use off, {names}, or a number of LUFS from {QUIETEST:g} to {LOUDEST:g}"
    )


def _tags(name: str, value: str) -> str:
    return _one_of(name, value, ("keep", "strip"))


def _title(name: str, value: str) -> str | None:
    if len(value) > MAX_TITLE or not value.isprintable():
        raise InvalidOption(name, value, f"use one line of at most {MAX_TITLE} characters")
    return value or None


def _split(name: str, value: str) -> str | None:
    found = _one_of(name, value, ("off", "chapters", "silence"))
    return None if found == "off" else found


def _strict(name: str, value: str) -> bool:
    return _one_of(name, value, (*YES, *NO)) in YES


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value.lower() not in allowed:
        raise InvalidOption(name, value, f"use {', '.join(allowed)}")
    return value.lower()


def _url(name: str, value: str) -> str:
    try:
        parse(value, ANYWHERE)  # where webhooks may go is the gateway's to say
    except InvalidUrl as error:
        raise InvalidOption(name, value, str(error)) from None
    return value


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "quality": _quality,
    "track": _track,
    "start": _time,
    "end": _time,
    "channels": _channels,
    "sample_rate": _sample_rate,
    "loudness": _loudness,
    "tags": _tags,
    "title": _title,
    "split": _split,
    "strict": _strict,
    "callback_url": _url,
}
