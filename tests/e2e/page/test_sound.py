"""Only the sound of a video travels, and the MP3 is the same as from the whole."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

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
FORMATS = {
    "aac.mp4": ("-c:a", "aac"),
    "aac.mov": ("-c:a", "aac", "-ac", "1"),
    "aac.mkv": ("-c:a", "aac"),
    "opus.mkv": ("-c:a", "libopus"),
    "flac.mkv": ("-c:a", "flac"),
    "vorbis.mkv": ("-c:a", "libvorbis"),
    "ac3.mkv": ("-c:a", "ac3"),
    "opus.webm": ("-c:a", "libopus", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16"),
}


def samples(mp3: bytes) -> str:
    """Return a digest of what an MP3 decodes to."""
    decode = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "-", "-f", "s16le", "-"]
    return hashlib.sha256(
        subprocess.run(decode, input=mp3, capture_output=True, check=True).stdout
    ).hexdigest()


def tracks(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is told of a job's sound tracks, but for their places among the pictures."""
    return [{**track, "stream": None} for track in job["media"]["tracks"]]


@pytest.mark.parametrize("name", FORMATS)
def test_the_mp3_of_a_sound_decodes_like_that_of_the_whole_video(
    visit: Visit, tmp_path: Path, name: str
) -> None:
    video = tmp_path / name
    make(*PICTURES, *SOUND, *ENCODED, *FORMATS[name], str(video))
    assert video.stat().st_size > 8_000_000

    visit.choose(video)
    visit.expect_state(name, "ready")
    visit.user.upload(video, f"whole-{name}")
    visit.expect_state(f"whole-{name}", "ready")

    jobs = {job["source"]["filename"]: job for job in visit.user.http.get("/v1/jobs").json()["jobs"]}
    alone, whole = jobs[name], jobs[f"whole-{name}"]
    assert alone["source"]["size"] < video.stat().st_size / 8
    got, wanted = (visit.user.http.get(job["links"]["mp3"]).content for job in (alone, whole))
    assert samples(got) == samples(wanted)
    for told in ("complete", "warnings", "duration"):
        assert alone["result"][told] == whole["result"][told]
    if not name.endswith("mov"):  # QuickTime's own codes of languages stay behind
        assert tracks(alone) == tracks(whole)
        assert alone["media"]["tags"] == whole["media"]["tags"]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_video_that_breaks_off_travels_whole_so_that_the_truth_is_told(
    visit: Visit, tmp_path: Path, suffix: str
) -> None:
    video, cut = tmp_path / f"film.{suffix}", tmp_path / f"cut.{suffix}"
    make(*PICTURES, *SOUND, *ENCODED, "-c:a", "aac", "-movflags", "faststart", str(video))
    cut.write_bytes(video.read_bytes()[: video.stat().st_size * 3 // 4])

    visit.choose(cut)

    visit.expect_state(cut.name, "partial")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["size"] == cut.stat().st_size


WHOLE = {
    "a transport stream": ("film.ts", ("-c:a", "aac")),
    "a sound that begins late": ("late.mkv", ("-c:a", "flac", "-af", "asetpts=PTS+1/TB")),
    "a sound that ends early": ("short.mkv", ("-c:a", "flac", "-af", "atrim=end=3")),
    "a sound that ends early in MP4": ("short.mp4", ("-c:a", "aac", "-af", "atrim=end=3")),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_what_its_sound_alone_would_not_tell_travels_whole(visit: Visit, tmp_path: Path, kind: str) -> None:
    name, made = WHOLE[kind]
    video = tmp_path / name
    make(*PICTURES, *SOUND, *ENCODED, *made, str(video))

    visit.choose(video)

    visit.expect_state(video.name, "ready")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["size"] == video.stat().st_size


def test_a_file_that_is_nearly_all_sound_travels_as_it_is(visit: Visit, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mkv"
    make("-f", "lavfi", "-i", "anoisesrc=duration=100", "-c:a", "pcm_s16le", str(sound))
    assert sound.stat().st_size > 8_000_000

    visit.choose(sound)

    visit.expect_state(sound.name, "ready")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["size"] == sound.stat().st_size


def test_a_switch_sends_the_whole_video(visit: Visit, tmp_path: Path) -> None:
    video = tmp_path / "film.mp4"
    make(*PICTURES, *SOUND, *ENCODED, "-c:a", "aac", str(video))

    visit.page.locator(".options summary").click()
    visit.page.get_by_label("Send only the audio").uncheck()
    visit.choose(video)

    visit.expect_state(video.name, "ready")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["size"] == video.stat().st_size
    expect(visit.row(video.name)).to_have_count(1)
