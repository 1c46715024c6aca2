"""Run ffmpeg on a stranger's file so that nothing but that file can be read, within limits.

The file is ffmpeg's standard input and the MP3 its standard output: ffmpeg opens no path at all, and
the only protocol that the input may use is the descriptor it was given.  Formats and decoders are by
allow-list; there is no decoder of pictures.  The environment tells nothing, the session is its own, and
processor time, memory, file size and open files are limited.
"""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from converter import errors, ffmpeg
from converter.errors import ConversionFailed
from converter.limits import Limits

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,mpegts,mpeg,asf,ogg,wav,w64,aiff,caf,"
    "mp3,aac,loas,ac3,eac3,dts,flac,amr,mxf,dv"
)
DECODERS = (
    "aac,aac_latm,mp1float,mp2float,mp3float,mp1,mp2,mp3,opus,libopus,vorbis,libvorbis,flac,alac,"
    "ac3,eac3,dca,truehd,mlp,wmav1,wmav2,wmapro,wmalossless,wmavoice,amrnb,amrwb,libopencore_amrnb,"
    "libopencore_amrwb,speex,libspeex,gsm,gsm_ms,nellymoser,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_swf,adpcm_yamaha,"
    "pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_mulaw,pcm_alaw,pcm_bluray,pcm_dvd,pcm_s16le_planar"
)
CODECS = {*DECODERS.replace("mp1float,mp2float,mp3float,", "").split(","), "amr_nb", "amr_wb", "dts"}
"""The codings that can be read, by ffmpeg's names of codings, most of which decoders share."""
ALLOWED = ("-format_whitelist", FORMATS, "-codec_whitelist", DECODERS)
INPUT = ("-protocol_whitelist", "fd", *ALLOWED, "-i", "fd:")
"""The arguments that open the file; options of the input go before them."""
OUTPUT = "fd:"
SAMPLES = "f32le"
"""The form in which one ffmpeg hands decoded sound to another."""

ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""Else each thread of ffmpeg reserves 64 MiB of its limited address space, and uses little of it."""

LOOK_SECONDS = 0.1
"""How often a running ffmpeg is looked at when it says nothing."""
READ_BYTES = 64 * 1024
MAX_LINE = 4096
WRAPPERS = ("setpriv: ", "prlimit: ")
"""How the words of those begin that become ffmpeg."""

OnLine = Callable[[str], None]
"""Takes a line of ffmpeg's log; bytes that are not UTF-8 are surrogates in it (PEP 383)."""
OnTime = Callable[[float], None]
"""Takes the seconds of output so far."""


def piece(begin: int, end: int) -> tuple[str, ...]:
    """Return the arguments that open some bytes of the file as if there were no others."""
    return ("-protocol_whitelist", "subfile,fd", *ALLOWED, "-i", f"subfile,,start,{begin},end,{end},,:fd:")


def samples(descriptor: int, sample_rate: int, layout: str) -> tuple[str, ...]:
    """Return the arguments that open decoded sound which comes through a descriptor."""
    only = ("-format_whitelist", SAMPLES, "-codec_whitelist", f"pcm_{SAMPLES}")
    shape = ("-f", SAMPLES, "-sample_rate", str(sample_rate), "-ch_layout", layout)
    return ("-protocol_whitelist", "fd", *only, *shape, "-fd", str(descriptor), "-i", "fd:")


def run(  # noqa: PLR0913 - one call is one run of ffmpeg, and says all about it
    arguments: Sequence[str],
    *,
    video: Path,
    output: Path | None = None,
    shared: Sequence[int] = (),
    limits: Limits,
    stop: threading.Event,
    on_line: OnLine,
    on_time: OnTime = lambda _: None,
) -> int:
    """Run ffmpeg with these arguments and return its exit status.

    `shared` are descriptors that it gets under their own numbers.

    Raises:
        Cancelled: `stop` was set; ffmpeg is gone.
        ConversionFailed: it stalled, crashed or went beyond a limit; ffmpeg is gone.
        NotRun: the machine lets nobody set these limits.
    """

    def read(line: str) -> None:
        if line.startswith(WRAPPERS):
            raise NotRun(line)
        on_line(line)

    with ExitStack() as until:
        source = until.enter_context(video.open("rb"))
        sink = subprocess.DEVNULL if output is None else until.enter_context(output.open("wb"))
        news, told = os.pipe()
        progress = until.enter_context(os.fdopen(news, "rb", buffering=0))
        with os.fdopen(told, "wb"):
            process = subprocess.Popen(  # noqa: S603 - a list of our own, no path of a stranger's in it
                _command(arguments, told, limits),
                stdin=source,
                stdout=sink,
                stderr=subprocess.PIPE,
                pass_fds=(told, *shared),
                env=ENVIRONMENT,
                cwd="/",
                bufsize=0,
                start_new_session=True,
            )
        until.callback(_end, process)
        log = until.enter_context(cast("IO[bytes]", process.stderr))
        _follow(log, progress, _Watch(limits, stop, read, on_time))
        status = process.wait(limits.stall_seconds)
    if status < 0:
        raise _killed(-status, limits)
    return status


class NotRun(Exception):
    """What should have become ffmpeg did not: that says nothing about the video."""


def _killed(number: int, limits: Limits) -> ConversionFailed:
    """Return the error for an ffmpeg that a signal ended: that says nothing about the video."""
    if number == signal.SIGXFSZ:
        return errors.too_large(limits.mp3_bytes)
    return errors.crashed(signal.Signals(number).name)


def _command(arguments: Sequence[str], told: int, limits: Limits) -> list[str]:
    """Return the whole command: util-linux sets what holds for the process, then becomes ffmpeg.

    It is done there because code between fork and exec is not safe in a process with threads.
    """
    return [
        *("setpriv", "--no-new-privs", "--pdeathsig=KILL"),
        "prlimit",
        "--core=0",
        f"--cpu={limits.cpu_seconds}",
        f"--as={limits.memory_bytes}",
        f"--fsize={limits.mp3_bytes}",
        f"--nofile={limits.open_files}",
        "--",
        *(ffmpeg.BINARY, "-hide_banner", "-nostats", "-progress", f"pipe:{told}"),
        *arguments,
    ]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group, unless it ended by itself, and leave no zombie."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _follow(log: IO[bytes], progress: IO[bytes], watch: "_Watch") -> None:
    """Read both pipes to their ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(log, selectors.EVENT_READ, _Lines(watch.on_line))
        selector.register(progress, selectors.EVENT_READ, _Lines(watch.on_progress))
        while selector.get_map():
            for key, _ in selector.select(LOOK_SECONDS):
                data = os.read(key.fd, READ_BYTES)
                key.data.feed(data)
                if not data:
                    selector.unregister(key.fileobj)
            watch.look()


class _Watch:
    """Notices that the work should end, or gets no further."""

    def __init__(self, limits: Limits, stop: threading.Event, on_line: OnLine, on_time: OnTime) -> None:
        self.on_line = on_line
        self._limits = limits
        self._stop = stop
        self._on_time = on_time
        self._at = 0.0
        self._moved = time.monotonic()

    def on_progress(self, line: str) -> None:
        """Take a line of ffmpeg's `-progress`."""
        name, _, value = line.partition("=")
        if name == "out_time_us" and value.isdigit():
            seconds = int(value) / 1e6
            if seconds > self._at:
                self._at = seconds
                self._moved = time.monotonic()
                self._on_time(seconds)

    def look(self) -> None:
        """Raise what ends the work early."""
        if self._stop.is_set():
            raise errors.Cancelled
        if time.monotonic() - self._moved > self._limits.stall_seconds:
            raise errors.stalled(self._limits.stall_seconds)


class _Lines:
    """Makes lines of pieces; of a line that is too long only the beginning."""

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece; an empty one says that there is no more."""
        *whole, rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[:MAX_LINE]
        if not data and self._rest:
            whole, self._rest = [*whole, self._rest], b""
        for line in whole:
            if line:
                self._on_line(line[:MAX_LINE].decode("utf-8", "surrogateescape"))
