"""The building blocks of containers, for files that no muxer would write."""

import struct


def atom(kind: bytes, *content: bytes) -> bytes:
    """Return a box of ISO base media (ISO 14496-12) or QuickTime."""
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def element(number: int, *content: bytes) -> bytes:
    """Return an EBML element (RFC 8794); its number holds the length marker."""
    body = b"".join(content)
    name = number.to_bytes((number.bit_length() + 7) // 8)
    return name + (len(body) | 1 << 56).to_bytes(8) + body


def chunk(kind: bytes, *content: bytes) -> bytes:
    """Return a chunk of RIFF."""
    body = b"".join(content)
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(samples: bytes, channels: int = 1, rate: int = 8000, bits: int = 16) -> bytes:
    """Return a WAV file of PCM; the arithmetic wraps where the fields do."""
    frame = channels * bits // 8
    fields = (1, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    return chunk(b"RIFF", b"WAVE", chunk(b"fmt ", struct.pack("<HHIIHH", *fields)), chunk(b"data", samples))


def moov(*, entry: bytes, references: bytes, size: int, rate: int = 8000) -> bytes:
    """Return a movie of one sound track: `size` bytes of 16-bit mono PCM in a single chunk at offset 0.

    `entry` is the sample description's kind (`twos`, `sowt`), `references` the content of its `dref`.
    """
    count = size // 2
    full = b"\0" * 4
    described = struct.pack(">6xHHHIHHHHI", 1, 0, 0, 0, 1, 16, 0, 0, rate << 16)
    table = atom(
        b"stbl",
        atom(b"stsd", full, struct.pack(">I", 1), atom(entry, described)),
        atom(b"stts", full, struct.pack(">III", 1, count, 1)),
        atom(b"stsc", full, struct.pack(">IIII", 1, 1, count, 1)),
        atom(b"stsz", full, struct.pack(">II", 2, count)),
        atom(b"stco", full, struct.pack(">II", 1, 0)),
    )
    data = atom(b"dinf", atom(b"dref", full, struct.pack(">I", 1), references))
    handler = atom(b"hdlr", full, b"mhlrsoun", b"\0" * 12, b"\0")
    times = struct.pack(">IIII", 0, 0, rate, count)
    media = atom(
        b"mdia",
        atom(b"mdhd", full, times, b"\0" * 4),
        handler,
        atom(b"minf", atom(b"smhd", full, b"\0" * 4), data, table),
    )
    matrix = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    track = atom(
        b"tkhd", b"\0\0\0\7", struct.pack(">IIIII", 0, 0, 1, 0, count), b"\0" * 16, matrix, b"\0" * 8
    )
    movie = atom(b"mvhd", full, times, struct.pack(">IH10x", 1 << 16, 256), matrix, b"\0" * 24, b"\0\0\0\2")
    return atom(b"moov", movie, atom(b"trak", track, media))
