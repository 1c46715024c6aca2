"""The page for those who cannot point, cannot see, or have a narrow or a dark screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CLIP, User
from tests.e2e.page import gallery
from tests.e2e.page.conftest import Visit, Visits
from tests.e2e.page.test_administration import open_administration, told_password
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
    visit.unfold()

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


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nobody_is_shut_out_from_the_administration(
    visits: Visits, new_user: Callable[..., User], width: int, scheme: str
) -> None:
    boss, name = new_user("--admin"), f"{width}-{scheme}@example.com"
    visit = visits(boss, viewport={"width": width, "height": 800}, color_scheme=scheme)
    visit.tolerated = r"409 \("
    visit.log_in()
    open_administration(visit)
    assert visit.faults() == []

    visit.page.locator(".admin [name=username]").fill(name)
    visit.page.get_by_role("button", name="Add a user").click()
    told_password(visit, name)
    visit.page.locator(".admin [name=username]").fill(name)
    visit.page.get_by_role("button", name="Add a user").click()
    expect(visit.page.get_by_role("alert")).to_have_text("A user with this name already exists.")
    assert visit.faults() == []

    gallery.furnish(visit, boss.outcome(boss.upload(CLIP)))
    visit.page.locator(".admin > summary").click()
    open_administration(visit)
    expect(visit.page.get_by_text("failing", exact=True)).to_be_visible()
    assert visit.page.locator(".admin code").count() == len(gallery.HOSTILE) + 1
    assert visit.faults() == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nobody_is_shut_out_from_the_way_in_and_the_account(
    visits: Visits, user: User, width: int, scheme: str
) -> None:
    visit, other = visits(viewport={"width": width, "height": 800}, color_scheme=scheme), visits()
    other.log_in()
    other.page.wait_for_selector(".account")
    other.tolerated = visit.tolerated = r"401 \(|net::ERR_"
    visit.log_in("a wrong password")
    expect(visit.page.get_by_role("alert")).to_be_visible()
    assert visit.faults() == []

    visit.log_in()
    visit.page.locator(".account > summary").click()
    expect(visit.page.get_by_role("button", name="End: ")).to_be_visible()  # the other window
    visit.page.get_by_label("Current password").fill("a wrong password")
    visit.page.get_by_label("New password").fill("a password that is new")
    visit.page.get_by_role("button", name="Change password").click()
    expect(visit.page.get_by_role("alert")).to_be_visible()
    assert visit.faults() == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    visit.page.context.set_offline(True)  # that is how Playwright has it
    visit.page.get_by_label("Search by name").fill("x")
    expect(visit.page.locator(".notices .banner, .notices .problem").first).to_be_visible()
    assert visit.faults() == []

    visit.page.context.set_offline(False)  # that is how Playwright has it
    user.http.post("/v1/logout").raise_for_status()
    expect(visit.page.locator(".note")).to_contain_text("You have been logged out.")
    assert visit.faults() == []


def test_what_is_announced_reads_like_a_list_of_sentences(visit: Visit, heavy_sound: Path) -> None:
    begin(visit, heavy_sound)
    visit.act(heavy_sound.name, "pause")
    visit.act(heavy_sound.name, "resume")
    visit.expect_state(heavy_sound.name, "sending")
    slow_down(visit, -1)
    visit.expect_state(heavy_sound.name, "ready")
    visit.act(heavy_sound.name, "delete")
    visit.expect_state(heavy_sound.name, "deleting")

    done = ("the MP3 is ready.", "deleted. You can undo this for a few seconds.")
    steps = ("sending.", "paused.", "sending.", "converting.", *done)
    quarters = [f"{part}% {verb}." for verb in ("sent", "converted") for part in (25, 50, 75)]
    said = visit.page.locator("#said p").all_inner_texts()
    assert said[0] == "1 file chosen."
    told = [sentence.removeprefix(f"{heavy_sound.name}: ") for sentence in said[1:]]
    for whole in (steps, quarters):  # how far it was when it was paused is left to chance
        in_turn = iter(whole)
        assert [sentence for sentence in told if sentence in whole and sentence not in in_turn] == []
    assert set(told) <= {*steps, *quarters}
    assert {"paused.", "the MP3 is ready."} <= set(told)
