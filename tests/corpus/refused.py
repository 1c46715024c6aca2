"""A file for each reason why nothing can be made of it, and what its owner has to be told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.corpus.ffmpeg import PICTURE, run, sound


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, the code of its error, and words that its message must have."""

    name: str
    make: Callable[[Path], bytes]
    code: str
    words: str
    asked: Mapping[str, str] = field(default_factory=dict)


VIDEO = (*sound(), *PICTURE, "-map", "1", "-map", "0", "-t", "3", "-c:v", "mpeg4")
MP4 = (*VIDEO, "-c:a", "aac")
FRAGMENTED = (*MP4, "-movflags", "frag_keyframe+empty_moov+default_base_moof")


def _made(name: str, *arguments: str) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        file = folder / name
        run(*arguments, file)
        return file.read_bytes()

    return make


def _without_index(folder: Path) -> bytes:
    whole = _made("whole.mp4", *MP4)(folder)
    return whole[: whole.rindex(b"moov") - 4]


def _room_for_index(folder: Path) -> bytes:
    """A recorder that reserved space and was switched off."""
    return _without_index(folder) + bytes(100_000)


def _segment(folder: Path) -> bytes:
    whole = _made("whole.mp4", *FRAGMENTED)(folder)
    return b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix" + whole[whole.index(b"moof") - 4 :]


def _head_alone(folder: Path) -> bytes:
    whole = _made("whole.mp4", *FRAGMENTED)(folder)
    return whole[: whole.index(b"moof") - 4]


def _nameless(folder: Path) -> bytes:
    whole = _made("whole.mp4", *VIDEO, "-c:a", "eac3")(folder)
    return whole.replace(b"ec-3", b"ec+3")


def _unknown(folder: Path) -> bytes:
    return _made("whole.mka", *sound(), "-c:a", "libopus")(folder).replace(b"A_OPUS", b"A_SONG")


def _noise_for_sound(folder: Path) -> bytes:
    whole = bytearray(_made("whole.m4a", *sound(), "-c:a", "aac", "-movflags", "faststart")(folder))
    begin = whole.index(b"mdat") + 4
    whole[begin:] = b"\xff" * (len(whole) - begin)
    return bytes(whole)


REFUSED = (
    Refused("nothing", lambda _: b"", "empty_file", "empty"),
    Refused("a letter", lambda _: b"Dear converter,\n" * 20, "not_media", "text"),
    Refused("RealMedia", lambda _: b".RMF\0\0\0\x12" + bytes(5000), "unsupported_container", "RealMedia"),
    Refused("Sun audio", _made("old.au", *sound()), "unsupported_container", "AU"),
    Refused("WavPack", _made("song.wv", *sound()), "unsupported_container", "WavPack"),
    Refused("True Audio", _made("song.tta", *sound()), "unsupported_container", "True Audio"),
    Refused("NUT", _made("video.nut", *VIDEO), "unsupported_container", "NUT"),
    Refused("G.726", _made("dash.avi", *sound("mono", 8000), "-c:a", "g726"), "unsupported_codec", "g726"),
    Refused("G.722", _made("call.mov", *sound("mono", 16000), "-c:a", "g722"), "unsupported_codec", "g722"),
    Refused("a coding without a name", _nameless, "unsupported_codec", "ec+3"),
    Refused("a codec ID without a meaning", _unknown, "unsupported_codec", "in an unknown way"),
    Refused("no index", _without_index, "unreadable_media", "no index"),
    Refused("room for an index", _room_for_index, "unreadable_media", "no index"),
    Refused("a segment of a stream", _segment, "unreadable_media", "one segment"),
    Refused("noise for sound", _noise_for_sound, "unreadable_media", "damaged"),
    Refused("pictures only", _made("mute.mp4", *PICTURE, "-t", "1"), "no_audio_track", "no audio track"),
    Refused("the head of a stream", _head_alone, "empty_audio", "empty"),
    Refused("a part behind the end", _made("talk.mp4", *MP4), "empty_audio", "after 60 s", {"start": "60"}),
    Refused("a track that is not there", _made("talk.mp4", *MP4), "no_such_track", "'2'", {"track": "2"}),
    Refused("a right ear that is not there", _made("a.mp4", *MP4), "no_such_track", "'9'", {"track": "1+9"}),
)
