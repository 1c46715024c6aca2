"""docs/api.md: its commands run, and its tables tell what the code does."""

import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.options import Options
from tests.integration.gateway.conftest import ROOT, Gateway, Stores, some

PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
VIDEO = b"\0\0\0 ftypisom a video"


@pytest.fixture
def converter(stores: Stores) -> Iterator[None]:
    """Makes an MP3 of every job at once."""
    over = threading.Event()

    def convert() -> None:
        while not over.wait(0.05):
            for document in stores.client["jobs"]["jobs"].find({"state": "queued"}):
                stores.finished(some(stores.jobs.get(document["_id"])), b"an mp3 of it" * 1000)

    thread = threading.Thread(target=convert)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("converter")
def test_every_command_of_the_page_works_from_top_to_bottom(gateway: Gateway, tmp_path: Path) -> None:
    for name in ("talk.mp4", "holiday.mkv"):
        (tmp_path / name).write_bytes(VIDEO)
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    commands = commands.replace("HOST=http://mp3converter.com", f"HOST={gateway.url}")
    commands = commands.replace("LOGIN=me@example.com:password", "LOGIN=me@example.com:right")
    commands = commands.replace("curl -fOJ -H", "rm talk.mp3; curl -fOJ -H")  # curl -J overwrites nothing

    ran = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", commands],
        cwd=tmp_path,
        timeout=120,
        capture_output=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr.decode()[-3000:]
    assert (tmp_path / "talk.mp3").read_bytes() == b"an mp3 of it" * 1000
    assert (tmp_path / "part.mp3").read_bytes() == b"an mp3 of it" * 1000
    answers = ran.stdout.decode()
    assert "success!" in answers
    assert answers.count('"state":"queued"') >= 4
    assert "event: state" in answers


def test_the_page_tells_every_option() -> None:
    assert set(Options.model_fields) <= set(re.findall(r"`([a-z_]+)`", PAGE))
