"""Small files that ask for far too much: time, room, memory, streams, channels, chapters, tags, pixels."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.corpus.boxes import atom, chunk, element, wav
from tests.corpus.ffmpeg import PICTURE, run, sound
from tests.corpus.hostile import CONVERTED, PARTIAL, Bait, Hostile, content

MIB = 1024 * 1024
SILENCE = ("-f", "lavfi", "-i", "anullsrc=channel_layout=mono:sample_rate=8000")
VIDEO = (
    *sound("mono", 8000),
    *PICTURE,
    "-map",
    "1",
    "-map",
    "0",
    "-shortest",
    "-c:v",
    "mpeg4",
    "-c:a",
    "aac",
)
SOUND_WITHOUT_EDITS = (*sound("mono", 8000), "-c:a", "pcm_s16le", "-use_editlist", "0")
PCM = bytes(8000 * 2)
"""A second of silence at 8 kHz."""
CHAPTERS = 5000
TAGS = 5000

Maker = Callable[[Bait, Path], bytes]


def _made(extension: str, *arguments: str, change: Callable[[bytes], bytes] = bytes) -> Maker:
    """Return a maker of what ffmpeg writes, changed."""

    def make(_: Bait, folder: Path) -> bytes:
        file = folder / f"made.{extension}"
        run(*arguments, file)
        return change(file.read_bytes())

    return make


def _patched(kind: bytes, at: int, value: bytes) -> Callable[[bytes], bytes]:
    """Return a change of every box of a kind: at an offset behind its name, other bytes."""

    def change(whole: bytes) -> bytes:
        changed = bytearray(whole)
        place = changed.find(kind)
        assert place >= 0, kind
        while place >= 0:
            place += len(kind)
            changed[place + at : place + at + len(value)] = value
            place = changed.find(kind, place)
        return bytes(changed)

    return change


def _with_metadata(extension: str, metadata: str) -> Maker:
    """Return a maker of a short video with such chapters or tags."""

    def make(_: Bait, folder: Path) -> bytes:
        described, file = folder / "metadata.txt", folder / f"made.{extension}"
        described.write_text(";FFMETADATA1\n" + metadata, encoding="utf-8")
        inputs = (*sound("mono", 8000), "-i", str(described), "-map_metadata", "1", "-map_chapters", "1")
        run(*inputs, "-c:a", "aac", file)
        return file.read_bytes()

    return make


def _png(width: int, height: int, data: bytes) -> bytes:
    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + part(b"IDAT", data) + part(b"IEND", b"")


def _with_cover(picture: bytes, declared: int | None = None) -> Maker:
    """Return a maker of an MP3 with a cover, whose tag declares a size of its own."""
    body = b"\0image/png\0\3\0" + picture
    frame = b"APIC" + struct.pack(">IH", len(body), 0) + body
    size = len(frame) if declared is None else declared
    tag = b"ID3\3\0\0" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + frame
    return _made("mp3", *sound("mono", 8000), change=lambda mp3: tag + mp3)


def _compressed_header(_: Bait, __: Path) -> bytes:
    """A QuickTime header, compressed: 300 MiB of zeros."""
    packer = zlib.compressobj(9)
    zeros = b"".join(packer.compress(bytes(MIB)) for _ in range(300)) + packer.flush()
    body = atom(b"cmvd", struct.pack(">I", 300 * MIB), zeros)
    return atom(b"ftyp", b"qt  ") + atom(b"moov", atom(b"cmov", atom(b"dcom", b"zlib"), body))


def _nested(wrap: Callable[[bytes], bytes], depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = wrap(inner)
    return inner


def _matroska(*clusters: tuple[int, bytes], tags: bytes = b"") -> bytes:
    """Return a Matroska of mono PCM at 8 kHz: at these milliseconds, these samples."""
    rate = element(
        0xE1, element(0xB5, struct.pack(">d", 8000)), element(0x9F, b"\1"), element(0x6264, b"\x10")
    )
    numbers = element(0xD7, b"\1") + element(0x73C5, b"\1") + element(0x83, b"\2")
    track = element(0xAE, numbers, element(0x86, b"A_PCM/INT/LIT"), rate)
    info = element(0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40"))
    sounds = [
        element(0x1F43B675, element(0xE7, time.to_bytes(8)), element(0xA3, b"\x81\0\0\x80" + samples))
        for time, samples in clusters
    ]
    head = element(0x1A45DFA3, element(0x4282, b"matroska"))
    return head + element(0x18538067, info, element(0x1654AE6B, track), tags, *sounds)


def _avi_of_empty_streams(count: int) -> bytes:
    header = b"auds" + b"\0" * 16 + struct.pack("<7I", 1, 8000, 0, 0, 0, 0, 1) + b"\0" * 8
    shape = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
    stream = chunk(b"LIST", b"strl", chunk(b"strh", header), chunk(b"strf", shape))
    main = chunk(b"avih", struct.pack("<14I", 0, 0, 0, 0, 0, 0, count, *[0] * 7))
    return chunk(b"RIFF", b"AVI ", chunk(b"LIST", b"hdrl", main, stream * count), chunk(b"LIST", b"movi"))


def _changing(_: Bait, folder: Path) -> bytes:
    """An ADTS stream that turns from mono at 16 kHz to 5.1 at 48 kHz, and back."""
    parts = []
    for n, (layout, rate) in enumerate((("mono", 16000), ("5.1", 48000), ("mono", 16000))):
        file = folder / f"part{n}.aac"
        run(*sound(layout, rate, seconds=1), file)
        parts.append(file.read_bytes())
    return b"".join(parts)


def _flood_of_tags(count: int) -> bytes:
    """The time that ffmpeg takes grows with the square of their number."""
    tags = b"".join(element(0x67C8, element(0x45A3, b"t%d" % n), element(0x4487, b"x")) for n in range(count))
    return _matroska((0, PCM), tags=element(0x1254C367, element(0x7373, element(0x63C0), tags)))


def _chapters() -> str:
    return "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={n}\nEND={n + 1}\ntitle=c{n}\n" for n in range(CHAPTERS)
    )


LONG = "3600"
BOMBS = (
    # Of duration: the limits say that nothing is longer than a minute.
    Hostile("silence of an hour", _made("mkv", *SILENCE, "-t", LONG, "-c:a", "flac"), "too_long"),
    Hostile(
        "silence of an hour that does not say so",
        _made("mkv", *SILENCE, "-t", LONG, "-c:a", "flac", "-live", "1"),
        "too_long",
    ),
    Hostile("WAV of ten minutes", content(wav(PCM * 600)), "too_long", "video.wav"),
    Hostile(
        "QuickTime that claims hours",
        _made("mov", *SOUND_WITHOUT_EDITS, change=_patched(b"mdhd", 12, b"\0\0\0\1")),
        "too_long",
    ),
    Hostile(
        "Matroska that claims years",
        _made("mkv", *VIDEO, change=_patched(b"\x44\x89\x88", 0, struct.pack(">d", 1e12))),
        CONVERTED,
        "video.mkv",
    ),
    Hostile(
        "FLAC that claims days",
        _made("flac", *sound("mono", 8000), change=lambda flac: flac[:22] + b"\xff" * 4 + flac[26:]),
        "too_long",
        "video.flac",
    ),
    Hostile(
        "Matroska with a gap of years", content(_matroska((0, PCM), (10**12, PCM))), CONVERTED, "video.mkv"
    ),
    Hostile(
        "Matroska with a gap of ten hours",
        content(_matroska((0, PCM), (36_000_000, PCM))),
        "too_long",
        "video.mkv",
    ),
    # Of size.
    Hostile(
        "MP3 larger than the limit",
        _made("wav", *sound("mono", 8000, seconds=50)),
        "too_large",
        limits={"mp3_bytes": 100_000},
        options={"quality": "320"},
    ),
    # Of streams.
    Hostile(
        "two hundred sound tracks",
        _made("mkv", *sound("mono", 8000), *["-map", "0"] * 200, "-c:a", "pcm_s16le"),
        CONVERTED,
        "video.mkv",
    ),
    Hostile(
        "a hundred programs' sound",
        _made("ts", *sound("mono", 16000), *["-map", "0"] * 100, "-c:a", "mp2"),
        CONVERTED,
        "video.ts",
    ),
    Hostile(
        "AVI of thousands of empty streams",
        content(_avi_of_empty_streams(5000)),
        "unreadable_media",
        "video.avi",
    ),
    # Of channels and rates.
    Hostile(
        "WAV of 65,535 channels", content(wav(bytes(MIB), channels=65535)), "unreadable_media", "video.wav"
    ),
    Hostile("WAV of 255 channels", content(wav(bytes(MIB), channels=255)), "unreadable_media", "video.wav"),
    Hostile("WAV of 64 channels", content(wav(bytes(64 * 2 * 8000), channels=64)), CONVERTED, "video.wav"),
    Hostile("WAV of no channel", content(wav(PCM, channels=0)), "unreadable_media", "video.wav"),
    Hostile("WAV at 0 Hz", content(wav(PCM, rate=0)), "unreadable_media", "video.wav"),
    Hostile("WAV at 1 Hz", content(wav(bytes(20), rate=1)), PARTIAL, "video.wav"),
    Hostile("WAV at 4 GHz", content(wav(PCM, rate=2**32 - 1)), "unreadable_media", "video.wav"),
    Hostile(
        "MP4 of 65,535 channels", _made("mp4", *VIDEO, change=_patched(b"mp4a", 16, b"\xff\xff")), CONVERTED
    ),
    Hostile("sound that changes its shape", _changing, CONVERTED, "song.aac"),
    # Of chapters and tags.
    Hostile(
        "flood of tags",
        content(_flood_of_tags(100_000)),
        "stalled",
        "video.mkv",
        limits={"stall_seconds": 1.0},
    ),
    Hostile(
        "flood of tags that is paid for in processor time",
        content(_flood_of_tags(100_000)),
        "converter_crashed",
        "video.mkv",
        limits={"cpu_seconds": 1},
    ),
    Hostile(
        "video for which memory does not suffice",
        content(wav(PCM)),
        "converter_crashed",
        limits={"memory_bytes": 64 * MIB},
    ),
    Hostile("thousands of chapters in Matroska", _with_metadata("mkv", _chapters()), CONVERTED, "video.mkv"),
    Hostile("thousands of chapters in MP4", _with_metadata("mp4", _chapters()), CONVERTED),
    Hostile("title of 4 MiB", _with_metadata("mkv", f"title={'x' * 4 * MIB}\n"), CONVERTED, "video.mkv"),
    Hostile(
        "thousands of tags",
        _with_metadata("mkv", "".join(f"tag{n}=value\n" for n in range(TAGS))),
        CONVERTED,
        "video.mkv",
    ),
    Hostile(
        "title with control characters", _with_metadata("mkv", "title=a\\\n\x1b[2J\x07\\\nb\x00\n"), CONVERTED
    ),
    Hostile(
        "ID3 tag that claims 256 MiB", _with_cover(b"", declared=2**28 - 1), "unreadable_media", "song.mp3"
    ),
    # Of pixels: no picture is ever decoded.
    Hostile(
        "cover of 2^31 by 2^31 pixels", _with_cover(_png(2**31 - 1, 2**31 - 1, b"")), CONVERTED, "song.mp3"
    ),
    Hostile(
        "cover that unpacks to 300 MiB",
        _with_cover(_png(10000, 10000, zlib.compress(bytes(300 * MIB)))),
        CONVERTED,
        "song.mp3",
    ),
    Hostile(
        "video of 65,535 by 65,535",
        _made("mp4", *VIDEO, change=_patched(b"mp4v", 24, b"\xff\xff\xff\xff")),
        CONVERTED,
    ),
    # Of memory and time, in tables that lie.
    Hostile("compressed header of 300 MiB", _compressed_header, "unreadable_media", "video.mov"),
    Hostile(
        "boxes in boxes in boxes",
        content(atom(b"ftyp", b"isom") + _nested(lambda inner: atom(b"moov", inner), 3000)),
        "unreadable_media",
    ),
    Hostile(
        "elements in elements",
        content(
            element(0x1A45DFA3, element(0x4282, b"matroska"))
            + element(0x18538067, element(0x1254C367, _nested(lambda inner: element(0x67C8, inner), 3000)))
        ),
        "unreadable_media",
        "video.mkv",
    ),
    Hostile(
        "sample table of 2^32 sizes",
        _made("mp4", *VIDEO, change=_patched(b"stsz", 4, b"\0\0\0\0\xff\xff\xff\xff")),
        "unreadable_media",
    ),
    Hostile(
        "time table of 2^32 entries",
        _made("mp4", *VIDEO, change=_patched(b"stts", 4, b"\xff\xff\xff\xff")),
        "unreadable_media",
    ),
    Hostile(
        "chunk table of 2^32 entries",
        _made("mp4", *VIDEO, change=_patched(b"stco", 4, b"\xff\xff\xff\xff")),
        CONVERTED,
    ),
    Hostile(
        "edit list of 2^32 entries",
        _made("mp4", *VIDEO, change=_patched(b"elst", 4, b"\xff\xff\xff\xff")),
        CONVERTED,
    ),
    Hostile(
        "box of 2^63 bytes",
        content(atom(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1) + b"x" * 99),
        "unreadable_media",
    ),
)
