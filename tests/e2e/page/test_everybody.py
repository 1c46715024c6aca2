"""The page for those who cannot point, cannot see, or have a narrow or a dark screen."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CLIP, PASSWORD
from tests.e2e.page import gallery
from tests.e2e.page.conftest import Visit, Visits
from tests.e2e.page.test_survival import begin, slow_down

SCREENS = [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")]


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nobody_is_shut_out_and_nothing_sticks_out(
    visits: Visits, silent_film: object, width: int, scheme: str
) -> None:
    visit = visits(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    assert visit.faults() == []
    visit.log_in()
    visit.page.wait_for_selector("#choose", state="attached")
    assert visit.faults() == []

    visit.choose(CLIP, silent_film)  # type: ignore[arg-type]  # a path
    visit.expect_state(CLIP.name, "ready")
    visit.expect_state("silent.mp4", "failed")
    visit.act(CLIP.name, "play")
    visit.act(CLIP.name, "again")
    visit.row(CLIP.name).locator(".pick").check()
    for summary in (".options > summary", ".technical > summary", ".account > summary"):
        visit.page.locator(summary).first.click()

    assert visit.faults() == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nobody_is_shut_out_from_a_row_in_any_state(visits: Visits, width: int, scheme: str) -> None:
    visit = visits(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    visit.log_in()
    job = visit.user.outcome(visit.user.upload(CLIP, "real.mp4"))
    visit.expect_state("real.mp4", "ready")

    gallery.hang(visit, job)
    visit.act("ready.mp4", "play")
    visit.act("failed.mp4", "again")

    rows = visit.page.locator("li.row")
    assert {row.get_attribute("data-state") for row in rows.all()} == gallery.STATES
    assert visit.faults() == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_alone_does_everything(visits: Visits) -> None:
    visit = visits()
    visit.page.on("filechooser", lambda _: None)  # asked for now, or the browser may open its own before
    keys = visit.page.keyboard
    expect(visit.page.get_by_label("E-mail address")).to_be_focused()
    keys.type(visit.user.name)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    visit.page.wait_for_selector("#choose", state="attached")

    reach(visit, "#choose")
    with visit.page.expect_file_chooser() as choosing:
        keys.press("Enter")
    choosing.value.set_files(CLIP)
    visit.expect_state(CLIP.name, "ready")

    reach(visit, "[data-do=play]")
    keys.press("Enter")
    expect(visit.page.locator("audio")).to_be_visible()
    reach(visit, "[data-do=download]")
    with visit.page.expect_download():
        keys.press("Enter")
    reach(visit, "[data-do=delete]")
    keys.press("Enter")
    reach(visit, "[data-do=undo]")
    keys.press("Enter")
    visit.expect_state(CLIP.name, "ready")


CONTROLS = "a[href], button, input:not([type=hidden]), select, summary, audio"
NUMBER_THEM = f"""() => [...document.querySelectorAll("{CONTROLS}")]
    .filter(control => control.checkVisibility({{ visibilityProperty: true }}))
    .map((control, number) => {{ control.dataset.number = number; return control.outerHTML; }})"""


def test_tab_comes_to_every_control_in_its_order(visits: Visits) -> None:
    visit = visits()
    visit.log_in()
    job = visit.user.outcome(visit.user.upload(CLIP, "real.mp4"))
    visit.expect_state("real.mp4", "ready")
    gallery.hang(visit, job)
    visit.act("ready.mp4", "play")
    visit.act("failed.mp4", "again")
    visit.row("ready.mp4").locator(".pick").check()
    for summary in (".options > summary", ".technical > summary", ".account > summary"):
        visit.page.locator(summary).first.click()
    expect(visit.page.get_by_text("this browser")).to_be_visible()
    expect(visit.page.locator(".chapters button")).to_have_count(len(gallery.CHAPTERS))

    controls = visit.page.evaluate(NUMBER_THEM)
    visit.page.evaluate("document.activeElement.blur(); scrollTo(0, 0); getSelection().removeAllRanges()")
    came: list[int] = []
    for _ in range(2 * len(controls)):
        visit.page.keyboard.press("Tab")
        number = visit.page.evaluate("document.activeElement.dataset.number")
        if number is None:
            break
        if int(number) not in came[-1:]:  # a player has parts of its own
            came.append(int(number))

    missed = [control for number, control in enumerate(controls) if number not in came]
    assert missed == []
    assert sorted(came) == sorted(set(came))


def test_what_is_announced_reads_like_a_list_of_sentences(visit: Visit, heavy_sound: Path) -> None:
    begin(visit, heavy_sound)
    visit.act(heavy_sound.name, "pause")
    visit.act(heavy_sound.name, "resume")
    visit.expect_state(heavy_sound.name, "sending")
    slow_down(visit, -1)
    visit.expect_state(heavy_sound.name, "ready")
    visit.act(heavy_sound.name, "delete")
    visit.expect_state(heavy_sound.name, "deleting")

    quarters = ("25%", "50%", "75%")
    of_file = (
        *("sending.", "paused.", "sending."),
        *(f"{part} sent." for part in quarters),
        "converting.",
        *(f"{part} converted." for part in quarters),
        *("the MP3 is ready.", "deleted. It can be undone for some seconds."),
    )
    whole = iter(["1 file chosen.", *(f"{heavy_sound.name}: {sentence}" for sentence in of_file)])
    said = visit.page.locator("#said p").all_inner_texts()
    assert [sentence for sentence in said if sentence not in whole] == []  # each in its turn, none twice
    for sentence in ("paused.", "the MP3 is ready."):
        assert f"{heavy_sound.name}: {sentence}" in said


def reach(visit: Visit, selector: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(60):
        if visit.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        visit.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {selector}")
