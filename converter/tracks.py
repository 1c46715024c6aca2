"""Choose the sound track to convert."""

from converter import errors, sandbox
from converter.media import Media, Track


def ranked(media: Media, asked: int | str) -> list[Track]:
    """Return the track to convert, and those to take if it turns out to be empty, the best first.

    The rule: one that can be read, then none that is a commentary or a description, then the one marked
    as default, then the one with the most channels, then the first.

    Raises:
        ConversionFailed: `no_audio_track`, `no_such_track`, `drm_protected` or `unsupported_codec`.
    """
    if not media.tracks:
        raise errors.no_audio_track()
    matching = [track for track in media.tracks if _matches(track, asked)]
    if not matching:
        raise errors.no_such_track(str(asked), [str(track) for track in media.tracks])
    first, *others = sorted(matching, key=_rank)
    if first.encrypted:
        raise errors.drm_protected()
    if not _is_readable(first):
        raise errors.unsupported_codec(first.codec)
    return [first, *filter(_is_readable, others)]


def pair(media: Media, asked: str) -> tuple[Track, Track]:
    """Return the tracks for the left and the right ear, asked for as `1+2`.

    Raises:
        ConversionFailed: as `ranked`.
    """
    left, _, right = asked.partition("+")
    return ranked(media, int(left))[0], ranked(media, int(right))[0]


def _is_readable(track: Track) -> bool:
    return not track.encrypted and track.codec in sandbox.CODECS


def _matches(track: Track, asked: int | str) -> bool:
    if isinstance(asked, int):
        return track.number == asked
    return asked == "default" or (track.language is not None and _same_language(track.language, asked))


def _rank(track: Track) -> tuple[bool, bool, bool, int, int]:
    return (
        not _is_readable(track),
        track.commentary or track.descriptive,
        not track.default,
        -(track.channels or 0),
        track.number,
    )


def _same_language(one: str, other: str) -> bool:
    return three_letters(one) == three_letters(other)


def three_letters(language: str) -> str:
    """Return a language's code by ISO 639-2/T, or what was given if it is none that is known."""
    primary = language.lower().partition("-")[0]
    return ISO_639.get(primary, primary)


ISO_639 = {
    "ar": "ara",
    "bg": "bul",
    "ca": "cat",
    "cs": "ces",
    "cze": "ces",
    "cy": "cym",
    "wel": "cym",
    "da": "dan",
    "de": "deu",
    "ger": "deu",
    "el": "ell",
    "gre": "ell",
    "en": "eng",
    "es": "spa",
    "et": "est",
    "eu": "eus",
    "baq": "eus",
    "fa": "fas",
    "per": "fas",
    "fi": "fin",
    "fr": "fra",
    "fre": "fra",
    "ga": "gle",
    "he": "heb",
    "hi": "hin",
    "hr": "hrv",
    "hu": "hun",
    "id": "ind",
    "is": "isl",
    "ice": "isl",
    "it": "ita",
    "ja": "jpn",
    "ko": "kor",
    "lt": "lit",
    "lv": "lav",
    "nb": "nob",
    "nl": "nld",
    "dut": "nld",
    "no": "nor",
    "pl": "pol",
    "pt": "por",
    "ro": "ron",
    "rum": "ron",
    "ru": "rus",
    "sk": "slk",
    "slo": "slk",
    "sl": "slv",
    "sr": "srp",
    "sv": "swe",
    "th": "tha",
    "tr": "tur",
    "uk": "ukr",
    "vi": "vie",
    "zh": "zho",
    "chi": "zho",
}
"""The languages of most videos: both other codes of each to its three letters by ISO 639-2/T."""
