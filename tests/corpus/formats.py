"""The combinations of container and codec that people have, and what an MP3 of each must be.

`python -m tests.corpus.formats` prints them as a Markdown table.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.corpus import inputs
from tests.corpus.ffmpeg import PICTURE, run, sound

MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""The sample rates that an MP3 can have."""

H264 = ("-c:v", "libx264", "-preset", "ultrafast")
STRICT = ("-strict", "experimental")


@dataclass(frozen=True, slots=True)
class Format:
    """One file: how it is made, and what of it must be in the MP3."""

    container: str
    picture: str
    """The video codec, or a dash."""
    codec: str
    """The audio codec."""
    extension: str
    arguments: tuple[str, ...] = ()
    """Of the encoders and the muxer."""
    layout: str = "stereo"
    rate: int = 48000
    peculiar: str = ""
    """What is special about it, in words."""
    inputs: tuple[str, ...] | None = None
    """In place of the usual picture and sound."""
    piped: bool = False
    """Written where the muxer cannot go back to fill the header in."""
    track: int = 0
    """Which of its audio tracks is the one to take."""
    seconds: float = 3.0

    @property
    def name(self) -> str:
        """What a test calls it."""
        picture = "" if self.picture == "-" else f"{self.picture} "
        special = f" {self.peculiar}" if self.peculiar else ""
        return f"{self.extension} {picture}{self.codec} {self.layout} {self.rate}{special}"

    @property
    def channels(self) -> int:
        """How many the MP3 must have."""
        return 1 if self.layout == "mono" else 2

    @property
    def mp3_rate(self) -> int:
        """The sample rate that the MP3 must have: the source's, or the nearest below that MP3 knows."""
        return max(rate for rate in MPEG_RATES if rate <= self.rate)

    def make(self, folder: Path) -> Path:
        """Write the file into a folder."""
        file = folder / f"clip.{self.extension}"
        heard = sound(self.layout, self.rate)
        if self.inputs is not None:
            inputs = self.inputs
        elif self.picture == "-":
            inputs = heard
        else:
            inputs = (*heard, *PICTURE, "-map", "1", "-map", "0", "-t", "3")
        if self.piped:
            file.write_bytes(run(*inputs, *self.arguments, "pipe:1"))
        else:
            run(*inputs, *self.arguments, file)
        return file


def _video(*codecs: str) -> tuple[str, ...]:
    """Return arguments from `video codec, audio codec, the rest`."""
    picture, heard, *rest = codecs
    given = H264 if picture == "h264" else ("-c:v", picture)
    return (*given, "-c:a", heard, *rest)


FORMATS = (
    Format("MP4", "H.264", "AAC", "mp4", _video("h264", "aac")),
    Format(
        "MP4", "H.264", "AAC", "mp4", _video("h264", "aac", "-movflags", "faststart"), peculiar="faststart"
    ),
    Format(
        "MP4",
        "H.264",
        "AAC",
        "mp4",
        _video("h264", "aac", "-movflags", "frag_keyframe+empty_moov", "-g", "5"),
        peculiar="fragmented",
    ),
    Format("MP4", "H.264", "AAC", "mp4", _video("h264", "aac"), "5.1"),
    Format("MP4", "H.264", "AAC", "mp4", _video("h264", "aac"), "7.1"),
    Format("MP4", "H.264", "AAC", "mp4", _video("h264", "aac"), "mono", 22050),
    Format("MP4", "H.264", "AAC", "mp4", _video("h264", "aac"), "stereo", 32000),
    Format(
        "MP4",
        "H.264",
        "AAC",
        "mp4",
        _video("h264", "aac"),
        peculiar="two languages",
        inputs=inputs.two_tracks(),
        track=1,
    ),
    Format(
        "MP4", "H.264", "AAC", "mp4", _video("h264", "aac"), peculiar="late sound", inputs=inputs.late_sound()
    ),
    Format("MP4", "H.264", "AAC", "mp4", _video("h264", "aac"), peculiar="edit list", inputs=inputs.cut()),
    Format(
        "MP4",
        "H.264",
        "AAC",
        "mp4",
        _video("h264", "aac"),
        peculiar="short sound",
        inputs=inputs.short_sound(),
    ),
    Format("MP4", "H.265", "AC-3", "mp4", _video("libx265", "ac3", "-x265-params", "log-level=none"), "5.1"),
    Format("MP4", "AV1", "Opus", "mp4", _video("libsvtav1", "libopus", "-svtav1-params", "preset=12")),
    Format("MP4", "MPEG-4", "MP3", "mp4", _video("mpeg4", "libmp3lame"), "stereo", 44100),
    Format("MP4", "MPEG-4", "E-AC-3", "mp4", _video("mpeg4", "eac3"), "5.1"),
    Format("MP4", "MPEG-4", "FLAC", "mp4", _video("mpeg4", "flac", *STRICT)),
    Format(
        "MP4",
        "H.264",
        "AAC",
        "mp4",
        _video("h264", "aac"),
        peculiar="two tracks",
        inputs=inputs.screen_recording(),
    ),
    Format(
        "MP4", "H.264", "AAC", "mp4", _video("h264", "aac", "-timecode", "10:00:00:00"), peculiar="time code"
    ),
    Format(
        "MP4",
        "H.264",
        "AAC",
        "mp4",
        _video("h264", "aac", "-c:s", "mov_text"),
        peculiar="subtitles",
        inputs=inputs.subtitled(),
    ),
    Format("M4V", "H.264", "AAC", "m4v", _video("h264", "aac")),
    Format("M4A", "-", "AAC", "m4a", ("-c:a", "aac"), "stereo", 44100),
    Format("M4A", "-", "AAC", "m4a", ("-c:a", "aac"), "mono"),
    Format(
        "M4B",
        "-",
        "AAC",
        "m4b",
        _video("mjpeg", "aac", "-f", "ipod"),
        peculiar="cover, chapters",
        inputs=inputs.book(),
    ),
    Format("M4A", "-", "ALAC", "m4a", ("-c:a", "alac"), "stereo", 44100),
    Format(
        "QuickTime",
        "H.265",
        "AAC",
        "mov",
        _video("libx265", "aac", "-x265-params", "log-level=none", "-tag:v", "hvc1"),
        peculiar="two tracks",
        inputs=inputs.screen_recording(),
    ),
    Format("QuickTime", "H.264", "PCM", "mov", _video("h264", "pcm_s16le")),
    Format("QuickTime", "ProRes", "PCM", "mov", _video("prores", "pcm_s24le"), "5.1"),
    Format("QuickTime", "Motion JPEG", "mu-law", "mov", _video("mjpeg", "pcm_mulaw"), "mono", 8000),
    Format("QuickTime", "MPEG-4", "ALAC", "mov", _video("mpeg4", "alac"), "stereo", 96000),
    Format("QuickTime", "MPEG-4", "IMA ADPCM", "mov", _video("mpeg4", "adpcm_ima_qt")),
    Format(
        "3GP", "H.263", "AMR-NB", "3gp", _video("h263", "libopencore_amrnb", "-s", "128x96"), "mono", 8000
    ),
    Format("3GP", "MPEG-4", "AAC", "3gp", _video("mpeg4", "aac"), "mono", 16000),
    Format("3G2", "MPEG-4", "AAC", "3g2", _video("mpeg4", "aac"), "mono", 11025),
    Format("Matroska", "H.264", "AAC", "mkv", _video("h264", "aac")),
    Format(
        "Matroska",
        "H.264",
        "AAC",
        "mkv",
        _video("h264", "aac"),
        peculiar="uneven frames",
        inputs=inputs.uneven_frames(),
    ),
    Format(
        "Matroska",
        "H.264",
        "AAC",
        "mkv",
        _video("h264", "aac"),
        peculiar="two languages",
        inputs=inputs.two_tracks(),
        track=1,
    ),
    Format(
        "Matroska",
        "H.264",
        "AAC",
        "mkv",
        _video("h264", "aac", "-f", "matroska"),
        peculiar="no duration",
        piped=True,
    ),
    Format(
        "Matroska",
        "H.264",
        "AAC",
        "mkv",
        _video("h264", "aac", "-c:s", "srt"),
        peculiar="subtitles",
        inputs=inputs.subtitled(),
    ),
    Format("Matroska", "H.264", "AC-3", "mkv", _video("h264", "ac3"), "5.1"),
    Format("Matroska", "H.264", "DTS", "mkv", _video("h264", "dca", *STRICT), "5.1"),
    Format("Matroska", "H.264", "FLAC", "mkv", _video("h264", "flac"), "7.1"),
    Format("Matroska", "H.264", "TrueHD", "mkv", _video("h264", "truehd", *STRICT), "5.1"),
    Format("Matroska", "H.264", "Opus", "mkv", _video("h264", "libopus"), "7.1"),
    Format("Matroska", "H.264", "Vorbis", "mkv", _video("h264", "libvorbis"), "5.1"),
    Format("Matroska", "H.264", "MP2", "mkv", _video("h264", "mp2")),
    Format("Matroska", "H.264", "PCM", "mkv", _video("h264", "pcm_s24le"), "stereo", 88200),
    Format("Matroska audio", "-", "Opus", "mka", ("-c:a", "libopus")),
    Format("WebM", "VP8", "Vorbis", "webm", _video("libvpx", "libvorbis"), "stereo", 44100),
    Format("WebM", "AV1", "Opus", "webm", _video("libsvtav1", "libopus", "-svtav1-params", "preset=12")),
    Format("WebM", "VP9", "Opus", "webm", _video("libvpx-vp9", "libopus")),
    Format(
        "WebM",
        "VP8",
        "Opus",
        "webm",
        _video("libvpx", "libopus", "-f", "webm"),
        "mono",
        peculiar="no duration",
        piped=True,
    ),
    Format("AVI", "MPEG-4", "MP3", "avi", _video("mpeg4", "libmp3lame")),
    Format("AVI", "MPEG-4", "AC-3", "avi", _video("mpeg4", "ac3"), "5.1"),
    Format("AVI", "Motion JPEG", "PCM", "avi", _video("mjpeg", "pcm_s16le"), "mono", 11025),
    Format("AVI", "MS-MPEG-4", "MS ADPCM", "avi", _video("msmpeg4", "adpcm_ms"), "stereo", 22050),
    Format("Flash video", "H.264", "AAC", "flv", _video("h264", "aac")),
    Format("Flash video", "Sorenson", "MP3", "flv", _video("flv", "libmp3lame"), "stereo", 44100),
    Format("Flash video", "Sorenson", "Nellymoser", "flv", _video("flv", "nellymoser"), "mono", 22050),
    Format(
        "Flash video",
        "Sorenson",
        "Flash ADPCM",
        "flv",
        _video("flv", "adpcm_swf"),
        "mono",
        22050,
        seconds=3.16,
    ),
    Format(
        "Flash video",
        "H.264",
        "AAC",
        "flv",
        _video("h264", "aac", "-flvflags", "no_duration_filesize"),
        peculiar="no duration",
    ),
    Format("MPEG-TS", "H.264", "AAC", "ts", _video("h264", "aac")),
    Format("MPEG-TS", "MPEG-2", "MP2", "ts", _video("mpeg2video", "mp2", "-r", "25")),
    Format("MPEG-TS", "MPEG-2", "AC-3", "ts", _video("mpeg2video", "ac3", "-r", "25"), "5.1"),
    Format("MPEG-TS", "H.264", "LATM AAC", "ts", _video("h264", "aac", "-mpegts_flags", "latm")),
    Format("Blu-ray TS", "H.264", "AC-3", "m2ts", _video("h264", "ac3"), "5.1"),
    Format("Blu-ray TS", "H.264", "PCM", "m2ts", _video("h264", "pcm_bluray")),
    Format("AVCHD", "H.264", "AC-3", "mts", _video("h264", "ac3", "-mpegts_m2ts_mode", "1")),
    Format("MPEG-PS", "MPEG-1", "MP2", "mpg", _video("mpeg1video", "mp2", "-r", "25"), "stereo", 44100),
    Format("DVD VOB", "MPEG-2", "AC-3", "vob", _video("mpeg2video", "ac3", "-r", "25"), "5.1"),
    Format("DVD VOB", "MPEG-2", "PCM", "vob", _video("mpeg2video", "pcm_dvd", "-r", "25")),
    Format("Windows Media", "WMV 8", "WMA 2", "wmv", _video("wmv2", "wmav2"), "stereo", 44100),
    Format("Windows Media", "-", "WMA 1", "wma", ("-c:a", "wmav1"), "stereo", 44100),
    Format("Ogg", "Theora", "Vorbis", "ogv", _video("libtheora", "libvorbis"), "stereo", 44100),
    Format("Ogg", "-", "Vorbis", "ogg", ("-c:a", "libvorbis"), "mono", 16000),
    Format("Ogg", "-", "Opus", "opus", ("-c:a", "libopus")),
    Format("Ogg", "-", "Opus", "ogg", ("-c:a", "libopus", "-b:a", "16k"), "mono"),
    Format("Ogg", "-", "FLAC", "oga", ("-c:a", "flac")),
    Format("WAV", "-", "PCM", "wav", ("-c:a", "pcm_s16le"), "stereo", 44100),
    Format("WAV", "-", "PCM", "wav", ("-c:a", "pcm_u8"), "mono", 8000),
    Format("WAV", "-", "PCM", "wav", ("-c:a", "pcm_s24le"), "stereo", 96000),
    Format("WAV", "-", "PCM", "wav", ("-c:a", "pcm_f32le"), "7.1"),
    Format("WAV", "-", "PCM", "wav", ("-c:a", "pcm_f32le"), "stereo", 44100, "floating point"),
    Format("WAV", "-", "PCM", "wav", ("-c:a", "pcm_s16le", "-rf64", "always"), peculiar="RF64"),
    Format("WAV", "-", "PCM", "wav", ("-c:a", "pcm_s16le", "-f", "wav"), peculiar="no duration", piped=True),
    Format("WAV", "-", "IMA ADPCM", "wav", ("-c:a", "adpcm_ima_wav"), "mono", 12000),
    Format("Wave64", "-", "PCM", "w64", ("-c:a", "pcm_s16le")),
    Format("AIFF", "-", "PCM", "aiff", ("-c:a", "pcm_s16be"), "stereo", 44100),
    Format("CAF", "-", "ALAC", "caf", ("-c:a", "alac"), "stereo", 44100),
    Format("CAF", "-", "PCM", "caf", ("-c:a", "pcm_s16be")),
    Format("FLAC", "-", "FLAC", "flac", ("-c:a", "flac"), "stereo", 96000),
    Format("FLAC", "-", "FLAC", "flac", ("-c:a", "flac", "-f", "flac"), peculiar="no duration", piped=True),
    Format("MP3", "-", "MP3", "mp3", ("-c:a", "libmp3lame"), "stereo", 44100),
    Format(
        "MP3",
        "-",
        "MP3",
        "mp3",
        ("-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0"),
        "mono",
        44100,
        "variable bit rate, no header",
        inputs.quiet_start(),
        seconds=18.0,
    ),
    Format("ADTS", "-", "AAC", "aac", ("-c:a", "aac")),
    Format("AMR", "-", "AMR-NB", "amr", ("-c:a", "libopencore_amrnb"), "mono", 8000),
    Format("AC-3", "-", "AC-3", "ac3", ("-c:a", "ac3"), "5.1"),
    Format("E-AC-3", "-", "E-AC-3", "eac3", ("-c:a", "eac3"), "5.1"),
    Format("DTS", "-", "DTS", "dts", ("-c:a", "dca", *STRICT), "5.1"),
    Format("MPEG audio", "-", "MP2", "mp2", ("-c:a", "mp2")),
    Format("DV", "DV", "PCM", "dv", ("-target", "pal-dv")),
    Format(
        "MXF",
        "MPEG-2",
        "PCM",
        "mxf",
        _video("mpeg2video", "pcm_s24le", "-r", "25"),
        "mono",
        peculiar="four tracks",
        inputs=inputs.many_mono(),
    ),
    Format("MXF", "MPEG-2", "PCM", "mxf", _video("mpeg2video", "pcm_s16le", "-r", "25")),
)


def table() -> str:
    """Return the corpus as Markdown."""
    lines = ["| container | video | audio | channels | rate | with |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {of.container} | {of.picture} | {of.codec} | {of.layout} | {of.rate} | {of.peculiar} |"
        for of in FORMATS
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
