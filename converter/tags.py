"""Leave in an MP3's tag what a listener wants, and add what the conversion knows.

ffmpeg has written tags and chapters (CHAP, CTOC) from the video, with whatever the container's muxer
and its maker's programs noted there.  What stays is ID3v2.3 (id3.org), which every player reads.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutagen import MutagenError
from mutagen.id3 import APIC, COMM, ID3, TIT2, TLAN, TXXX, Encoding, ID3NoHeaderError, PictureType

from converter.report import SILENT, Loudness
from converter.tracks import three_letters

KEPT = ("TIT2", "TPE1", "TPE2", "TALB", "TCOM", "TCON", "TDRC", "TRCK", "TPOS", "TCOP", "TPUB", "COMM")
"""Title, artists, album, composer, genre, date, track, part, copyright, publisher, comment."""
MAX_TEXT = 2000
MAX_CHAPTERS = 255
"""What a table of contents can list."""
MAX_COVER = 8 * 1024 * 1024
REPLAYGAIN = -18.0
"""The loudness that ReplayGain 2.0 brings everything to, in LUFS."""
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True, slots=True)
class Known:
    """What the conversion knows of an MP3."""

    title: str | None
    language: str | None
    loudness: Loudness | None
    cover: bytes


def finish(mp3: Path, known: Known) -> int:
    """Put an MP3's tag in order, and return how many chapters it has."""
    written = _read(mp3)
    tags = ID3()
    for name in KEPT:
        for frame in written.getall(name):
            tags.add(_shortened(frame))
    for frame in written.getall("TXXX"):
        if frame.desc.lower() == "comment" and not tags.getall("COMM"):
            tags.add(COMM(encoding=Encoding.UTF16, lang="XXX", desc="", text=_shortened(frame).text))
    chapters = _add_chapters(tags, written)
    _add(tags, known)
    tags.update_to_v23()
    try:
        tags.save(mp3, v2_version=3)
    except MutagenError as error:
        # It wraps the system's: that the disk is full must stay visible.
        raise error.args[0] if error.args and isinstance(error.args[0], OSError) else error from None
    return chapters


def _read(mp3: Path) -> Any:
    try:
        return ID3(mp3)
    except ID3NoHeaderError:
        return ID3()


def _add_chapters(tags: Any, written: Any) -> int:
    chapters = sorted(written.getall("CHAP"), key=lambda frame: frame.start_time)[:MAX_CHAPTERS]
    for frame in chapters:
        _keep_title(frame)
        tags.add(frame)
    for frame in written.getall("CTOC") if chapters else ():
        frame.child_element_ids = [chapter.element_id for chapter in chapters]
        frame.sub_frames.clear()
        tags.add(frame)
    return len(chapters)


def _keep_title(chapter: Any) -> None:
    titles = chapter.sub_frames.getall("TIT2")
    chapter.sub_frames.clear()
    for title in titles:
        chapter.sub_frames.add(_shortened(title))


def _add(tags: Any, known: Known) -> None:
    if known.title is not None:
        tags.setall("TIT2", [TIT2(encoding=Encoding.UTF16, text=known.title)])
    if known.language is not None and re.fullmatch("[a-z]{3}", language := three_letters(known.language)):
        tags.add(TLAN(encoding=Encoding.LATIN1, text=language))
    if known.loudness is not None and known.loudness.integrated > SILENT:
        gain = f"{REPLAYGAIN - known.loudness.integrated:.2f} dB"
        peak = f"{10 ** (known.loudness.peak / 20):.6f}"
        for name, value in (("REPLAYGAIN_TRACK_GAIN", gain), ("REPLAYGAIN_TRACK_PEAK", peak)):
            tags.add(TXXX(encoding=Encoding.LATIN1, desc=name, text=value))
    for beginning, mime in PICTURES.items():
        if known.cover.startswith(beginning) and len(known.cover) <= MAX_COVER:
            tags.add(
                APIC(encoding=Encoding.LATIN1, mime=mime, type=PictureType.COVER_FRONT, data=known.cover)
            )


def _shortened(frame: Any) -> Any:
    frame.text = [str(text)[:MAX_TEXT] for text in frame.text]
    return frame
