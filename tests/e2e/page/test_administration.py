"""What administrators do on the page, and that nobody else sees it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pika
import pytest
from playwright.sync_api import Request, Route, expect

from dev.stack import Stack
from tests.e2e.conftest import CLIP, User, wait_for
from tests.e2e.page.conftest import Visit, Visits

UNREADABLE = b"no message of ours <b>"
IS_ONE = "async () => (await (await fetch('v1/admin/dead-letters/video')).json()).dead_letters.length === 1"


def publish_unreadable(stack: Stack) -> None:
    url = (stack.secrets / "rabbitmq_url").read_text()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().basic_publish("", "video", UNREADABLE)


@pytest.fixture
def office(visits: Visits, new_user: Callable[..., User]) -> Visit:
    """An administrator's window."""
    visit = visits(new_user("--admin"))
    visit.log_in()
    visit.page.wait_for_selector("#choose", state="attached")
    return visit


def open_administration(visit: Visit) -> None:
    visit.page.locator(".admin > summary").click()
    expect(visit.page.get_by_role("heading", name="Health")).to_be_visible()


def entry(visit: Visit, name: str) -> Any:
    return visit.page.locator(".admin li").filter(has=visit.page.get_by_text(name, exact=True))


def can_log_in(visit: Visit, name: str, password: str) -> bool:
    status = httpx.post(f"{visit.user.stack.gateway_url}/login", auth=(name, password)).status_code
    assert status in (httpx.codes.OK, httpx.codes.UNAUTHORIZED)
    return status == httpx.codes.OK


def told_password(visit: Visit, name: str) -> str:
    note = visit.page.locator(".admin .note")
    expect(note).to_contain_text(f"{name} can log in with the password")
    return re.search(r"the password (\S+)\. It is shown", note.inner_text())[1]  # type: ignore[index]  # it is there


def test_who_is_no_administrator_sees_no_administration(visit: Visit) -> None:
    expect(visit.page.get_by_text("Nothing here yet.")).to_be_visible()
    expect(visit.page.locator(".admin")).to_have_count(0)


def test_an_administrator_adds_disables_and_resets_users(office: Visit) -> None:
    open_administration(office)
    name = f"new-{office.user.name}"
    office.page.locator(".admin [name=username]").fill(name)
    office.page.get_by_role("button", name="Add a user").click()
    first = told_password(office, name)
    assert can_log_in(office, name, first)

    entry(office, name).get_by_role("button", name="Disable").click()
    expect(entry(office, name)).to_contain_text("disabled")
    assert not can_log_in(office, name, first)
    entry(office, name).get_by_role("button", name="Enable").click()
    expect(entry(office, name).get_by_role("button", name="Disable")).to_be_visible()

    entry(office, name).get_by_role("button", name="Reset password").click()
    second = told_password(office, name)
    assert can_log_in(office, name, second)
    assert not can_log_in(office, name, first)


def test_a_name_that_is_taken_is_refused_in_words(office: Visit) -> None:
    office.tolerated = "409"
    open_administration(office)

    office.page.locator(".admin [name=username]").fill(office.user.name)
    office.page.get_by_role("button", name="Add a user").click()

    expect(office.page.get_by_role("alert")).to_have_text("A user with this name already exists.")


def test_an_administrator_sees_and_ends_the_jobs_of_others(office: Visit, stranger: User) -> None:
    stranger.stack.ask("stopProcess", "converter")
    try:
        job = stranger.upload(CLIP, "of a stranger.mp4")
        open_administration(office)
        office.page.get_by_label("Owner").fill(stranger.name)
        office.page.get_by_label("Owner").press("Enter")
        expect(entry(office, "of a stranger.mp4")).to_contain_text(f"{stranger.name} · Queued")
        entry(office, "of a stranger.mp4").get_by_role("button", name="End").click()
        expect(entry(office, "of a stranger.mp4")).to_contain_text("Failed")
    finally:
        stranger.stack.ask("startProcess", "converter")

    assert stranger.outcome(job)["error"]["code"] == "given_up"
    entry(office, "of a stranger.mp4").get_by_role("button", name="Convert again").click()
    wait_for(lambda: stranger.job(job)["state"] == "done")
    assert office.page.locator("li.row").count() == 0  # among the administrator's own there is none


def test_messages_that_nobody_could_read_are_put_back_or_deleted(office: Visit) -> None:
    publish_unreadable(office.user.stack)
    wait_for(lambda: office.page.evaluate(IS_ONE))

    open_administration(office)
    expect(office.page.locator(".admin code")).to_have_text(UNREADABLE.decode())
    with office.page.expect_response(re.compile("/replay$")) as replaying:
        office.page.get_by_role("button", name="Return to queue").click()
    assert replaying.value.json() == {"replayed": 1}
    wait_for(lambda: office.page.evaluate(IS_ONE))
    office.page.locator(".admin > summary").click()
    open_administration(office)

    office.page.get_by_role("button", name="Delete: video").click()
    expect(office.page.locator(".admin")).to_contain_text("video: None.")


def test_the_health_of_every_server_is_told(office: Visit) -> None:
    open_administration(office)

    findings = office.page.evaluate("async () => (await (await fetch('v1/admin/doctor')).json()).findings")
    for finding in findings:
        word = "OK" if finding["ok"] else "failing"
        shown = office.page.locator(".admin li.good, .admin li.bad").filter(has_text=finding["name"]).first
        expect(shown.locator(".word")).to_have_text(word)
    assert len(findings) > 3


@contextmanager
def answered_backwards(visit: Visit, path: str) -> Iterator[None]:
    """Have two requests answered in the wrong order."""
    routes: list[Route] = []
    visit.page.route(path, lambda route: routes.append(route))  # noqa: PLW0108  # Playwright marks it
    yield
    wait_for(lambda: visit.page.wait_for_timeout(50) or len(routes) > 1)
    for route in reversed(routes):
        with visit.page.expect_response(path):
            route.continue_()
    visit.page.unroute(path)


def test_the_list_is_of_the_owner_who_was_asked_for_last(office: Visit, stranger: User, user: User) -> None:
    for owner in (stranger, user):
        owner.outcome(owner.upload(CLIP, f"of {owner.name}.mp4"))
    open_administration(office)
    field = office.page.get_by_label("Owner")

    with answered_backwards(office, "**/v1/admin/jobs?*"):
        for owner in (stranger, user):
            field.fill(owner.name)
            field.press("Enter")

    expect(entry(office, f"of {user.name}.mp4")).to_be_visible()
    expect(entry(office, f"of {stranger.name}.mp4")).to_have_count(0)


def test_the_password_that_is_told_is_the_one_that_counts(office: Visit, stranger: User) -> None:
    open_administration(office)
    button = entry(office, stranger.name).get_by_role("button", name="Reset password")
    resets: list[Request] = []
    office.page.on("request", lambda sent: resets.append(sent) if sent.method == "PATCH" else None)

    button.dblclick()

    wait_for(lambda: office.page.wait_for_timeout(50) or (len(resets) == 2 and resets[1].response()))
    answer = resets[1].response()
    assert answer is not None
    expect(office.page.locator(".admin .note")).to_contain_text(answer.json()["password"])
    assert can_log_in(office, stranger.name, told_password(office, stranger.name))
