"""Whoever reloads the page, or comes from another browser, finds every row as it was."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CLIP
from tests.e2e.page.conftest import Visit, Visits, make
from tests.e2e.page.test_survival import NETWORK, begin

AFTER = {"paused": "forgotten"}
"""What becomes of a state when the browser has no file any more."""
STILL = ("ready", "partial", "failed", "canceled")
"""Of the others a percentage or a time left may change meanwhile."""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, silent_film: Path, heavy_sound: Path) -> dict[str, Path]:
    """A file for each way that a conversion may take."""
    folder = tmp_path_factory.mktemp("films")
    whole, cut = folder / "whole.mp4", folder / "cut.mp4"
    make("-f", "lavfi", "-i", "sine=duration=60", "-c:a", "aac", "-movflags", "faststart", str(whole))
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    return {"cut": cut, "silent": silent_film, "heavy": heavy_sound}


@contextmanager
def without(visit: Visit, program: str) -> Iterator[None]:
    """Have no such program for a while."""
    visit.user.stack.ask("stopProcess", program)
    try:
        yield
    finally:
        visit.user.stack.ask("startProcess", program)


@contextmanager
def over(visit: Visit, file: Path) -> Iterator[str]:
    visit.choose(file)
    yield file.name


@contextmanager
def paused(visit: Visit, file: Path) -> Iterator[str]:
    begin(visit, file)
    visit.act(file.name, "pause")
    yield file.name


@contextmanager
def queued(visit: Visit, file: Path) -> Iterator[str]:
    with without(visit, "converter"):
        visit.choose(file)
        yield file.name


@contextmanager
def canceled(visit: Visit, file: Path) -> Iterator[str]:
    with without(visit, "converter"):
        visit.choose(file)
        visit.act(file.name, "stop")
        yield file.name


@contextmanager
def converting(visit: Visit, file: Path) -> Iterator[str]:
    visit.choose(file)
    visit.expect_state(file.name, "converting")
    visit.user.stack.ask("signalProcess", "converter", "STOP")
    try:
        yield file.name
    finally:
        visit.user.stack.ask("signalProcess", "converter", "CONT")


Way = Callable[[Visit, Path], AbstractContextManager[str]]
WAYS: dict[str, tuple[Way, str]] = {
    "paused": (paused, "heavy"),
    "queued": (queued, "clip"),
    "converting": (converting, "long"),
    "ready": (over, "clip"),
    "partial": (over, "cut"),
    "failed": (over, "silent"),
    "canceled": (canceled, "clip"),
}


@pytest.mark.parametrize("state", WAYS)
def test_a_row_is_found_as_it_was(
    visit: Visit, visits: Visits, films: dict[str, Path], long_video: Path, state: str
) -> None:
    visit.page.on("dialog", lambda dialog: dialog.accept())
    visit.tolerated = NETWORK
    way, kind = WAYS[state]
    file = {**films, "clip": CLIP, "long": long_video}[kind]

    with way(visit, file) as name:
        visit.expect_state(name, state)
        told = visit.row(name).locator(".status").inner_text()

        visit.page.reload()
        other = visits()
        other.log_in()

        for window in (visit, other):
            window.expect_state(name, AFTER.get(state, state))
            expect(window.page.locator("li.row")).to_have_count(1)
            if state in STILL:
                assert window.row(name).locator(".status").inner_text() == told
