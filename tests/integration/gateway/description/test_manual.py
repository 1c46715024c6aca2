"""docs/api.md and README.md: their commands run as they stand, and the tables tell what the code does."""

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.options import Options
from tests.integration.gateway.conftest import ROOT, Gateway, Stores, some

PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
VIDEO = b"\0\0\0 ftypisom a video"
MP3 = b"an mp3 of it" * 1000
END = "that was"
"""Behind it, how a pasted line ended."""

Paste = Callable[[str], list[tuple[str, str]]]


@pytest.fixture
def converter(stores: Stores) -> Iterator[None]:
    """Makes an MP3 of every job at once."""
    over = threading.Event()

    def convert() -> None:
        while not over.wait(0.05):
            for document in stores.client["jobs"]["jobs"].find({"state": "queued"}):
                stores.finished(some(stores.jobs.get(document["_id"])), MP3)

    thread = threading.Thread(target=convert)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def paste(converter: None, gateway: Gateway, tmp_path: Path) -> Paste:
    """Pastes a page's lines into bash, in a folder with the videos and the password that they name."""
    del converter
    for name in ("talk.mp4", "holiday.mkv"):
        (tmp_path / name).write_bytes(VIDEO)
    (tmp_path / ".stack/secrets").mkdir(parents=True)
    (tmp_path / ".stack/secrets/demo_password").write_text("right\n")
    (tmp_path / ".curlrc").write_text(f'connect-to = "localhost:8080:127.0.0.1:{gateway.port}"\n')

    def lines(page: str) -> list[tuple[str, str]]:
        blocks = re.findall(r"```sh\n(.*?)\n```", page, re.DOTALL)
        pasted = [line for block in blocks for line in re.split(r"(?<!\\)\n", block)]  # one may be continued
        told = "".join(f"{line}\nprintf '\\n{END} %s\\n' $?\n" for line in pasted)
        bash = subprocess.run(
            ["bash", "--noprofile", "--norc"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CURL_HOME": str(tmp_path)},
            input=told,
            cwd=tmp_path,
            timeout=300,
            capture_output=True,
            text=True,
            check=False,
        )
        answers = re.split(rf"\n{END} (\d+)\n", bash.stdout)[:-1]
        failed = [line for line, status in zip(pasted, answers[1::2], strict=True) if status != "0"]
        assert failed == [], bash.stderr
        assert bash.stderr == ""
        return list(zip(pasted, answers[::2], strict=True))

    return lines


def test_every_line_of_the_page_works_as_it_stands(paste: Paste, tmp_path: Path) -> None:
    answers = paste(PAGE)

    told = [answer for _, answer in answers]
    assert "200 audio/mpeg" in told[2]
    assert "success!" in told
    assert "".join(told).count('"state":"queued"') >= 4
    assert "event: state" in "".join(told)
    assert (tmp_path / "talk.mp3").read_bytes() == MP3
    assert (tmp_path / "part.mp3").read_bytes() == MP3
    assert (tmp_path / "talk.mp4").read_bytes() == VIDEO


def test_every_line_of_the_readme_works_as_it_stands(paste: Paste, tmp_path: Path) -> None:
    answers = paste((ROOT / "README.md").read_text(encoding="utf-8"))

    assert [answer for line, answer in answers if "/upload" in line] == ["success!"]
    assert (tmp_path / "talk.mp3").read_bytes() == MP3


def test_an_answer_that_is_no_mp3_is_not_written_over_the_video(
    gateway: Gateway, stores: Stores, tmp_path: Path
) -> None:
    del stores
    (tmp_path / "talk.mp4").write_bytes(VIDEO)
    url = f"{gateway.url}/v1/convert/talk.mp4"

    # Of a refusal, curl 7.88 makes the file with nothing in it, and 8.14 would take the name from the
    # address: -f keeps what is not an MP3 out of either.
    answer = tmp_path / "answer.json"
    for flags, place, kept in (("-OJL", f"{url}?wait=0", True), ("-fOJ", f"{url}?quality=no", False)):
        command = ["curl", "-sS", flags, "-u", "me@example.com:right", "-T", "talk.mp4", place]
        subprocess.run(command, cwd=tmp_path, timeout=60, check=False)
        assert {file.name for file in tmp_path.iterdir()} <= {"talk.mp4", "answer.json"}
        assert (answer.exists() and answer.stat().st_size > 0) == kept
        answer.unlink(missing_ok=True)

    assert (tmp_path / "talk.mp4").read_bytes() == VIDEO


def test_the_page_tells_every_option() -> None:
    assert set(Options.model_fields) <= set(re.findall(r"`([a-z_]+)`", PAGE))
