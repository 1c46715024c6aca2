"""An upload outlives the gateway, the window and the browser."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Request, Route, expect

from tests.chaos.proxy import Proxy
from tests.chaos.toxics import Bandwidth, Down
from tests.e2e.conftest import CLIP, PATIENT_SECONDS, wait_for
from tests.e2e.page.conftest import Visit, Visits

SLOW_BYTES = 400_000
"""A second."""
NETWORK = r"net::ERR_|50[0234] \(|WebSocket|EventSource"


def slow_down(visit: Visit, rate: int = SLOW_BYTES) -> None:
    network = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate}
    visit.page.context.new_cdp_session(visit.page).send("Network.emulateNetworkConditions", network)


def begin(visit: Visit, file: Path, at_least: int = 200_000) -> str:
    """Send a file slowly, and return its upload's id once some of it is there."""
    slow_down(visit)
    visit.choose(file)

    def some() -> str | None:
        uploads = visit.user.http.get("/v1/uploads").json()["uploads"]
        return next((upload["id"] for upload in uploads if upload["offset"] > at_least), None)

    return wait_for(some)


def the_job(visit: Visit) -> dict[str, object]:
    [job] = visit.user.http.get("/v1/jobs").json()["jobs"]
    return dict(job)


def test_an_upload_goes_on_when_the_gateway_comes_back(visit: Visit, heavy_sound: Path) -> None:
    visit.tolerated = NETWORK
    upload = begin(visit, heavy_sound)

    visit.user.stack.ask("stopProcess", "gateway")
    visit.expect_state(heavy_sound.name, "offline")
    slow_down(visit, -1)
    visit.user.stack.ask("startProcess", "gateway")

    visit.expect_state(heavy_sound.name, "ready")
    job = the_job(visit)
    assert job["id"] == upload
    assert job["source"]["size"] == heavy_sound.stat().st_size  # type: ignore[index]  # JSON


def test_an_upload_that_is_listed_before_it_is_answered_is_one_row(visits: Visits) -> None:
    visit = visits()
    streams: list[Route] = []
    answers: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            answers.append((route, route.fetch()))
        else:
            route.continue_()

    visit.page.route("**/v1/events", lambda route: streams.append(route))  # noqa: PLW0108  # Playwright marks it
    visit.page.route("**/v1/uploads", hold)
    visit.log_in()
    visit.choose(CLIP)
    wait_for(lambda: visit.page.wait_for_timeout(100) or answers)
    with visit.page.expect_response("**/v1/jobs?*"):
        streams[0].continue_()  # whoever hears the stream lists first

    under_way = re.compile("sending|stalled")
    visit.page.wait_for_timeout(500)
    expect(visit.row(CLIP.name)).to_have_attribute("data-state", under_way)
    route, answer = answers[0]
    route.fulfill(response=answer)
    visit.expect_state(CLIP.name, "ready")


@pytest.mark.parametrize("where", ["the same window", "another browser"])
def test_after_a_reload_the_same_file_goes_on_where_it_was(
    visit: Visit, visits: Visits, heavy_sound: Path, where: str
) -> None:
    upload = begin(visit, heavy_sound)
    other = visit
    visit.page.on("dialog", lambda dialog: dialog.accept())
    if where == "another browser":
        visit.page.context.close()
        other = visits()
        other.log_in()
    else:
        visit.page.reload()

    expect(other.row(heavy_sound.name)).to_contain_text(re.compile(r"Paused at|another window"))
    patched: list[Request] = []
    other.page.on("request", lambda request: patched.append(request) if request.method == "PATCH" else None)
    slow_down(other, -1)
    other.choose(heavy_sound)

    other.expect_state(heavy_sound.name, "ready")
    assert the_job(other)["id"] == upload
    assert int(patched[0].headers["upload-offset"]) > 0


def test_a_pause_sends_nothing_and_a_cancel_leaves_nothing(visit: Visit, heavy_sound: Path) -> None:
    begin(visit, heavy_sound)

    visit.act(heavy_sound.name, "pause")
    visit.expect_state(heavy_sound.name, "paused")
    offset = lambda: visit.user.http.get("/v1/uploads").json()["uploads"][0]["offset"]  # noqa: E731 - one line
    settled = wait_for(lambda: now if (now := offset()) == (time.sleep(0.5) or offset()) else None)
    visit.act(heavy_sound.name, "resume")
    wait_for(lambda: offset() > settled)

    visit.act(heavy_sound.name, "cancel")
    expect(visit.row(heavy_sound.name)).to_have_count(0)
    wait_for(lambda: visit.user.http.get("/v1/uploads").json()["uploads"] == [])
    wait_for(lambda: visit.user.http.get("/v1/jobs").json()["jobs"] == [])


@pytest.fixture
def line(visit: Visit) -> Iterator[Proxy]:
    """The line between a window and the gateway; the page has come by it."""
    proxy = Proxy(visit.user.stack.port("gateway"))
    visit.page.goto(f"http://localhost:{proxy.port}/")
    visit.page.wait_for_selector("#choose", state="attached")
    yield proxy
    visit.page.goto("about:blank")
    proxy.close()


def test_an_upload_goes_on_when_the_network_comes_back(visit: Visit, line: Proxy, heavy_sound: Path) -> None:
    visit.tolerated = NETWORK
    upload = begin(visit, heavy_sound)

    with line.on(Down()):
        visit.expect_state(heavy_sound.name, "offline")
        expect(visit.page.locator(".banner")).to_have_text("No connection. What you see may be out of date.")
    slow_down(visit, -1)

    visit.expect_state(heavy_sound.name, "ready")
    expect(visit.page.locator(".banner")).to_have_count(0)
    assert the_job(visit)["id"] == upload


def test_a_network_that_carries_nothing_is_told_from_a_slow_one(
    visit: Visit, line: Proxy, heavy_sound: Path
) -> None:
    visit.tolerated = NETWORK
    with line.on(Bandwidth(SLOW_BYTES), "up"):
        visit.choose(heavy_sound)
        visit.expect_state(heavy_sound.name, "sending")
        expect(visit.row(heavy_sound.name)).to_contain_text(re.compile(r"[kM]B/s · .* left"))

    with line.on(Bandwidth(1), "up"):
        visit.expect_state(heavy_sound.name, "stalled")
        expect(visit.row(heavy_sound.name)).to_contain_text("Waiting for the network at")

    visit.expect_state(heavy_sound.name, "ready")
    assert the_job(visit)["source"]["size"] == heavy_sound.stat().st_size  # type: ignore[index]  # JSON


def test_the_converter_may_die_in_mid_conversion(visit: Visit, long_video: Path) -> None:
    visit.choose(long_video)
    visit.expect_state(long_video.name, "converting")

    visit.user.stack.ask("signalProcess", "converter", "KILL")

    # another one takes over once the lease has ended
    ready = expect(visit.row(long_video.name))
    ready.to_have_attribute("data-state", "ready", timeout=PATIENT_SECONDS * 1000)
    assert the_job(visit)["state"] == "done"
    expect(visit.page.locator("li.row")).to_have_count(1)
