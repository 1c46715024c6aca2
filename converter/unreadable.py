"""Say why ffmpeg cannot open a file, and what the file looks like."""

from pathlib import Path

import filetype

from converter import errors
from converter.errors import ConversionFailed

HEAD_BYTES = 8192
NOTES = "audio/midi"
"""The one kind of sound that is none: what to play, and no recording of it."""
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def why_unreadable(video: Path, log: list[str]) -> ConversionFailed:
    """Return the error for a file of which ffmpeg said this and no more."""
    with video.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = filetype.guess(head)
    media = kind is not None and kind.mime.partition("/")[0] in ("audio", "video")
    notes = kind is not None and kind.mime == NOTES
    refused = notes or any("Format not on whitelist" in line for line in log)
    if refused and (media or (kind is None and not _is_text(head))):
        return errors.unsupported_container(kind.mime if kind else "this one")
    if media:
        return errors.unreadable_media("its beginning makes no sense")
    return errors.not_media(_looks_like(head, kind.mime if kind else None))


def _looks_like(head: bytes, mime: str | None) -> str:
    if mime is not None:
        return f"a file of the type {mime}"
    if _is_text(head):
        return "text"
    if not head.strip(b"\0"):
        return "nothing but zeros"
    return "data of an unknown kind"


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not a character that was cut in two
            return False
    return len(head) > 1 and not CONTROLS.intersection(head)
