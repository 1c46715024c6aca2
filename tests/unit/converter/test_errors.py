"""A full disk is told apart from everything else."""

import errno
from pathlib import Path

import pytest
from mutagen import MutagenError

from converter import tags
from converter.errors import ConversionFailed, crashed, of_a_full_disk
from converter.metadata import Metadata


def test_a_full_disk_is_out_of_space_and_tried_again() -> None:
    with pytest.raises(ConversionFailed) as failed, of_a_full_disk():
        raise OSError(errno.ENOSPC, "No space left on device")

    assert (failed.value.code, failed.value.retryable) == ("out_of_space", True)


def test_another_fault_of_the_system_stays_what_it_is() -> None:
    with pytest.raises(PermissionError), of_a_full_disk():
        raise PermissionError("not yours")


def test_an_error_reads_as_a_sentence_and_what_to_do() -> None:
    assert str(crashed("SIGSEGV")).startswith("The conversion failed unexpectedly (SIGSEGV). Export")


def test_of_a_long_log_the_last_lines_are_kept_and_of_a_long_line_its_beginning() -> None:
    said = [f"{number} {'x' * 10_000}" for number in range(1000)]

    log = crashed("SIGSEGV").after(said).as_document()["log"]

    assert len(log) == 50
    assert log[-1].startswith("999 ")
    assert all(len(line) == 500 for line in log)


def test_a_tag_that_the_system_does_not_write_is_the_systems_error(tmp_path: Path) -> None:
    mp3 = tmp_path / "full.mp3"
    mp3.symlink_to("/dev/full")

    with pytest.raises((OSError, MutagenError)) as failed:
        tags.write(mp3, Metadata(), tags.Known(title="x", language=None, loudness=None, cover=b""))

    assert isinstance(failed.value, OSError)


def test_an_mp3_without_a_tag_gets_one(tmp_path: Path) -> None:
    mp3 = tmp_path / "bare.mp3"
    mp3.write_bytes(b"\xff\xfb\x90\x64" + bytes(413))

    known = tags.Known(title="On gifts", language="tlhx", loudness=None, cover=b"GIF89a")
    tags.write(mp3, Metadata(), known)

    assert [str(frame) for frame in tags.ID3(mp3).values()] == ["On gifts"]
