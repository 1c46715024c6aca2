"""The page in a real Chromium, with every process of the suite behind it.

Whatever a test does, nothing may be said on the console: no error of a script, none of the policy.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.conftest import PASSWORD, User

CHROMIUM = "/usr/bin/chromium"
AXE = Path("gateway/page/node_modules/axe-core/axe.min.js").resolve()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\u202eevil\u202c שלום عربي",
    "🎬🎧 “quotes” & {{7*7}} ${1}",
    "a" * 200,
)
"""Names that a page might run, turn round or push others aside with."""
SECONDS = 60.0
expect.set_options(timeout=SECONDS * 1000)


@dataclass
class Visit:
    """A browser's window on the page, and what it complained about."""

    page: Page
    user: User
    said: list[str] = field(default_factory=list)
    tolerated: str | None = None
    """What a test brings about itself: a lost connection is no fault of the page."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.text} {message.location.get('url', '')}")

    def open(self) -> None:
        self.page.goto(f"{self.user.stack.gateway_url}/")

    def log_in(self, password: str = PASSWORD) -> None:
        self.page.get_by_label("E-mail address").fill(self.user.name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def choose(self, *files: Path) -> None:
        self.page.set_input_files("#choose", list(files))

    def row(self, name: str) -> Any:
        return self.page.locator("li.row").filter(has=self.page.get_by_role("heading", name=name, exact=True))

    def expect_state(self, name: str, state: str) -> None:
        expect(self.row(name)).to_have_attribute("data-state", state)

    def act(self, name: str, action: str) -> None:
        self.row(name).locator(f"[data-do={action}]").click()

    def unfold(self) -> None:
        """Open the options, what a program wants to know of a failure, and the account."""
        for summary in (".options > summary", ".technical > summary", ".account > summary"):
            self.page.locator(summary).first.click()

    def faults(self) -> list[str]:
        """What axe-core finds wrong for somebody who cannot see or point."""
        expect(self.page.locator("main").first).to_be_visible()
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("tags => axe.run({runOnly: tags})", RULES)
        return [f"{v['id']}: {node['target']}" for v in found["violations"] for node in v["nodes"]]

    def complaints(self) -> list[str]:
        return [line for line in self.said if not (self.tolerated and re.search(self.tolerated, line))]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Visits = Callable[..., Visit]


@pytest.fixture
def visits(browser: Browser, user: User) -> Iterator[Visits]:
    """Open windows with cookies of their own; at the end none may have complained."""
    opened: list[Visit] = []

    def visit(who: User = user, **context: Any) -> Visit:
        context = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **context}
        opened.append(Visit(browser.new_context(**context).new_page(), who))
        opened[-1].open()
        return opened[-1]

    yield visit
    for visit in opened:
        visit.page.context.close()
    assert [line for visit in opened for line in visit.complaints()] == []


@pytest.fixture
def visit(visits: Visits) -> Visit:
    """A window of a user who is logged in."""
    visit = visits()
    visit.log_in()
    visit.page.wait_for_selector("#choose", state="attached")
    return visit


def make(*arguments: str) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)


@pytest.fixture(scope="session")
def heavy_sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WAV of 16 MB: enough to be in the middle of."""
    file = tmp_path_factory.mktemp("media") / "heavy.wav"
    make("-f", "lavfi", "-i", "anoisesrc=duration=90:sample_rate=44100", "-ac", "2", str(file))
    return file
