"""A narrow screen that goes dark, and a page that its system puts to sleep."""

from pathlib import Path

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.page.conftest import Visit, Visits
from tests.e2e.page.test_survival import NETWORK, begin, slow_down, the_job

REMEMBER_LOCKS = """
    globalThis.locks = [];
    const request = WakeLock.prototype.request;
    WakeLock.prototype.request = async function (kind) {
        const lock = await request.call(this, kind);
        locks.push(lock);
        return lock;
    };
"""


@pytest.fixture
def phone(visits: Visits) -> Visit:
    visit = visits(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    visit.page.add_init_script(REMEMBER_LOCKS)
    visit.page.reload()
    visit.log_in()
    visit.page.wait_for_selector("#choose", state="attached")
    return visit


def test_the_screen_stays_on_while_a_file_is_sent(phone: Visit, heavy_sound: Path) -> None:
    begin(phone, heavy_sound)
    phone.page.wait_for_function("() => locks.some(lock => !lock.released)")

    phone.act(heavy_sound.name, "pause")
    phone.page.wait_for_function("() => locks.every(lock => lock.released)")

    phone.act(heavy_sound.name, "resume")
    phone.page.wait_for_function("() => locks.some(lock => !lock.released)")
    slow_down(phone, -1)
    phone.expect_state(heavy_sound.name, "ready")
    phone.page.wait_for_function("() => locks.every(lock => lock.released)")


def test_a_page_that_slept_goes_on_where_the_upload_was(phone: Visit, heavy_sound: Path) -> None:
    phone.tolerated = NETWORK
    upload = begin(phone, heavy_sound)
    patched: list[Request] = []
    phone.page.on("request", lambda request: patched.append(request) if request.method == "PATCH" else None)
    session = phone.page.context.new_cdp_session(phone.page)

    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    phone.user.stack.ask("stopProcess", "gateway")  # meanwhile its connections are lost
    phone.user.stack.ask("startProcess", "gateway")
    slow_down(phone, -1)
    session.send("Page.setWebLifecycleState", {"state": "active"})

    phone.expect_state(heavy_sound.name, "ready")
    assert the_job(phone)["id"] == upload
    assert int(patched[-1].headers["upload-offset"]) > 0


def test_nothing_sticks_out_of_a_narrow_screen_on_the_way(phone: Visit, heavy_sound: Path) -> None:
    begin(phone, heavy_sound)
    expect(phone.row(heavy_sound.name).locator("progress")).to_be_visible()

    assert phone.page.evaluate("document.documentElement.scrollWidth") == 320
    targets = phone.page.locator("button:visible, a.button:visible, label.button:visible, select:visible")
    for box in (target.bounding_box() for target in targets.all()):
        assert box is not None
        assert min(box["width"], box["height"]) >= 24  # WCAG 2.2, 2.5.8
