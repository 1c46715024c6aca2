"""Find out which sound tracks are encrypted: ffmpeg shows what is underneath, or calls them damaged.

Every scheme leaves a mark outside what it encrypts, or nobody could play it.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from converter.boxes import SHORT_HEADER, Box, boxes
from converter.elements import elements
from converter.media import Media
from converter.transport import PACKETS, first_packet

MAX_BOXES = 1000
SOUND = b"soun"
ENCRYPTED_ENTRIES = frozenset((b"enca", b"drms", b"aavd"))
"""Common Encryption (ISO 23001-7), FairPlay, Audible."""
SEGMENT, TRACKS, TRACK, TRACK_TYPE = 0x18538067, 0x1654AE6B, 0xAE, 0x83
ENCODINGS, ENCODING, ENCRYPTION = 0x6D80, 0x6240, 0x5035
MATROSKA_SOUND = 2
ASF_ENCRYPTION = (
    bytes.fromhex("fbb31122 23bdd211 b4b700a0 c955fc6e"),
    bytes.fromhex("14e68a29 2226174c b935dae0 7ee9289c"),
    bytes.fromhex("43058533 6981e649 9b74ad12 cb86d58c"),
)
"""The content encryption objects of ASF 3.14 and 3.15, and PlayReady's."""
HEAD_BYTES = 64 * 1024
SAMPLE_BYTES = 4 * 1024 * 1024
"""What is looked at of a stream of packets."""
FEW = 8
"""Fewer packets than this say nothing."""
PES = re.compile(b"\0\0\1[\xbd\xc0-\xdf]..[\x80-\xbf]", re.DOTALL)
"""The head of a packet of sound: private stream 1 or an audio stream, by ISO 13818-1."""
AACS_UNIT = 6144
AACS_COPY_BITS = 0xC0
SYNC = 0x47


def encrypted_tracks(video: Path, media: Media) -> list[bool]:
    """Return for each sound track whether it is encrypted."""
    kind = media.container.partition(",")[0]
    count = len(media.tracks)
    with video.open("rb") as file:
        if kind == "mov":
            found = _movie(file)
        elif kind == "matroska":
            found = _matroska(file)
        elif kind == "asf":
            head = file.read(HEAD_BYTES)
            found = [any(mark in head for mark in ASF_ENCRYPTION)]
        elif kind == "mpegts":
            scrambled = _scrambled_ids(file)
            found = [track.id in scrambled for track in media.tracks]
        elif kind == "mpeg":
            found = [_is_scrambled_program(file)]
        else:
            found = []
    return found if len(found) == count else [any(found)] * count


def is_aacs(video: Path) -> bool:
    """Say whether a file is of a Blu-ray under AACS: of each unit only the first packet's head is clear."""
    with video.open("rb") as file:
        data = file.read(AACS_UNIT * FEW)
    units = [data[at : at + 5] for at in range(0, len(data) - AACS_UNIT + 1, AACS_UNIT)]
    return len(units) == FEW and all(
        unit[0] & AACS_COPY_BITS == AACS_COPY_BITS and unit[4] == SYNC for unit in units
    )


def _movie(file: IO[bytes]) -> list[bool]:
    """Return for each sound track of ISO base media whether its samples are encrypted.

    Of several heads the last one counts: a download that was decrypted keeps its old head in front.
    """
    found: list[bool] = []
    for head in boxes(file, MAX_BOXES):
        if head.kind == b"moov":
            media = [box for track in _inside(file, head, b"trak") for box in _inside(file, track, b"mdia")]
            found = [_has_encrypted_entry(file, box) for box in media if _handler(file, box) == SOUND]
    return found


def _handler(file: IO[bytes], media: Box) -> bytes:
    for box in _inside(file, media, b"hdlr"):
        file.seek(box.begin + SHORT_HEADER + 8)
        return file.read(4)
    return b""


def _has_encrypted_entry(file: IO[bytes], media: Box) -> bool:
    for information in _inside(file, media, b"minf"):
        for table in _inside(file, information, b"stbl"):
            for described in _inside(file, table, b"stsd"):
                entries = boxes(file, MAX_BOXES, described.begin + 16, described.end)
                return any(entry.kind in ENCRYPTED_ENTRIES for entry in entries)
    return False


def _inside(file: IO[bytes], outer: Box, kind: bytes) -> Sequence[Box]:
    found = boxes(file, MAX_BOXES, outer.begin + SHORT_HEADER, outer.end)
    return [box for box in found if box.kind == kind]


def _matroska(file: IO[bytes]) -> list[bool]:
    """Return for each sound track whether a ContentEncryption is among its encodings (RFC 9559)."""
    found = []
    for segment in elements(file, SEGMENT):
        for tracks in elements(file, TRACKS, segment):
            for track in elements(file, TRACK, tracks):
                kinds = [file.read(kind.size)[-1:] for kind in elements(file, TRACK_TYPE, track)]
                if kinds == [bytes([MATROSKA_SOUND])]:
                    encodings = (
                        encoding
                        for outer in elements(file, ENCODINGS, track)
                        for encoding in elements(file, ENCODING, outer)
                    )
                    found.append(any(any(elements(file, ENCRYPTION, each)) for each in encodings))
            return found
    return found


def _scrambled_ids(file: IO[bytes]) -> set[int]:
    """Return the streams of a transport stream most of whose packets are scrambled."""
    data = file.read(SAMPLE_BYTES)
    counts: dict[int, list[int]] = {}
    for length, before in PACKETS:
        first = first_packet(data, length, before)
        if first is None:
            continue
        for at in range(first + before, len(data) - 3, length):
            number, control = (data[at + 1] & 0x1F) << 8 | data[at + 2], data[at + 3]
            if control & 0x10:  # it has a payload
                seen = counts.setdefault(number, [0, 0])
                seen[0] += 1
                seen[1] += control & 0xC0 != 0
        break
    return {number for number, (all_of, some) in counts.items() if all_of >= FEW and some * 2 > all_of}


def _is_scrambled_program(file: IO[bytes]) -> bool:
    """Say whether most packets of sound in a program stream are scrambled, as those of a DVD under CSS."""
    marks = [found[0][-1] & 0x30 != 0 for found in PES.finditer(file.read(SAMPLE_BYTES))]
    return len(marks) >= FEW and sum(marks) * 2 > len(marks)
