"""The command converts one file, and says what came of it by words and exit status."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mutagen.mp3 import MP3

from converter import cli
from tests.unit.converter.conftest import Make

CLIP = Path("tests/media/big_buck_bunny_5s.mp4")
TONE = ("-f", "lavfi", "-i", "sine=duration=4")


def test_a_video_becomes_an_mp3_beside_it(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = make("talk.mkv", *TONE)

    status = cli.main([str(video)])

    mp3 = tmp_path / "talk.mp3"
    assert status == 0
    assert MP3(mp3).info.length == pytest.approx(4, abs=0.1)  # type: ignore[attr-defined]  # it is untyped
    assert capsys.readouterr().out.startswith(f"{mp3}: 4.0 s, {mp3.stat().st_size} bytes, ")
    assert {path.name for path in tmp_path.iterdir()} == {"talk.mkv", "talk.mp3"}


def test_options_are_those_of_an_upload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--quality", "64", "--channels", "mono", "--sample-rate", "32000", "--end", "2", "--strict"]

    status = cli.main([str(CLIP), str(tmp_path / "talk.mp3"), *options])

    assert status == 0
    assert "2.0 s" in (said := capsys.readouterr().out)
    assert "mono, 32000 Hz" in said


def test_a_copy_is_called_so(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main([str(make("song.mp3", *TONE)), str(tmp_path / "out.mp3")])

    assert status == 0
    assert "copied" in capsys.readouterr().out


def test_a_video_that_cannot_be_converted_is_1_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "letter.mp4"
    video.write_text("Dear converter,\n" * 20)

    status = cli.main([str(video), str(tmp_path / "out.mp3")])

    said = capsys.readouterr().err
    assert status == 1
    assert "looks like text" in said
    assert "[not_media]" in said
    assert [path.name for path in tmp_path.iterdir()] == ["letter.mp4"]


def test_a_video_that_is_not_whole_is_3_and_with_strict_1(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = make("talk.wav", *TONE)
    video.write_bytes(video.read_bytes()[:100_000])

    statuses = [
        cli.main([str(video), str(tmp_path / name), *strict]) for name, *strict in (["a"], ["b", "--strict"])
    ]

    assert statuses == [3, 1]
    assert "note: The video is incomplete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--quality", "V11"], "--quality cannot be 'V11': use"),
        (["--sample-rate", "1"], "--sample-rate cannot be '1': use"),
        (["--end", "0"], "--end cannot be '0': it must be later"),
        (["--shout"], "unrecognized arguments: --shout"),
    ],
)
def test_a_wrong_option_is_2_with_what_is_allowed(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(CLIP), str(tmp_path / "out.mp3"), *arguments])

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("video", "words"),
    [
        ("no.mp4", "no.mp4: No such file or directory\n"),
        (".", ".: Is a directory\n"),
        ("", ".: Is a directory\n"),
        ("-", "-: This is not a file: download it first, or give the path of a video\n"),
        ("http://127.0.0.1/talk.mp4", "http:/127.0.0.1/talk.mp4: This is not a file: download it first"),
        ("no\x1b[31m\udcff.mp4", "no?[31m?.mp4: No such file or directory\n"),
    ],
    ids=["missing", "folder", "nothing", "standard input", "address", "odd name"],
)
def test_a_video_that_is_no_file_is_2(
    video: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    status = cli.main([video])

    said = capsys.readouterr().err
    assert status == 2
    assert said.startswith(words)
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mp3", "words"),
    [
        ("no/talk.mp3", "no: The folder does not exist or is not writable\n"),
        ("/proc/no/talk.mp3", "/proc/no: The folder does not exist or is not writable\n"),
        ("folder", "folder: Is a directory: name a file in it\n"),
    ],
)
def test_an_mp3_that_cannot_be_written_is_2_before_any_work(
    mp3: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = CLIP.resolve()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)

    status = cli.main([str(clip), mp3, "--force"])

    assert (status, capsys.readouterr().err) == (2, words)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_link_to_nothing_becomes_the_mp3(make: Make, tmp_path: Path) -> None:
    video, mp3 = make("talk.mkv", *TONE), tmp_path / "talk.mp3"
    mp3.symlink_to(tmp_path / "nowhere")

    status = cli.main([str(video)])

    assert status == 0
    assert not mp3.is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_a_song_is_not_replaced_by_its_own_copy(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = make("song.mp3", *TONE)
    whole = song.read_bytes()

    status = cli.main([str(song), "--force"])

    assert status == 2
    assert "would overwrite the video" in capsys.readouterr().err
    assert song.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["song.mp3"]


def test_an_mp3_that_exists_is_replaced_only_by_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mp3 = tmp_path / "talk.mp3"
    mp3.write_text("mine")

    refused = cli.main([str(CLIP), str(mp3)])
    kept = mp3.read_bytes()
    forced = cli.main([str(CLIP), str(mp3), "--force"])

    assert refused == 2
    assert "add --force" in capsys.readouterr().err
    assert kept == b"mine"
    assert forced == 0
    assert mp3.stat().st_size > 10_000


def test_a_name_that_a_terminal_would_obey_is_shown_without_its_tricks(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = make("talk.mkv", *TONE)

    status = cli.main([str(video), str(tmp_path / "red\x1b[31m \udcff.mp3")])

    assert status == 0
    assert "red?[31m ?.mp3: 4.0 s" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it_with_nothing_left(number: signal.Signals, make: Make, tmp_path: Path) -> None:
    video = make("long.wav", "-f", "lavfi", "-i", "anoisesrc=d=1800:r=16000")
    command = [sys.executable, "-m", "converter", str(video), str(tmp_path / "out.mp3")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(os.listdir(tmp_path)) < 2:  # noqa: PTH208 - they are counted
        assert time.monotonic() < deadline, "it did not begin"
        time.sleep(0.01)

    process.send_signal(number)

    assert process.wait(60) == 128 + number
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]


def test_the_help_says_what_one_needs_to_know() -> None:
    command = [sys.executable, "-m", "converter", "--help"]

    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert "exit status:" in said
    assert "python -m converter talk.mp4 talk.mp3" in said
    for option in ("--quality", "--track", "--start", "--end", "--loudness", "--strict"):
        assert option in said


def ffmpegs(parent: int) -> list[Path]:
    """Return the folders under /proc of a process's children that have become ffmpeg."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
        except OSError:
            continue  # it is gone
        if "(ffmpeg" in name and int(rest.split()[1]) == parent:
            found.append(status.parent)
    return found


def is_running(process: Path) -> bool:
    """Tell whether a process is more than an entry that nobody has fetched; its files are root's by then."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_ffmpeg_does_not_outlive_a_converter_that_is_killed(make: Make, tmp_path: Path) -> None:
    video = make("long.wav", "-f", "lavfi", "-i", "anoisesrc=d=1800:r=16000")
    command = [sys.executable, "-m", "converter", str(video), str(tmp_path / "out.mp3")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / f".out.mp3.{process.pid}.part").exists() or not (running := ffmpegs(process.pid)):
        assert time.monotonic() < deadline, "it did not begin"
        time.sleep(0.01)

    for ffmpeg in running:
        os.kill(int(ffmpeg.name), signal.SIGSTOP)  # it cannot come to its end by itself

    process.kill()
    process.wait(60)

    deadline = time.monotonic() + 60
    while any(is_running(ffmpeg) for ffmpeg in running):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.01)
