"""One clip in containers of every kind, cut short at many places or with bits flipped.

Those that do not say how long they are show a cut only if it falls in the middle of a piece.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.ffmpeg import PICTURE, run, sound

SECONDS = 30.0
CUTS = 20
FLIPS = (1, 20, 300)
"""Bits that are flipped in a file; seeds take turns."""
SEEDS = 100

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10")
CLIP = (*sound("mono", 22050, SECONDS), *PICTURE, "-map", "1", "-map", "0", "-t", str(SECONDS))
WHOLE = {
    "mp4": (*CLIP, *H264, "-c:a", "aac", "-movflags", "faststart"),
    "mov": (*CLIP, *H264, "-c:a", "pcm_s16le", "-movflags", "faststart"),
    "mkv": (*CLIP, *H264, "-c:a", "libvorbis"),
    "webm": (*CLIP, "-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime", "-c:a", "libopus"),
    "avi": (*CLIP, "-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "flv": (*CLIP, "-c:v", "flv", "-c:a", "libmp3lame"),
    "wmv": (*CLIP, "-c:v", "wmv2", "-c:a", "wmav2"),
    "wav": (*sound("mono", 22050, SECONDS), "-c:a", "pcm_s16le"),
    "flac": (*sound("mono", 22050, SECONDS), "-c:a", "flac"),
    "mp3": (*sound("mono", 22050, SECONDS), "-c:a", "libmp3lame"),
}
"""How each is made, whole; the MP4 has its header in front, or nothing of a cut one could be read."""
SOUND = sound("mono", 22050, SECONDS)
SPEECH = ("-c:a", "libopencore_amrnb", "-ar", "8000")
MPEG_2 = ("-r", "25", "-c:v", "mpeg2video", "-ar", "48000")
OTHERS = {
    "caf": (*SOUND, "-c:a", "pcm_s16be"),
    "aiff": (*SOUND, "-c:a", "pcm_s16be"),
    "w64": (*SOUND, "-c:a", "pcm_s16le"),
    "rf64.wav": (*SOUND, "-c:a", "pcm_s16le", "-rf64", "always"),
    "m4a": (*SOUND, "-c:a", "alac", "-movflags", "faststart"),
    "3gp": (*SOUND, *SPEECH, "-movflags", "faststart"),
    "mxf": (*CLIP, *MPEG_2, "-c:a", "pcm_s16le"),
    "fragmented.mp4": (*CLIP, *H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "ts": (*CLIP, *H264, "-c:a", "aac"),
    "m2ts": (*CLIP, *H264, "-c:a", "ac3", "-ar", "48000"),
    "mpg": (*CLIP, *MPEG_2, "-c:a", "mp2"),
    "vob": (*CLIP, *MPEG_2, "-c:a", "ac3"),
    "ogg": (*SOUND, "-c:a", "libvorbis"),
    "opus": (*SOUND, "-c:a", "libopus"),
    "ogv": (*CLIP, "-c:v", "libtheora", "-c:a", "libvorbis"),
    "live.flv": (*CLIP, "-c:v", "flv", "-c:a", "libmp3lame", "-flvflags", "no_duration_filesize"),
    "live.mkv": (*CLIP, *H264, "-c:a", "aac", "-live", "1"),
    "aac": (*SOUND, "-c:a", "aac"),
    "amr": (*SOUND, *SPEECH),
}
"""The same for containers that are rarer, or that do not say how long they are."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """One damaged file."""

    name: str
    extension: str
    content: bytes


def whole(folder: Path) -> dict[str, bytes]:
    """Return the undamaged files by their extension."""
    files = {}
    for extension, arguments in (WHOLE | OTHERS).items():
        file = folder / f"whole.{extension}"
        run(*arguments, file)
        files[extension] = file.read_bytes()
    return files


def cut(extension: str, undamaged: bytes, place: int) -> Damaged:
    """Return a file that ends at the given of the `CUTS` places.

    Its size is odd, so it never ends between two packets, whose lengths are even.
    """
    size = len(undamaged) * place // (CUTS + 1) | 1
    return Damaged(f"{extension} cut at {place}/{CUTS + 1}", extension, undamaged[:size])


def flipped(extension: str, undamaged: bytes, seed: int) -> Damaged:
    """Return a file of which bits are flipped at places that the seed chooses."""
    chance = random.Random(seed)  # noqa: S311 - the same in every run
    count = FLIPS[seed % len(FLIPS)]
    content = bytearray(undamaged)
    for _ in range(count):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return Damaged(f"{extension} with {count} bits flipped, seed {seed}", extension, bytes(content))
