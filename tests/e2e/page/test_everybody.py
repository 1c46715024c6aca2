"""The page for those who cannot point, cannot see, or have a narrow or a dark screen."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CLIP, PASSWORD
from tests.e2e.page.conftest import Visit, Visits

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


def test_the_keyboard_alone_does_everything(visits: Visits) -> None:
    visit = visits()
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


def reach(visit: Visit, selector: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(60):
        if visit.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        visit.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {selector}")
