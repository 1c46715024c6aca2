"""Only the sound of a video travels, as docs/api.md shows, and the MP3 of it is the whole video's."""

import re
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import pytest
from mutagen.id3 import ID3

from tests.integration.gateway.conftest import ROOT, Gateway, Stores

CLIP = ROOT / "tests/media/big_buck_bunny_5s.mp4"
RECIPES = re.findall(r"```shell\n(.*?)```", (ROOT / "docs/api.md").read_text("utf-8"), re.DOTALL)
METADATA = """;FFMETADATA1
title=A talk
artist=Somebody
[CHAPTER]
TIMEBASE=1/1000
START=0
END=2000
title=One
[CHAPTER]
TIMEBASE=1/1000
START=2000
END=5000
title=Two
"""


def ffmpeg(*arguments: str, folder: Path) -> None:
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], cwd=folder, check=True, timeout=60
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds a video with title, chapters and a cover, and an `ffmpeg`."""
    (tmp_path / "metadata").write_text(METADATA)
    (tmp_path / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    ffmpeg("-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1", "cover.jpg", folder=tmp_path)
    taken = ("-map", "0:v", "-map", "0:a", "-map", "2:v", "-disposition:v:1", "attached_pic")
    told = ("-map_metadata", "1", "-map_chapters", "1")
    ffmpeg(
        "-i",
        str(CLIP),
        "-i",
        "metadata",
        "-i",
        "cover.jpg",
        *taken,
        *told,
        "-c",
        "copy",
        "talk.mp4",
        folder=tmp_path,
    )
    return tmp_path


def mp3_of(video: bytes, name: str, folder: Path) -> Path:
    """Convert as the converter does."""
    (folder / name).write_bytes(video)
    mp3 = folder / f"{name}.mp3"
    subprocess.run([sys.executable, "-m", "converter", folder / name, mp3], cwd=ROOT, check=True, timeout=120)
    return mp3


def sent(recipe: str, gateway: Gateway, stores: Stores, folder: Path) -> bytes:
    """Do what a recipe says, and return what came of it at the gateway."""
    token = gateway.auth.token("me@example.com")
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe],
        cwd=folder,
        env={
            "PATH": f"{folder}:/usr/bin:/bin",
            "HOST": gateway.url,
            "AUTH": f"Authorization: Bearer {token}",
        },
        check=True,
        timeout=60,
    )
    [job] = stores.jobs.page("me@example.com")
    assert job.source["filename"] == "talk.m4a"
    return b"".join(stores.videos.read(stores.videos.find(job.id)))


def samples(mp3: Path) -> bytes:
    ffmpeg("-i", str(mp3), "-f", "s16le", "samples", folder=mp3.parent)
    return (mp3.parent / "samples").read_bytes()


def test_the_mp3_is_that_of_the_whole_video(gateway: Gateway, stores: Stores, folder: Path) -> None:
    sound = sent(RECIPES[0], gateway, stores, folder)
    whole = (folder / "talk.mp4").read_bytes()

    made, expected = mp3_of(sound, "talk.m4a", folder), mp3_of(whole, "all.mp4", folder)

    assert len(sound) < len(whole) / 3
    tags, tags_of_whole = ID3(made), ID3(expected)
    assert made.read_bytes()[tags.size :] == expected.read_bytes()[tags_of_whole.size :]
    assert tags.getall("APIC")
    for name_of_tag in ("TIT2", "TPE1", "CHAP", "APIC"):
        assert tags.getall(name_of_tag) == tags_of_whole.getall(name_of_tag)
    assert [str(tags["TIT2"]), len(tags.getall("CHAP"))] == ["A talk", 2]


def test_through_a_pipe_it_is_so_up_to_the_last_packet(
    gateway: Gateway, stores: Stores, folder: Path
) -> None:
    tone = ("-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*t*(300+50*t)):s=44100:d=5.3", "-i", "metadata")
    told = ("-map_metadata", "1", "-map_chapters", "1")
    ffmpeg(*tone, *told, "-c:a", "aac", "talk.mp4", folder=folder)  # it ends within a packet

    sound = sent(RECIPES[1], gateway, stores, folder)
    whole = (folder / "talk.mp4").read_bytes()
    made, expected = mp3_of(sound, "talk.m4a", folder), mp3_of(whole, "all.mp4", folder)

    heard, all_of_it = samples(made), samples(expected)
    packet, frame = 1024 * 2, 1152 * 2
    assert 0 < len(heard) - len(all_of_it) < packet
    assert heard[: len(all_of_it) - 2 * frame] == all_of_it[: -2 * frame]
    for name_of_tag in ("TIT2", "TPE1"):
        assert ID3(made).getall(name_of_tag) == ID3(expected).getall(name_of_tag)
    assert len(ID3(made).getall("CHAP")) == 2
