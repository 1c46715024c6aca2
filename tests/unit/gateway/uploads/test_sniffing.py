"""What is certainly not a video."""

import pytest

from gateway.uploads.sniffing import HEAD_BYTES, not_media


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.4", "PDF (application/pdf)"),
        (b"PK\x03\x04" + bytes(40), "ZIP (application/zip)"),
        (b"\x7fELF\x02" + bytes(60), "ELF (application/x-executable)"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "WEBP (image/webp)"),
        (b"hello, world\n", "text"),
        (b"#EXTM3U\r\n#EXT-X-VERSION:3\r\n", "text"),
        (b"<html>", "text"),
        ("Grüße".encode(), "text"),
        (b"x" * (HEAD_BYTES - 1) + "ü".encode()[:1], "text"),
    ],
)
def test_it_is_told_what_it_looks_like(head: bytes, kind: str) -> None:
    assert not_media(head) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x00\x00\x20ftypisom",
        b"\x1aE\xdf\xa3",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"OggS\x00",
        b"ID3\x03\x00",
        b"\xff\xfb\x90\x00",
        b"G\x40\x00\x10" + b"\xff" * 184,
        b"FLV\x01\x05",
        b"a text with \xff in it",
        b"a text with \0 in it",
        b"x" * 100 + "ü".encode()[:1],
    ],
)
def test_in_doubt_it_may_be_one(head: bytes) -> None:
    assert not_media(head) is None
