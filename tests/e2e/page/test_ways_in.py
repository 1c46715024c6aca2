"""Files come in by being dropped, with or without their folder, and by being pasted."""

import base64
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CLIP
from tests.e2e.page.conftest import Visit

PLACES = {"on the card": (640, 200), "below everything": (40, 880)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a video in it, and one in a folder of that."""
    (tmp_path / "talks" / "old").mkdir(parents=True)
    for name in ("talks/new.mp4", "talks/old/first.mp4"):
        shutil.copy(CLIP, tmp_path / name)
    return tmp_path / "talks"


def drag(visit: Visit, kind: str, at: tuple[int, int], *files: Path) -> None:
    """Hold files over the page, or let them go, as a file manager does."""
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    event = {"type": kind, "x": at[0], "y": at[1], "data": data}
    visit.page.context.new_cdp_session(visit.page).send("Input.dispatchDragEvent", event)


def drop(visit: Visit, *files: Path, at: tuple[int, int] = (640, 200)) -> None:
    for kind in ("dragEnter", "dragOver", "drop"):
        drag(visit, kind, at, *files)


@pytest.mark.parametrize("place", PLACES)
def test_a_file_may_be_dropped_anywhere(visit: Visit, place: str) -> None:
    drop(visit, CLIP, at=PLACES[place])

    visit.expect_state(CLIP.name, "ready")
    expect(visit.page.locator(".dropping")).to_be_hidden()


def test_while_a_file_is_held_over_the_page_it_says_so(visit: Visit) -> None:
    drag(visit, "dragEnter", (640, 200), CLIP)
    drag(visit, "dragOver", (40, 880), CLIP)
    expect(visit.page.locator(".dropping")).to_be_visible()

    drag(visit, "dragOver", (40, 5000), CLIP)  # out of the window

    expect(visit.page.locator(".dropping")).to_be_hidden()
    expect(visit.page.locator("li.row")).to_have_count(0)


def test_a_dropped_folder_brings_all_that_is_in_it(visit: Visit, folder: Path) -> None:
    drop(visit, folder)

    visit.expect_state("new.mp4", "ready")
    visit.expect_state("first.mp4", "ready")
    expect(visit.page.locator("li.row")).to_have_count(2)


def test_a_chosen_folder_brings_all_that_is_in_it(visit: Visit, folder: Path) -> None:
    visit.page.set_input_files("#folder", folder)

    visit.expect_state("new.mp4", "ready")
    visit.expect_state("first.mp4", "ready")


def test_a_pasted_file_is_converted(visit: Visit) -> None:
    visit.page.evaluate(
        """content => {
            const clipboardData = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            clipboardData.items.add(new File([bytes], "pasted.mp4", {type: "video/mp4"}));
            document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true}));
        }""",
        base64.b64encode(CLIP.read_bytes()).decode(),
    )

    visit.expect_state("pasted.mp4", "ready")


def test_a_pasted_text_is_left_to_the_field(visit: Visit) -> None:
    search = visit.page.get_by_label("Search by name")
    search.fill("talk")
    search.press("Control+a")
    search.press("Control+c")
    search.fill("")

    search.press("Control+v")

    expect(search).to_have_value("talk")
    expect(visit.page.locator("li.row")).to_have_count(0)
