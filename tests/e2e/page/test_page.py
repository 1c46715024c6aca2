"""What a user does with the page."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CLIP, PASSWORD, User
from tests.e2e.page.conftest import HOSTILE, Visit, Visits


def test_a_new_user_has_an_mp3_after_five_actions(visits: Visits, tmp_path: Path) -> None:
    visit = visits()

    visit.page.get_by_label("E-mail address").fill(visit.user.name)
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("#choose", state="attached")
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")
    with visit.page.expect_download() as downloading:
        visit.act(CLIP.name, "download")

    assert downloading.value.suggested_filename == f"{CLIP.stem}.mp3"
    downloading.value.save_as(tmp_path / "it.mp3")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert (tmp_path / "it.mp3").read_bytes() == visit.user.http.get(job["links"]["mp3"]).content


def test_what_happens_is_said_once_and_in_sentences(visit: Visit) -> None:
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")

    said = visit.page.locator("#said").inner_text()
    assert said.startswith("1 file chosen.")
    assert said.count(f"{CLIP.name}: sending.") <= 1  # a moment that may pass between two drawings
    assert said.count("the MP3 is ready.") == 1
    assert visit.page.locator("[aria-live]").count() == 1


def test_a_wrong_password_is_refused_in_words(visits: Visits) -> None:
    visit = visits()
    visit.tolerated = "401"

    visit.log_in("not the password")

    expect(visit.page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    assert visit.page.get_by_label("E-mail address").input_value() == visit.user.name


def test_who_logs_out_leaves_nothing_behind(visit: Visit) -> None:
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")

    visit.page.locator(".account summary").click()
    visit.page.get_by_role("button", name="Log out", exact=True).click()

    visit.page.get_by_label("Password", exact=True).wait_for()
    assert CLIP.name not in visit.page.content()
    assert visit.page.context.cookies() == []


def test_an_upload_of_a_script_appears_by_itself(visit: Visit) -> None:
    visit.user.upload(CLIP, "from curl.mp4")

    visit.expect_state("from curl.mp4", "ready")


def test_the_link_of_a_mail_leads_to_the_row(visit: Visit) -> None:
    job = visit.user.upload(CLIP)
    visit.user.outcome(job)

    visit.page.goto(f"{visit.user.stack.gateway_url}/#{job}")

    expect(visit.page.locator(f"[data-id='{job}']")).to_be_focused()


@pytest.mark.parametrize("name", HOSTILE, ids=["markup", "right to left", "emoji", "long"])
def test_a_name_is_shown_as_text(visit: Visit, tmp_path: Path, name: str) -> None:
    video = tmp_path / f"{name}.mp4"
    shutil.copy(CLIP, video)

    visit.choose(video)

    visit.page.wait_for_selector("[data-state=ready]")
    shown = visit.page.locator("li.row h3").inner_text()
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert shown == job["source"]["filename"]
    assert visit.page.locator("li.row img").count() == 0
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_no_video_is_refused_before_a_byte_is_sent(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "picture.mp4").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    requests: list[str] = []
    visit.page.on("request", lambda request: requests.append(f"{request.method} {request.url}"))

    visit.choose(tmp_path / "empty.mp4", tmp_path / "picture.mp4")

    expect(visit.row("empty.mp4")).to_contain_text("The file is empty.")
    expect(visit.row("picture.mp4")).to_contain_text("it looks like a picture")
    visit.act("picture.mp4", "dismiss")
    expect(visit.row("picture.mp4")).to_have_count(0)
    assert not [line for line in requests if line.startswith(("POST", "PATCH"))]


def test_a_failure_says_why_and_what_to_do(visit: Visit, silent_film: Path) -> None:
    visit.choose(silent_film)

    visit.expect_state(silent_film.name, "failed")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    expect(visit.row(silent_film.name)).to_contain_text(job["error"]["message"])
    expect(visit.row(silent_film.name)).to_contain_text(job["error"]["hint"])


def test_a_deletion_can_be_undone_for_some_seconds(visit: Visit) -> None:
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")

    visit.act(CLIP.name, "delete")
    visit.act(CLIP.name, "undo")
    visit.expect_state(CLIP.name, "ready")
    assert len(visit.user.http.get("/v1/jobs").json()["jobs"]) == 1

    visit.act(CLIP.name, "delete")
    expect(visit.row(CLIP.name)).to_have_count(0)
    assert visit.user.http.get("/v1/jobs").json()["jobs"] == []


def test_another_conversion_takes_other_options(visit: Visit) -> None:
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")

    visit.act(CLIP.name, "again")
    visit.row(CLIP.name).get_by_label("Quality").select_option("64")
    visit.row(CLIP.name).get_by_role("button", name="Convert with these options").click()

    expect(visit.row(CLIP.name).locator(".detail")).to_contain_text("64 kbit/s")
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert job["options"]["quality"] == "64"


def test_options_are_remembered_but_not_those_of_one_video(visit: Visit) -> None:
    visit.page.locator(".options summary").click()
    visit.page.get_by_label("Quality").select_option("128")
    visit.page.get_by_label("Title").fill("One talk")
    visit.page.get_by_label("Title").press("Tab")
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")

    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    assert (job["options"]["quality"], job["options"]["title"]) == ("128", "One talk")
    visit.page.reload()
    expect(visit.page.locator(".options summary")).to_have_text("Options: 128 kbit/s")


def test_what_is_being_typed_outlives_what_happens_meanwhile(visit: Visit) -> None:
    visit.page.locator(".options summary").click()
    visit.page.get_by_label("Title").fill("One talk")  # the field has the focus still
    visit.page.get_by_label("Audio track").press_sequentially("en")

    visit.user.upload(CLIP, "another.mp4")
    visit.expect_state("another.mp4", "ready")

    assert visit.page.get_by_label("Title").input_value() == "One talk"
    assert visit.page.get_by_label("Audio track").input_value() == "en"


def test_a_search_and_a_filter_narrow_the_list(visit: Visit, silent_film: Path) -> None:
    visit.user.upload(CLIP, "talk.mp4")
    visit.user.upload(silent_film, "film.mp4")
    visit.expect_state("talk.mp4", "ready")
    visit.expect_state("film.mp4", "failed")

    visit.page.get_by_label("Search by name").fill("TALK")
    expect(visit.page.locator("li.row")).to_have_count(1)
    visit.page.get_by_label("Search by name").fill("")
    visit.page.get_by_label("Show", exact=True).select_option("failed")
    expect(visit.row("talk.mp4")).to_have_count(0)
    expect(visit.row("film.mp4")).to_have_count(1)


def test_a_list_of_two_hundred_is_shown_page_by_page(visit: Visit) -> None:
    for n in range(55):
        visit.user.http.post("/upload", files={"file": (f"clip {n}.mp4", b"no video")})
    visit.page.reload()

    expect(visit.page.locator("li.row")).to_have_count(50)
    visit.page.get_by_role("button", name="Show more").click()
    expect(visit.page.locator("li.row")).to_have_count(55)
    list_anew(visit)
    expect(visit.page.locator("li.row")).to_have_count(55)


def test_the_link_of_a_mail_leads_to_its_job_however_old_it_is(visit: Visit) -> None:
    first, *_ = [visit.user.upload(b"no video", f"clip {n}.mp4") for n in range(55)]
    visit.page.goto("about:blank")

    visit.page.goto(f"{visit.user.stack.gateway_url}/#{first}")

    expect(visit.row("clip 0.mp4")).to_be_in_viewport()
    list_anew(visit)
    expect(visit.row("clip 0.mp4")).to_be_in_viewport()


def list_anew(visit: Visit) -> None:
    """Come back to the window, which asks for the whole list again."""
    with visit.page.expect_response(re.compile(r"/v1/jobs\?")) as listing:
        visit.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    listing.value.finished()
    visit.page.evaluate("() => new Promise(drawn => setTimeout(() => requestAnimationFrame(drawn), 50))")


def test_german_is_spoken_to_who_reads_german(visits: Visits) -> None:
    visit = visits(locale="de-DE")

    expect(visit.page.get_by_role("button", name="Anmelden")).to_be_visible()
    assert visit.page.evaluate("document.documentElement.lang") == "de"
    visit.page.get_by_label("Sprache").select_option("en")
    expect(visit.page.get_by_role("button", name="Log in")).to_be_visible()


def test_a_language_is_switched_in_the_middle_of_everything_and_remembered(visit: Visit) -> None:
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")

    visit.page.get_by_label("Language").select_option("de")

    expect(visit.row(CLIP.name).locator(".word")).to_have_text("Fertig")
    expect(visit.row(CLIP.name).get_by_role("button", name=f"Löschen: {CLIP.name}")).to_be_visible()
    visit.page.reload()
    expect(visit.row(CLIP.name).locator(".word")).to_have_text("Fertig")


def test_without_scripts_one_logs_in_uploads_and_downloads(visits: Visits) -> None:
    visit = visits(java_script_enabled=False)
    visit.log_in("wrong")
    expect(visit.page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")

    visit.log_in()
    visit.page.locator("[name=file]").set_input_files(CLIP)
    visit.page.get_by_role("button", name="Upload").click()
    expect(visit.page.locator("li.row strong")).to_have_text(CLIP.name)
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    visit.user.outcome(job["id"])
    visit.page.get_by_role("link", name="Look again").click()
    with visit.page.expect_download() as downloading:
        visit.page.get_by_role("link", name="Download").click()

    assert downloading.value.suggested_filename == f"{CLIP.stem}.mp3"


def test_the_first_bytes_to_a_visitor_are_few(visit: Visit) -> None:
    sent = 0
    for path in visit.page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)"):
        if "/page/" in path:
            sent += visit.page.evaluate("path => performance.getEntriesByName(path)[0].encodedBodySize", path)

    assert 0 < sent < 60_000


def test_nothing_but_the_files_of_the_page_is_sent(user: User) -> None:
    for path in ("%2e%2e/assets.py", "vendor/../../package.json", "texts", ""):
        assert user.http.get(f"/page/{path}").status_code == 404
