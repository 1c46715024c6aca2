"""Files that are no video, or none that can be heard, and what the owner must be told."""

import gzip
import io
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.corpus.boxes import atom, wav
from tests.corpus.ffmpeg import PICTURE, run, sound
from tests.corpus.hostile import Bait, Hostile, content

KEY = "0123456789abcdef0123456789abcdef"


def _made(extension: str, *arguments: str) -> Callable[[Bait, Path], bytes]:
    def make(_: Bait, folder: Path) -> bytes:
        file = folder / f"made.{extension}"
        run(*arguments, file)
        return file.read_bytes()

    return make


def _zip(names: tuple[str, ...]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 999)
    return whole.getvalue()


def _tar() -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../etc/passwd"))
    return whole.getvalue()


ELF = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(4096)
PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(4096)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
FONT = b"\0\1\0\0\0\1\0\x10" + bytes(200)
MIDI = b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0"
CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)
CLASS = b"\xca\xfe\xba\xbe\0\0\0\x3d" + bytes(500)

PICTURES = (*PICTURE, "-t", "1")
JUNK = (
    Hostile("nothing", content(b""), "empty_file"),
    Hostile("one byte", content(b"x"), "not_media"),
    Hostile("a MiB of zeros", content(bytes(1024 * 1024)), "not_media"),
    Hostile("random bytes", content(random.Random(7).randbytes(100_000)), "not_media"),  # noqa: S311 - no secret
    Hostile("text", content(b"Dear converter,\nplease find attached nothing.\n" * 99), "not_media"),
    Hostile("text in UTF-16", content("A letter.\n".encode("utf-16") * 99), "not_media"),
    Hostile("JSON", content(b'{"video": true}'), "not_media"),
    Hostile("XML", content(b'<?xml version="1.0"?><video/>'), "not_media"),
    Hostile("shell script", content(b"#!/bin/sh\ntouch /tmp/executed\n"), "not_media"),
    Hostile("ZIP", content(_zip(("talk.mp4",))), "not_media"),
    Hostile("Word document", content(_zip(("[Content_Types].xml", "word/document.xml"))), "not_media"),
    Hostile("tar", content(_tar()), "not_media"),
    Hostile("gzip", content(gzip.compress(b"x" * 9999, mtime=0)), "not_media"),
    Hostile("PDF", content(PDF), "not_media"),
    Hostile("PNG", _made("png", *PICTURES, "-frames:v", "1"), "not_media"),
    Hostile("JPEG", _made("jpg", *PICTURES, "-frames:v", "1"), "not_media"),
    Hostile("GIF", _made("gif", *PICTURES), "not_media"),
    Hostile("WebP", _made("webp", *PICTURES), "not_media"),
    Hostile("program for Linux", content(ELF), "not_media"),
    Hostile("program for Windows", content(PE), "not_media", "video.exe"),
    Hostile("program for Java", content(CLASS), "not_media"),
    Hostile("Office document", content(CFB), "not_media"),
    Hostile("font", content(FONT), "not_media"),
    Hostile("MIDI", content(MIDI), "unsupported_container", "song.mid"),
    Hostile("subtitles", content(b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n"), "not_media"),
    Hostile("raw video", _made("h264", *PICTURES, "-c:v", "libx264"), "unsupported_container"),
    Hostile("NUT", _made("nut", *sound(), "-c:a", "pcm_s16le"), "unsupported_container"),
    Hostile("Sun audio", _made("au", *sound()), "unsupported_container", "song.au"),
    Hostile("True Audio in Matroska", _made("mka", *sound(), "-c:a", "tta"), "unsupported_codec", "song.mka"),
    Hostile("video without sound", _made("mp4", *PICTURES), "no_audio_track"),
    Hostile("Matroska without sound", _made("mkv", *PICTURES), "no_audio_track", "video.mkv"),
    Hostile("WAV without a sample", content(wav(b"")), "empty_audio", "song.wav"),
    Hostile("MP4 header alone", content(atom(b"ftyp", b"isom\0\0\2\0isom")), "unreadable_media"),
    Hostile(
        "encrypted MP4",
        _made(
            "mp4",
            *sound(),
            *("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY),
        ),
        "drm_protected",
    ),
)
