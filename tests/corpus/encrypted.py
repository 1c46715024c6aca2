"""Files under copy protection of every scheme that people have, and clear ones that look a little like it."""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.boxes import element
from tests.corpus.ffmpeg import PICTURE, run, sound

KEY = "00112233445566778899aabbccddeeff"
TS, PACK, AACS_UNIT = 188, 2048, 6144
ASF_ENCRYPTION = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
"""The GUID of ASF's content encryption object."""
ASF_HEADER = 30
SEGMENT, CLUSTER, TRACKS = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75", b"\x16\x54\xae\x6b"
TRACK, BLOCK, VOID = b"\xae", b"\xa3", b"\xec"
SEEK_HEAD, CUES = b"\x11\x4d\x9b\x74", b"\x1c\x53\xbb\x6b"
VIDEO = (*PICTURE, "-map", "1", "-map", "0", "-t", "3")


@dataclass(frozen=True, slots=True)
class Protected:
    """A file by the scheme that it is under, or seems to be."""

    name: str
    make: Callable[[Path], bytes]


def _made(folder: Path, name: str, *arguments: str) -> bytes:
    file = folder / name
    run(*sound(), *arguments, file)
    return file.read_bytes()


def _common_encryption(folder: Path) -> bytes:
    scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY)
    return _made(folder, "cenc.mp4", "-c:a", "aac", *scheme)


def _fairplay(folder: Path) -> bytes:
    return _made(folder, "clear.m4a", "-c:a", "aac").replace(b"mp4a", b"drms", 1)


def _widevine(folder: Path) -> bytes:
    """Say in the track that it is encrypted, and make noise of its blocks."""
    encryption = element(0x5035, element(0x47E1, b"\5"), element(0x47E2, bytes(16)))
    encodings = element(0x6D80, element(0x6240, element(0x5033, b"\1"), encryption))
    return _encrypted_elements(_made(folder, "clear.webm", "-c:a", "libopus"), encodings)


def _encrypted_elements(data: bytes, encodings: bytes) -> bytes:
    noise, out, at = random.Random(5), b"", 0  # noqa: S311 - the same in every run
    while at < len(data):
        name = data[at : at + 9 - data[at].bit_length()]
        length = 9 - data[at + len(name)].bit_length()
        begin = at + len(name) + length
        size = int.from_bytes(data[begin - length : begin]) & (1 << 7 * length) - 1
        end = len(data) if size == (1 << 7 * length) - 1 else begin + size
        body = data[begin:end]
        if name in (SEGMENT, CLUSTER, TRACKS):
            body = _encrypted_elements(body, encodings)
        elif name == TRACK:
            body += encodings
        elif name == BLOCK:
            body = body[:4] + noise.randbytes(len(body) - 4)
        elif name in (SEEK_HEAD, CUES):  # where things lay before
            name, body = VOID, bytes(len(body))
        out += element(int.from_bytes(name), body)
        at = end
    return out


def _pay_tv(folder: Path) -> bytes:
    """Scramble every packet of sound and pictures (transport_scrambling_control)."""
    noise = random.Random(1)  # noqa: S311 - the same in every run
    whole = bytearray(_made(folder, "clear.ts", *VIDEO, "-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2"))
    for at in range(0, len(whole), TS):
        number = (whole[at + 1] & 0x1F) << 8 | whole[at + 2]
        if number in (0x100, 0x101):
            start = at + 4 + (1 + whole[at + 4] if whole[at + 3] & 0x20 else 0)
            whole[at + 3] |= 0x80
            whole[start : at + TS] = noise.randbytes(max(at + TS - start, 0))
    return bytes(whole)


def _dvd(folder: Path) -> bytes:
    """Scramble what lies behind the first 128 bytes of a sector, as CSS does."""
    noise = random.Random(2)  # noqa: S311 - the same in every run
    whole = bytearray(_made(folder, "clear.vob", *VIDEO, "-c:v", "mpeg2video", "-r", "25", "-c:a", "ac3"))
    for at in range(0, len(whole) - PACK + 1, PACK):
        if whole[at + 14 : at + 17] == b"\0\0\1" and whole[at + 17] in (0xBD, 0xE0):
            whole[at + 20] |= 0x10
            whole[at + 128 : at + PACK] = noise.randbytes(PACK - 128)
    return bytes(whole)


def _blu_ray(folder: Path) -> bytes:
    """Encrypt all but 16 bytes of each aligned unit, and set the copy bits of its packets, as AACS does."""
    noise = random.Random(3)  # noqa: S311 - the same in every run
    arguments = (
        *VIDEO,
        "-c:v",
        "mpeg2video",
        "-r",
        "25",
        "-b:v",
        "2M",
        "-c:a",
        "ac3",
        "-mpegts_m2ts_mode",
        "1",
    )
    whole = bytearray(_made(folder, "clear.m2ts", *arguments))
    for at in range(0, len(whole) - AACS_UNIT + 1, AACS_UNIT):
        whole[at + 16 : at + AACS_UNIT] = noise.randbytes(AACS_UNIT - 16)
        whole[at] |= 0xC0
    return bytes(whole)


def _windows_media(folder: Path, kind: bytes = ASF_ENCRYPTION) -> bytes:
    """Put a content encryption object into the head."""
    whole = bytearray(_made(folder, "clear.wma", "-c:a", "wmav2"))
    content = struct.pack("<I4sI4sI4sI4s", 4, b"data", 4, b"DRM\0", 4, b"key\0", 4, b"url\0")
    one = kind + struct.pack("<Q", 24 + len(content)) + content
    size, count = struct.unpack_from("<QI", whole, 16)
    struct.pack_into("<QI", whole, 16, size + len(one), count + 1)
    whole[ASF_HEADER:ASF_HEADER] = one
    return bytes(whole)


def _play_ready(folder: Path) -> bytes:
    return _windows_media(folder, bytes.fromhex("430585336981e6499b74ad12cb86d58c"))


def _title(folder: Path) -> bytes:
    return _made(folder, "clear.mp4", "-c:a", "aac", "-metadata", "title=El bosque encantado")


def _old_head(folder: Path) -> bytes:
    """A download that was decrypted; the head that it had before is still in front."""
    fragmented = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")
    clear = _made(folder, "clear.mp4", "-c:a", "aac", *fragmented)
    return clear[: clear.index(b"moof") - 4].replace(b"mp4a", b"enca") + clear


PROTECTED = (
    Protected("MP4 under Common Encryption", _common_encryption),
    Protected("M4A under FairPlay", _fairplay),
    Protected("WebM under Widevine", _widevine),
    Protected("transport stream of pay TV", _pay_tv),
    Protected("VOB of a DVD under CSS", _dvd),
    Protected("M2TS of a Blu-ray under AACS", _blu_ray),
    Protected("Windows Media under DRM", _windows_media),
    Protected("Windows Media under PlayReady", _play_ready),
)
CLEAR = (
    Protected("a title with the letters of an encrypted kind", _title),
    Protected("an old head in front of a clear one", _old_head),
)
