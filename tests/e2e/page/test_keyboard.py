"""The page by the keyboard alone."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.conftest import CLIP, PASSWORD, User, wait_for
from tests.e2e.page import gallery
from tests.e2e.page.conftest import Visit, Visits
from tests.e2e.page.test_administration import (
    IS_ONE,
    can_log_in,
    entry,
    publish_unreadable,
    told_password,
)


def test_the_keyboard_alone_keeps_users(visits: Visits, new_user: Callable[..., User]) -> None:
    visit = visits(new_user("--admin"))
    visit.log_in()
    visit.page.wait_for_selector("#choose", state="attached")
    name, keys = f"keys-{visit.user.name}", visit.page.keyboard

    reach(visit, ".admin > summary")
    keys.press("Enter")
    expect(visit.page.get_by_role("heading", name="Health")).to_be_visible()
    reach(visit, ".admin [name=username]")
    keys.type(name)
    keys.press("Enter")
    first = told_password(visit, name)
    press(visit, "Disable", name)
    expect(entry(visit, name)).to_contain_text("disabled")
    press(visit, "Enable", name)
    expect(entry(visit, name)).not_to_contain_text("disabled")
    assert can_log_in(visit, name, first)
    press(visit, "Reset password", name)
    expect(visit.page.locator(".admin .note")).not_to_contain_text(first)
    assert can_log_in(visit, name, told_password(visit, name))

    told = "shown at the top of the administration."
    assert visit.page.locator("#said p").all_inner_texts() == [
        f"{name} added. The password is {told}",
        f"{name} disabled.",
        f"{name} enabled.",
        f"{name} has a new password. It is {told}",
    ]


def test_the_keyboard_alone_ends_jobs_and_clears_up_messages(
    visits: Visits, new_user: Callable[..., User], stranger: User
) -> None:
    visit, stack = visits(new_user("--admin")), stranger.stack
    visit.log_in()
    visit.page.wait_for_selector(".admin")
    keys = visit.page.keyboard

    def look_again() -> None:
        reach(visit, ".admin > summary")
        keys.press("Enter")
        expect(visit.page.locator(".admin[open]")).to_have_count(0)
        keys.press("Enter")

    reach(visit, ".admin > summary")
    keys.press("Enter")
    stack.ask("stopProcess", "converter")
    try:
        stranger.upload(CLIP, "by the keyboard.mp4")
        reach(visit, ".admin [type=search]")
        keys.type(stranger.name)
        keys.press("Enter")
        press(visit, "End", "by the keyboard.mp4")
        expect(entry(visit, "by the keyboard.mp4")).to_contain_text("Failed")
        expect(entry(visit, "by the keyboard.mp4")).to_be_focused()  # the button is no more
        press(visit, "Convert again", "by the keyboard.mp4")
        expect(entry(visit, "by the keyboard.mp4")).to_contain_text("Queued")
    finally:
        stack.ask("startProcess", "converter")

    publish_unreadable(stack)
    wait_for(lambda: visit.page.evaluate(IS_ONE))
    look_again()
    press(visit, "Return to queue", "video")
    expect(visit.page.locator("#said")).to_contain_text("returned")
    wait_for(lambda: visit.page.evaluate(IS_ONE))
    look_again()
    press(visit, "Delete", "video")
    expect(visit.page.locator(".admin")).to_contain_text("video: None.")

    assert visit.page.locator("#said p").all_inner_texts() == [
        "by the keyboard.mp4: ended.",
        "by the keyboard.mp4: will be converted again.",
        "Messages returned to their queue.",
        "Messages deleted.",
    ]


def test_the_keyboard_alone_manages_the_account(visits: Visits) -> None:
    visit, other = visits(), visits()
    for window in (other, visit):
        window.tolerated = r"401 \("
        window.log_in()
        window.page.wait_for_selector(".account")
    keys = visit.page.keyboard
    reach(visit, ".account > summary")
    keys.press("Enter")
    reach(visit, '[aria-label^="End: "]')
    keys.press("Enter")
    expect(visit.page.locator("#said p").last).to_have_text(re.compile(": logged out.$"))
    expect(visit.page.locator(".menu ul")).to_be_focused()
    expect(other.page.locator(".note")).to_contain_text("You have been logged out.")

    for _ in range(3):  # back over the button, to the first of two fields
        keys.press("Shift+Tab")
    keys.type(PASSWORD)
    keys.press("Tab")
    keys.type("a password that is new")
    keys.press("Enter")
    expect(visit.page.locator(".note")).to_contain_text("Log in with the new one.")
    visit.log_in("a password that is new")
    reach(visit, ".account > summary")
    keys.press("Enter")
    reach(visit, "[data-do=log-out]")
    keys.press("Enter")
    expect(visit.page.get_by_label("E-mail address")).to_be_focused()


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
    expect(visit.row(CLIP.name)).to_be_focused()  # the button is no more
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
    visit.unfold()
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


def reach(visit: Visit, selector: str) -> None:
    """Press Tab until something has the focus."""
    visit.page.wait_for_selector(selector)
    for _ in range(2 * visit.page.locator(CONTROLS).count()):
        if visit.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        visit.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {selector}")


def press(visit: Visit, what: str, about: str) -> None:
    """Press one of the administration's buttons."""
    reach(visit, f'.admin [aria-label="{what}: {about}"]')
    visit.page.keyboard.press("Enter")
