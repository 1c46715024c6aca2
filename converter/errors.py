"""Why a video could not be converted: a stable code, a plain sentence for its owner, and what to do.

docs/conversion.md lists the codes.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

SECONDS_AN_HOUR = 3600
BYTES_A_MB = 1_000_000
LOG_LINES, MAX_LOG_LINE = 50, 500
"""What is kept of the log."""


class Cancelled(Exception):
    """The caller does not want the result any more."""


class ConversionFailed(Exception):
    """There is no MP3 to show; `retryable` says that another attempt may have one."""

    def __init__(self, code: str, message: str, hint: str, *, retryable: bool = False) -> None:
        super().__init__(f"{message} {hint}")
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.log: tuple[str, ...] = ()
        """The last that ffmpeg said, for administrators."""

    def after(self, log: Iterable[str]) -> Self:
        """Note what ffmpeg said last, and return the error."""
        shown = (line[:MAX_LOG_LINE].encode("utf-8", "replace").decode() for line in log)
        self.log = tuple(shown)[-LOG_LINES:]
        return self

    def as_document(self) -> dict[str, Any]:
        """Return what the job's `error` says."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "log": list(self.log),
        }


def empty_file() -> ConversionFailed:
    """The file has no bytes."""
    return ConversionFailed("empty_file", "The file is empty.", "Check the file and send it again.")


def not_media(looks_like: str) -> ConversionFailed:
    """The file is something else than sound or video."""
    return ConversionFailed(
        "not_media",
        f"This is not a video: it looks like {looks_like}.",
        "Send the video itself, not a link to it, a list or an archive.",
    )


def unsupported_container(name: str | None) -> ConversionFailed:
    """The file is media in a container that is not accepted; `None` is one without a name."""
    return ConversionFailed(
        "unsupported_container",
        "This kind of media file is not supported." if name is None else f"{name} files are not supported.",
        "Export the video as MP4, MOV, MKV or WebM and send that.",
    )


def unsupported_codec(name: str) -> ConversionFailed:
    """The sound is coded in a way that is not accepted; `none` is one that has no name."""
    how = "in an unknown way" if name == "none" else f"as {name}"
    return ConversionFailed(
        "unsupported_codec",
        f"The audio is encoded {how}, which is not supported.",
        "Export the video with AAC, MP3, Opus or FLAC audio and send that.",
    )


def drm_protected() -> ConversionFailed:
    """The content is encrypted."""
    return ConversionFailed(
        "drm_protected",
        "The video is copy-protected (encrypted).",
        "Only the seller's own software can play it. Send a video without copy protection.",
    )


def unreadable_media(reason: str) -> ConversionFailed:
    """The file is of an accepted kind and too damaged to be read."""
    return ConversionFailed(
        "unreadable_media",
        f"The video is damaged and cannot be read ({reason}).",
        "Check that it plays on your computer; if it does, export it again and send that copy.",
    )


def no_index() -> ConversionFailed:
    """The index, which recorders write last, is missing."""
    return ConversionFailed(
        "unreadable_media",
        "The video has no index (moov box), so it cannot be read: the recording or the transfer was cut off.",
        "Send the whole file. If the recorder stopped early, repair the file with the recorder's own tool.",
    )


def headless() -> ConversionFailed:
    """The file is a later piece of a stream."""
    return ConversionFailed(
        "unreadable_media",
        "This is one segment of a stream, and it cannot be read without the stream's first segment.",
        "Join the initialization segment and all media segments into one file and send that.",
    )


def no_audio_track() -> ConversionFailed:
    """There are pictures only."""
    return ConversionFailed(
        "no_audio_track",
        "The video has no audio track.",
        "Send a video with sound. Check that the recorder's microphone is switched on.",
    )


def empty_audio() -> ConversionFailed:
    """There is a sound track with nothing in it."""
    return ConversionFailed(
        "empty_audio",
        "The audio track is empty.",
        "Check that you can hear it on your computer; if you can, export the video again and send that copy.",
    )


def nothing_there(start: float) -> ConversionFailed:
    """The part that was asked for begins after the sound's end."""
    return ConversionFailed(
        "empty_audio",
        f"There is no audio after {start:g} s.",
        "Choose an earlier start.",
    )


def no_such_track(asked: str, tracks: Sequence[str]) -> ConversionFailed:
    """The track that was asked for is not there."""
    return ConversionFailed(
        "no_such_track",
        f"There is no audio track {asked!r}.",
        f"Choose one of: {'; '.join(tracks)}.",
    )


def too_long(limit: float) -> ConversionFailed:
    """The sound is longer than the limit."""
    return ConversionFailed(
        "too_long",
        f"The audio is longer than the {limit / SECONDS_AN_HOUR:g} hours that are allowed.",
        "Send it in parts, or select a part with start and end.",
    )


def too_large(limit: int) -> ConversionFailed:
    """The MP3 would be larger than the limit."""
    return ConversionFailed(
        "too_large",
        f"The MP3 would be larger than the {limit / BYTES_A_MB:g} MB that are allowed.",
        "Choose a lower quality, or send the video in parts.",
    )


def input_truncated(got: float, promised: float | None) -> ConversionFailed:
    """The file is not whole, and the caller takes nothing less."""
    of = "" if promised is None else f" of {promised:.1f} s"
    return ConversionFailed(
        "input_truncated",
        f"The video is incomplete: only {got:.1f} s{of} can be read.",
        "Send the complete file again, or leave out strict to convert what can be read.",
    )


def stalled(seconds: float) -> ConversionFailed:
    """The work got no further."""
    return ConversionFailed(
        "stalled",
        f"The conversion made no progress for {seconds:g} s.",
        "Export the video again with another program and send that copy.",
        retryable=True,
    )


def crashed(reason: str) -> ConversionFailed:
    """The program that converts ended in a way that says nothing about the video."""
    return ConversionFailed(
        "converter_crashed",
        f"The conversion failed unexpectedly ({reason}).",
        "Export the video again with another program and send that copy.",
        retryable=True,
    )


def video_lost() -> ConversionFailed:
    """The store has lost the upload, or a part of it."""
    return ConversionFailed(
        "video_lost", "The uploaded video can no longer be read from storage.", "Upload it again."
    )


def out_of_space() -> ConversionFailed:
    """The disk is full."""
    return ConversionFailed(
        "out_of_space",
        "There was not enough disk space to write the MP3.",
        "Try again later.",
        retryable=True,
    )


@contextmanager
def of_a_full_disk() -> Iterator[None]:
    """Raise `out_of_space` in place of the system's error within."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise out_of_space() from error
        raise
