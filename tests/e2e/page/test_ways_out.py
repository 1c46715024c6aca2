"""What a user does with MP3s: listen, jump about, take several at once."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CLIP
from tests.e2e.page.conftest import HOSTILE, Visit, make

CHAPTER_SECONDS = 10
INKED = """canvas => canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0)"""


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video whose title and chapters are names that somebody might not expect."""
    folder = tmp_path_factory.mktemp("lecture")
    described = [";FFMETADATA1", f"title={escaped(HOSTILE[0])}", f"artist={escaped(HOSTILE[1])}"]
    for n, title in enumerate(HOSTILE):
        span = f"START={n * CHAPTER_SECONDS}\nEND={(n + 1) * CHAPTER_SECONDS}"
        described.append(f"[CHAPTER]\nTIMEBASE=1/1\n{span}\ntitle={escaped(title)}")
    (folder / "described").write_text("\n".join(described))
    sound = ("-f", "lavfi", "-i", f"sine=duration={len(HOSTILE) * CHAPTER_SECONDS}")
    metadata = ("-i", str(folder / "described"), "-map_metadata", "1", "-map_chapters", "1")
    make(*sound, *metadata, "-map", "0:a", "-c:a", "flac", str(folder / "lecture.mkv"))
    return folder / "lecture.mkv"


def escaped(text: str) -> str:
    r"""Write a text for ffmpeg's file of metadata: https://ffmpeg.org/ffmpeg-formats.html#Metadata-2."""
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)


def test_several_are_one_zip(visit: Visit, tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4", "three.mp4"):
        visit.user.upload(CLIP, name)
        visit.expect_state(name, "ready")

    for name in ("one.mp4", "two.mp4"):
        visit.row(name).locator(".pick").check()
    expect(visit.page.locator(".selection")).to_contain_text("2 selected")
    with visit.page.expect_download() as downloading:
        visit.page.get_by_role("link", name="Download as zip").click()
    downloading.value.save_as(tmp_path / "some.zip")

    jobs = {job["source"]["filename"]: job for job in visit.user.http.get("/v1/jobs").json()["jobs"]}
    with zipfile.ZipFile(tmp_path / "some.zip") as archive:
        assert archive.testzip() is None
        got = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    wanted = {f"{name}.mp3": jobs[f"{name}.mp4"]["links"]["mp3"] for name in ("one", "two")}
    assert got == {name: visit.user.http.get(link).content for name, link in wanted.items()}


def test_all_may_be_chosen_and_deleted_at_once(visit: Visit) -> None:
    for name in ("one.mp4", "two.mp4"):
        visit.user.upload(CLIP, name)
        visit.expect_state(name, "ready")

    visit.row("one.mp4").locator(".pick").check()
    visit.page.get_by_role("button", name="Select all").click()
    visit.page.locator(".selection").get_by_role("button", name="Delete").click()
    visit.act("two.mp4", "undo")

    expect(visit.row("one.mp4")).to_have_count(0)
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["source"]["filename"] == "two.mp4"


def test_the_player_seeks_by_its_waveform_and_its_chapters(visit: Visit, lecture: Path) -> None:
    visit.choose(lecture)
    visit.expect_state(lecture.name, "ready")

    visit.act(lecture.name, "play")
    player = visit.page.locator(".player")
    audio = player.locator("audio")
    expect(audio).to_be_visible()
    visit.page.wait_for_function("() => document.querySelector('audio').readyState >= 1")
    seconds = audio.evaluate("audio => audio.duration")
    assert seconds == pytest.approx(len(HOSTILE) * CHAPTER_SECONDS, abs=0.1)
    visit.page.wait_for_function(f"() => ({INKED})(document.querySelector('.wave canvas'))")

    player.get_by_label("Position").fill("25")
    assert audio.evaluate("audio => audio.currentTime") == pytest.approx(25, abs=0.5)
    player.locator(".chapters button").nth(1).click()
    visit.page.wait_for_function("() => !document.querySelector('audio').paused")
    at = audio.evaluate("audio => audio.currentTime")
    assert CHAPTER_SECONDS <= at < 2 * CHAPTER_SECONDS
    visit.act(lecture.name, "play")
    expect(player).to_have_count(0)


def test_titles_and_chapters_are_shown_as_text(visit: Visit, lecture: Path) -> None:
    visit.choose(lecture)
    visit.expect_state(lecture.name, "ready")

    visit.act(lecture.name, "play")

    expect(visit.page.locator(".chapters bdi")).to_have_text(HOSTILE)
    expect(visit.page.locator(".tags bdi")).to_have_text(HOSTILE[:2])
    assert visit.page.locator("#page img").count() == 0
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
