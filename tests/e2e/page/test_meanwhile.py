"""What a user does while the server has not answered yet, or in two windows at once."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import APIResponse, Request, Route, expect

from tests.e2e.conftest import CLIP, User, wait_for
from tests.e2e.page.conftest import Visit, Visits
from tests.e2e.page.test_survival import NETWORK, begin, slow_down, the_job

TUS = "**/tus-js-client/tus.js*"
UPLOADS = "**/v1/uploads"


@contextmanager
def unanswered(visit: Visit, path: str, method: str) -> Iterator[None]:
    """Let the server do what such a request asks for, but have its answer come only after the block."""
    answers: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method == method:
            answers.append((route, route.fetch()))
        else:
            route.fallback()

    visit.page.route(path, hold)
    yield
    wait_for(lambda: visit.page.wait_for_timeout(50) or answers)
    for route, answer in answers:
        if not route.request.failure:
            route.fulfill(response=answer)
    visit.page.unroute(path, hold)


def listed(visit: Visit, path: str) -> list[object]:
    found: list[object] = visit.user.http.get(f"/v1/{path}").json()[re.split(r"\W", path)[0]]
    return found


def nothing_is_left(visit: Visit) -> bool:
    visit.page.wait_for_timeout(50)
    return listed(visit, "uploads") == listed(visit, "jobs") == []


def count(visit: Visit, method: str, path: str) -> list[Request]:
    """Return the list of such requests, which grows."""
    found: list[Request] = []
    visit.page.on(
        "request",
        lambda request: (
            found.append(request) if request.method == method and re.search(path, request.url) else None
        ),
    )
    return found


def test_a_cancel_before_an_upload_has_its_address_leaves_nothing(visit: Visit) -> None:
    with unanswered(visit, UPLOADS, "POST"):
        visit.choose(CLIP)
        wait_for(lambda: visit.page.wait_for_timeout(50) or listed(visit, "uploads"))
        visit.act(CLIP.name, "cancel")
        expect(visit.row(CLIP.name)).to_have_count(0)
        with visit.page.expect_response("**/v1/uploads?*"):
            visit.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(visit.page.locator("li.row")).to_have_count(0)  # the server tells of it still

    wait_for(lambda: nothing_is_left(visit))
    expect(visit.page.locator("li.row")).to_have_count(0)


def test_a_cancel_that_the_last_byte_outruns_cancels_the_job(visits: Visits) -> None:
    visit = visits()
    visit.tolerated = r"409 \("
    streams: list[Route] = []
    visit.page.route("**/v1/events", lambda route: streams.append(route))  # noqa: PLW0108  # Playwright marks it
    visit.log_in()
    visit.user.stack.ask("stopProcess", "converter")
    try:
        with unanswered(visit, "**/v1/uploads/*", "PATCH"):
            visit.choose(CLIP)
            wait_for(lambda: visit.page.wait_for_timeout(50) or listed(visit, "jobs?state=queued"))
            visit.act(CLIP.name, "cancel")
            wait_for(lambda: visit.page.wait_for_timeout(50) or listed(visit, "jobs?state=canceled"))
    finally:
        visit.user.stack.ask("startProcess", "converter")

    streams[0].continue_()
    visit.expect_state(CLIP.name, "canceled")


def test_a_pause_before_an_upload_has_its_address_begins_no_second_one(visit: Visit) -> None:
    with unanswered(visit, UPLOADS, "POST"):
        visit.choose(CLIP)
        wait_for(lambda: visit.page.wait_for_timeout(50) or listed(visit, "uploads"))
        visit.act(CLIP.name, "pause")
        visit.expect_state(CLIP.name, "paused")
        visit.act(CLIP.name, "resume")
        visit.expect_state(CLIP.name, "sending")

    visit.expect_state(CLIP.name, "ready")
    assert the_job(visit)["state"] == "done"
    assert listed(visit, "uploads") == []
    expect(visit.page.locator("li.row")).to_have_count(1)


def test_a_begin_whose_answer_is_lost_begins_no_second_upload(visit: Visit) -> None:
    visit.tolerated = NETWORK
    lost: list[APIResponse] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch())
            route.abort()
        else:
            route.continue_()

    visit.page.route(UPLOADS, lose)
    visit.choose(CLIP)

    visit.expect_state(CLIP.name, "ready")
    assert lost[0].headers["location"].endswith(str(the_job(visit)["id"]))
    assert listed(visit, "uploads") == []


def test_a_pause_while_the_page_loads_what_sends_does_not_send_twice(visit: Visit) -> None:
    held: list[Route] = []
    visit.page.route(TUS, lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks it
    began = count(visit, "POST", "/v1/uploads$")
    visit.choose(CLIP)
    wait_for(lambda: visit.page.wait_for_timeout(50) or held)

    visit.act(CLIP.name, "pause")
    visit.act(CLIP.name, "resume")
    visit.expect_state(CLIP.name, "sending")
    held[0].continue_()

    visit.expect_state(CLIP.name, "ready")
    assert len(began) == 1


def test_a_network_that_is_away_when_the_page_would_load_what_sends_is_waited_for(visit: Visit) -> None:
    visit.tolerated = NETWORK
    visit.page.route(TUS, lambda route: route.abort())
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "offline")

    visit.page.unroute(TUS)

    visit.expect_state(CLIP.name, "ready")


def test_what_is_canceled_in_one_window_is_not_begun_anew_in_another(
    visit: Visit, visits: Visits, heavy_sound: Path
) -> None:
    visit.tolerated = r"40[49] \("
    begin(visit, heavy_sound)
    other = visits()
    other.log_in()

    other.act(heavy_sound.name, "cancel")

    visit.expect_state(heavy_sound.name, "refused")
    expect(visit.row(heavy_sound.name)).to_contain_text("The upload was canceled in another window")
    slow_down(visit, -1)
    wait_for(lambda: nothing_is_left(visit))
    expect(other.page.locator("li.row")).to_have_count(0)
    visit.act(heavy_sound.name, "dismiss")
    expect(visit.page.locator("li.row")).to_have_count(0)


def test_a_deletion_that_is_under_way_does_not_offer_to_be_undone(visit: Visit) -> None:
    visit.user.outcome(visit.user.upload(CLIP, "talk.mp4"))
    visit.expect_state("talk.mp4", "ready")

    held: list[Route] = []
    visit.page.route("**/v1/jobs/*", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks it
    visit.act("talk.mp4", "delete")
    expect(visit.row("talk.mp4").locator("[data-do=undo]")).to_be_visible()
    wait_for(lambda: visit.page.wait_for_timeout(50) or held)
    expect(visit.row("talk.mp4").locator("button")).to_have_count(0)
    visit.expect_state("talk.mp4", "deleting")
    held[0].continue_()

    expect(visit.row("talk.mp4")).to_have_count(0)
    assert nothing_is_left(visit)


def test_who_deletes_and_logs_out_at_once_has_deleted(visit: Visit) -> None:
    visit.user.outcome(visit.user.upload(CLIP, "talk.mp4"))
    visit.expect_state("talk.mp4", "ready")

    visit.act("talk.mp4", "delete")
    visit.page.locator(".account > summary").click()
    visit.page.locator("[data-do=log-out]").click()

    expect(visit.page.get_by_label("E-mail address")).to_be_visible()
    assert nothing_is_left(visit)


def test_whoever_logs_in_next_sees_nothing_of_the_user_before(visit: Visit, stranger: User) -> None:
    visit.tolerated = r"401 \("
    visit.user.outcome(visit.user.upload(CLIP, "secret.mp4"))
    visit.expect_state("secret.mp4", "ready")
    visit.user.http.post("/v1/logout").raise_for_status()  # everywhere
    expect(visit.page.locator(".note")).to_contain_text("You have been logged out.")

    held: list[Route] = []
    visit.page.route("**/v1/jobs?*", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks it
    visit.user = stranger
    visit.log_in()

    wait_for(lambda: visit.page.wait_for_timeout(50) or held)
    expect(visit.page.locator("#choose")).to_be_attached()
    expect(visit.page.locator("li.row")).to_have_count(0)
    for route in held:
        route.continue_()
