"""Programs that are not ours read the feed and download what it names, over a wire that breaks."""

import json
import os
import subprocess
from pathlib import Path

import httpx

from pipeline.job import Job
from tests.integration.gateway.conftest import ROOT, Gateway, Stores
from tests.integration.gateway.uploads.wire import wired

ME = "me@example.com"
MARK = b"here the connection breaks"
MP3 = os.urandom(1_500_000) + MARK + os.urandom(1_500_000)
CHAPTERS = [{"start": 0.0, "end": 1.0, "title": "Begrüßung"}]
COVER = {"type": "image/png", "place": 300, "size": 1000, "sha256": "0" * 64}


def lecture(stores: Stores) -> Job:
    job = stores.done(ME, MP3, "Vorlesung <1> & mehr.mp4")
    values = {"media": {"duration": 1.0, "chapters": CHAPTERS}, "result.cover": COVER}
    stores.client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": values})
    return job


def test_partytime_understands_all_of_it(me: httpx.Client, stores: Stores) -> None:
    job = lecture(stores)
    url = me.post("/v1/me/feeds", json={"title": "Meine Vorlesungen"}).json()["url"]
    base = url.removesuffix(".xml")

    read = subprocess.run(
        ["node", "feed.mjs"],
        cwd=ROOT / "tests/clients",
        input=httpx.get(url).content,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (read.returncode, read.stderr) == (0, b""), read.stderr
    feed = json.loads(read.stdout)
    [item] = feed["items"]
    assert (feed["title"], feed["medium"], feed["itunesBlock"]) == ("Meine Vorlesungen", "podcast", True)
    assert feed["podcastBlocked"] == "yes"
    assert feed["pc20support"] == {"1": ["chapters"], "3": ["guid"], "4": ["medium"], "5": ["block"]}
    assert (item["title"], item["guid"]) == ("Vorlesung <1> & mehr", job.id)
    enclosure = {"url": f"{base}/{job.id}.mp3", "length": len(MP3), "type": "audio/mpeg"}
    assert item["enclosure"] == enclosure
    assert item["podcastChapters"] == {"url": f"{base}/{job.id}.json", "type": "application/json+chapters"}
    assert item["itunesImage"] == f"{base}/{job.id}.png"


def test_podget_downloads_an_episode_and_resumes_it_where_the_connection_broke(
    me: httpx.Client, gateway: Gateway, stores: Stores, tmp_path: Path
) -> None:
    lecture(stores)
    path = httpx.URL(me.post("/v1/me/feeds").json()["url"]).path
    settings, library = tmp_path / "podget", tmp_path / "library"

    def podget(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["podget", "-d", str(settings), "-l", str(library), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    podget("--create-config", "podgetrc")
    with wired(gateway.port) as wire:
        wire.lost = MARK
        settings.joinpath("serverlist").write_text(f"{wire.url}{path} Talks Lectures\n")
        done = podget("-vvv")

    assert done.returncode == 0, done.stdout + done.stderr
    assert wire.cut == 1
    [episode] = library.rglob("*.mp3")
    assert episode.read_bytes() == MP3
    assert "206 PARTIAL CONTENT" in done.stderr
