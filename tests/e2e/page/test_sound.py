"""Only the sound of a video travels, and the MP3 is the same as from the whole."""

import hashlib
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest
from playwright.sync_api import expect

from tests.e2e.page.conftest import Visit, make

PICTURES = ("-f", "lavfi", "-i", "nullsrc=size=640x360:rate=25:duration=6,geq=random(1)*255:128:128")
SOUND = ("-f", "lavfi", "-i", "aevalsrc='0.4*sin(2*PI*440*t)|0.3*sin(2*PI*(300+60*t)*t)':s=48000:d=6")
ENCODED = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-b:v",
    "20M",
    "-metadata",
    "title=The title",
    "-metadata:s:a:0",
    "language=ger",
)
FORMATS = {"mp4": ("-c:a", "aac"), "mov": ("-c:a", "aac", "-ac", "1")}


def samples(mp3: bytes) -> str:
    """Return a digest of what an MP3 decodes to."""
    decode = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "-", "-f", "s16le", "-"]
    return hashlib.sha256(
        subprocess.run(decode, input=mp3, capture_output=True, check=True).stdout
    ).hexdigest()


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_mp3_of_a_sound_decodes_like_that_of_the_whole_video(
    visit: Visit, tmp_path: Path, suffix: str
) -> None:
    video = tmp_path / f"film.{suffix}"
    make(*PICTURES, *SOUND, *ENCODED, *FORMATS[suffix], str(video))
    assert video.stat().st_size > 8_000_000

    visit.choose(video)
    visit.expect_state(video.name, "ready")
    whole = visit.user.upload(video, f"whole.{suffix}")
    visit.expect_state(f"whole.{suffix}", "ready")

    alone = next(
        job
        for job in visit.user.http.get("/v1/jobs").json()["jobs"]
        if job["source"]["filename"] == video.name
    )
    assert alone["source"]["size"] < video.stat().st_size / 20
    got, wanted = (visit.user.http.get(f"/v1/jobs/{job}/mp3").content for job in (alone["id"], whole))
    assert samples(got) == samples(wanted)
    if suffix == "mp4":  # QuickTime's own codes of languages stay behind
        assert alone["media"]["tracks"][0]["language"] == "ger"


def test_a_video_that_breaks_off_travels_whole_so_that_the_truth_is_told(
    visit: Visit, tmp_path: Path
) -> None:
    video, cut = tmp_path / "film.mp4", tmp_path / "cut.mp4"
    make(*PICTURES, *SOUND, *ENCODED, "-c:a", "aac", "-movflags", "faststart", str(video))
    cut.write_bytes(video.read_bytes()[: video.stat().st_size * 3 // 4])

    visit.choose(cut)

    visit.expect_state(cut.name, "partial")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["size"] == cut.stat().st_size


def test_what_cannot_be_taken_apart_to_the_sample_travels_whole(visit: Visit, tmp_path: Path) -> None:
    video = tmp_path / "film.mkv"
    make(*PICTURES, *SOUND, *ENCODED, "-c:a", "libopus", str(video))

    visit.choose(video)

    visit.expect_state(video.name, "ready")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["size"] == video.stat().st_size


def test_a_switch_sends_the_whole_video(visit: Visit, tmp_path: Path) -> None:
    video = tmp_path / "film.mp4"
    make(*PICTURES, *SOUND, *ENCODED, "-c:a", "aac", str(video))

    visit.page.locator(".options summary").click()
    visit.page.get_by_label("Send only the sound").uncheck()
    visit.choose(video)

    visit.expect_state(video.name, "ready")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["size"] == video.stat().st_size
    expect(visit.row(video.name)).to_have_count(1)
