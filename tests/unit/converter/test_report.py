"""What ffmpeg says of its work is understood."""

import pytest

from converter.encoder import why_failed
from converter.errors import ConversionFailed
from converter.limits import Limits
from converter.report import SILENT, Loudness, Report

SUMMARY = """\
[Parsed_ebur128_0 @ 0x7fb7] [info] Summary:

  Integrated loudness:
    I:         {integrated} LUFS
    Threshold: -44.4 LUFS

  Loudness range:
    LRA:         3.1 LU
    Threshold: -53.8 LUFS
    LRA low:   -35.9 LUFS
    LRA high:  -32.8 LUFS

  True peak:
    Peak:      {peak} dBFS
"""


def report(*lines: str) -> Report:
    read = Report()
    for line in lines:
        read.read(line)
    return read


def test_samples_bytes_and_errors_are_counted() -> None:
    read = report(
        "[in#0/mov @ 0x5] [verbose]   Input stream #0:1 (audio): 249 packets read (255526 bytes); "
        "249 frames decoded; 3 decode errors (254976 samples); ",
        "[out#0/mp3 @ 0x5] [verbose]   Output stream #0:0 (audio): 222 frames encoded (254976 samples); "
        "223 packets muxed (115104 bytes); ",
    )

    assert (read.source_bytes, read.decoded_samples, read.decode_errors) == (255526, 254976, 3)
    assert (read.samples, read.mp3_bytes) == (254976, 115104)
    assert read.bitrate(48000) == pytest.approx(172.1, abs=0.1)


def test_what_a_title_says_is_not_said_by_ffmpeg() -> None:
    title = "[in#0/mp3 @ 0x5] [error] Error during demuxing"
    read = report(
        "[info]     title           : adding 480000 audio samples of silence",
        "[info]     artist          : discarding 480000 audio samples, timestamp discontinuity",
        f"[info]     comment         : {title}",
        f"                    : {title}",
    )

    assert (read.problems, read.fills, read.drops, read.jumps) == (0, [], [], 0)


def test_a_copy_has_the_samples_that_were_decoded() -> None:
    read = report(
        "[in#0/mp3 @ 0x5] [verbose]   Input stream #0:0 (audio): 691 packets read (156370 bytes); "
        "691 frames decoded; 0 decode errors (796032 samples); ",
        "[out#0/mp3 @ 0x5] [verbose]   Output stream #0:0 (audio): 691 packets muxed (156370 bytes); ",
    )

    assert (read.samples, read.mp3_bytes) == (796032, 156370)
    assert read.bitrate(44100) == pytest.approx(69.3, abs=0.1)


def test_a_line_of_another_thread_in_the_midst_of_the_summary_spoils_neither() -> None:
    """The filter writes the end of its last line by itself, after whatever came in between."""
    *lines, peak = SUMMARY.format(integrated="-34.0", peak="-10.7").splitlines()

    read = report(*lines, f"{peak}[out#0/mp3 @ 0x5] [error] Error writing trailer")

    assert read.loudness == Loudness(-34.0, 3.1, -10.7)
    assert (read.problems, read.said) == (1, "Error writing trailer")


METER = "[Parsed_ebur128_0 @ 0x7f] [verbose] t: 10.8  TARGET:-23 LUFS    M: -16.2 S: -16.8     I: -16.8 LUFS"
"""The beginning of the meter's line, as far as it is written in one piece but for its last word."""


@pytest.mark.parametrize(
    "pieces",
    [
        ("       LRA:   0.0 LU", "  SPK: -10.5  -9.0 dBFS"),
        ("       LRA:   0.0 LU  SPK:", " -10.5  -9.0 dBFS"),
        ("       LRA:   0.0 LU  SPK: -10.5", "  -9.0 dBFS"),
        ("       LRA:   0.0 LU  SPK: -10.5  -9.0", " dBFS"),
        ("       LRA:   0.0 LU  SPK: -10.5  -9.0 dBFS", ""),
        ("       LRA:   0.0 LU  FTPK:  -inf  -9.2", " dBFS  TPK:  -inf  -9.0 dBFS"),
        ("       LRA:   0.0 LU  FTPK:  -inf  -9.2 dBFS  TPK:", "  -inf  -9.0 dBFS"),
    ],
)
def test_what_is_said_in_the_midst_of_a_line_of_the_meter_counts(pieces: tuple[str, str]) -> None:
    before = f"{METER}       LRA:   0.0 LU  SPK: -11.0  -9.5 dBFS"
    begin, end = pieces

    read = report(
        before, f"{METER}{begin}File ended prematurely", f"[Parsed_ebur128_0 @ 0x7f] [verbose]{end}"
    )

    assert (read.problems, read.breaks, read.said) == (1, 1, "File ended prematurely")
    assert read.heard_peaks in ([-11.0, -9.5], [-10.5, -9.0])  # at the end of the line before, or of this one


def test_a_title_that_reads_like_a_problem_is_none() -> None:
    read = report("[info]     title           : a partial file that ended prematurely: Error during demuxing")

    assert (read.problems, read.said) == (0, "")


def test_the_meters_last_line_knows_the_peaks() -> None:
    lines = [
        f"{METER}       LRA:   0.0 LU  {peaks}"
        for peaks in ("SPK: -11.0  -9.5 dBFS", "SPK:  -inf  -9.0 dBFS")
    ]

    assert report(*lines).heard_peaks == [SILENT, -9.0]
    assert report(f"{METER}       LRA:   0.0 LU  FTPK: -9.1 dBFS  TPK: -9.0 dBFS").heard_peaks == [-9.0]
    assert report().heard_peaks == []


def test_loudness_is_read() -> None:
    read = report(*SUMMARY.format(integrated="-34.0", peak="-10.7").splitlines())

    assert read.loudness == Loudness(-34.0, 3.1, -10.7)


@pytest.mark.parametrize("nothing", ["-inf", "nan", "-nan"])
def test_what_is_no_number_is_silence(nothing: str) -> None:
    read = report(*SUMMARY.format(integrated=nothing, peak=nothing).splitlines())

    assert read.loudness == Loudness(SILENT, 3.1, SILENT)


def test_without_a_measurement_there_is_no_loudness() -> None:
    assert report("[info]     I               : -3 LUFS").loudness is None
    assert report().bitrate(48000) == 0


def test_the_last_problems_are_kept_and_all_are_counted() -> None:
    read = report(*(f"[dec:aac @ 0x1] [error] number {n}" for n in range(1000)))

    assert read.problems == 1000
    assert read.said.splitlines() == [f"number {n}" for n in range(950, 1000)]


def test_a_decoder_of_pictures_that_is_missing_is_no_problem() -> None:
    read = report("[h264 @ 0x5] [error] Codec (h264) not on whitelist 'aac,mp3'")

    assert (read.problems, read.refused) == (0, {"h264"})


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["[out#0/mp3 @ 0x5] [error] Error writing trailer: File too large"], "too_large"),
        (["[out#0/mp3 @ 0x5] [error] Error muxing a packet: No space left on device"], "out_of_space"),
        (["[tta @ 0x5] [error] Codec (tta) not on whitelist 'aac,mp3'"], "unsupported_codec"),
        (
            ["[aist#0:0 @ 0x5] [fatal] Decoding requested, but no decoder found"],
            "unsupported_codec",
        ),
        (["[aist#0:0 @ 0x5] [error] Error while opening decoder: Invalid argument"], "unreadable_media"),
        (["[in#0/mov @ 0x5] [error] Error during demuxing: Cannot allocate memory"], "unreadable_media"),
        (["[enc @ 0x5] [error] Could not open encoder before EOF"], "empty_audio"),
    ],
    ids=["size", "space", "not allowed", "unknown", "decoder", "memory", "nothing"],
)
def test_a_failure_has_the_reason_that_ffmpeg_gave(lines: list[str], code: str) -> None:
    failed: ConversionFailed = why_failed(report(*lines), "tta", Limits())

    assert failed.code == code
