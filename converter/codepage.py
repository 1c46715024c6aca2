"""Repair text that old programs wrote in a code page of their own, where UTF-8 was meant."""

import re
from itertools import pairwise

ALPHABETS = ("cp1251", "koi8_r", "cp1253")
"""Cyrillic of Windows, Cyrillic of Unix, Greek: the first in which capitals stand where they belong."""
SHIFT_JIS, EUC_JP, EUC_KR = "shift_jis", "euc_jp", "euc_kr"
CHINESE = ("gb2312", "big5", "gb18030")
"""The first in which nothing but ideographs comes out."""
LATIN, POLISH = "cp1252", "cp1250"
IN_POLISH = re.compile(r"[^\W\d_][£¥ª¯¹³¿¼¾][^\W\d_]")
"""Signs that stand in no word, where Windows has letters of Central Europe."""
COMMON_HANGUL = frozenset(
    "이다는은을를에의가고지하한로사기어나도자리인시대해서그정것들만수부아라전일게보제면원주상여오안"
    "장구스국소마세조공유동신비무우모성경화미거너네내당저요위때생속"
)
MANY = 1 / 3
"""More of Korean text than this is written in them; of Chinese text read as Korean hardly anything is."""
MOSTLY = 0.5
"""A text of which more letters than this are not ASCII is in no Latin alphabet."""
HIGH = re.compile("[\x80-\xff]{3}")
HIGH_IN_UTF_8 = re.compile("[\x80-\xff]{4}")
"""So many letters with accents in a row are in no word of a Latin language."""
CUT = "unexpected end of data"
DIFFERENT = 6
"""A text of fewer characters than this says nothing of its alphabet."""
SIGNS = frozenset("№—–«»“”„…’©®° ")  # noqa: RUF001 - signs of typographers
"""What may stand between foreign letters."""


def decoded(raw: bytes) -> tuple[str, bool]:
    """Return a text, and whether its encoding had to be guessed."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == CUT and error.start:  # in the middle of a character
            return raw[: error.start].decode(), False
        return _guessed(raw) or raw.decode(LATIN, "replace"), True
    return _read_again(text)


def _read_again(text: str) -> tuple[str, bool]:
    """Mend what a program read as Latin-1 and wrote as UTF-8: hardly a letter in it is ASCII."""
    if not HIGH_IN_UTF_8.search(text) or len(set(text)) < DIFFERENT:
        return text, False
    try:
        found = _guessed(text.encode("latin-1"))
    except UnicodeEncodeError:
        return text, False
    return (text, False) if found is None else (found, True)


def _guessed(raw: bytes) -> str | None:
    """Return the text in the first code page that makes sense of it."""
    if not _is_foreign(raw.decode("latin-1")):
        return _in_polish(raw) or raw.decode(LATIN, "replace")
    for page in ALPHABETS:
        text = _in(raw, page)
        if text is not None and _reads_naturally(text):
            return text
    return _in_east_asia(raw) or _in_polish(raw)


def _in_polish(raw: bytes) -> str | None:
    return raw.decode(POLISH, "replace") if IN_POLISH.search(raw.decode(LATIN, "replace")) else None


def _in_east_asia(raw: bytes) -> str | None:
    """Return Japanese, Korean or Chinese text: all but Shift-JIS have their characters in the same bytes."""
    korean = [letter for letter in _in(raw, EUC_KR) or "" if not letter.isascii()]
    common = sum(letter in COMMON_HANGUL for letter in korean)
    if common > MANY * len(korean) and all("가" <= letter <= "힣" for letter in korean):
        return _in(raw, EUC_KR)
    for page in (SHIFT_JIS, EUC_JP, *CHINESE):
        text = _in(raw, page)
        if text is None or not all(_is_ideograph(letter) for letter in text if not letter.isascii()):
            continue
        if page != EUC_JP or any(_is_kana(letter) for letter in text):
            return text
    return None


def _in(raw: bytes, page: str) -> str | None:
    try:
        return raw.decode(page)
    except UnicodeDecodeError:
        return None


def _is_foreign(latin: str) -> bool:
    """Say whether most bytes that may be letters are not ASCII: no Latin language has as many accents."""
    high = sum(letter > "\x7f" for letter in latin)
    low = sum(letter.isascii() and letter.isalpha() for letter in latin)
    return HIGH.search(latin) is not None and high > MOSTLY * (high + low)


def _reads_naturally(text: str) -> bool:
    """Say whether no capital follows a small letter, and no word mixes this alphabet with ASCII."""
    letters = all(letter.isalpha() or letter in SIGNS for letter in text if not letter.isascii())
    return letters and not any(_clash(one, two) for one, two in pairwise(text))


def _clash(one: str, two: str) -> bool:
    if not (one.isalpha() and two.isalpha()):
        return False
    return (one.islower() and two.isupper()) or one.isascii() != two.isascii()


def _is_kana(letter: str) -> bool:
    return "\u3041" <= letter <= "\u30fa"


def _is_ideograph(letter: str) -> bool:
    """Say whether a character is Chinese or Japanese: ideographs, kana, and their punctuation."""
    return "\u3000" <= letter <= "\u9fff" or "\uff00" <= letter <= "\uff60"
