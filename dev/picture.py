"""Take the picture of the page from the native suite that is up: `python -m dev.picture FILE`."""

import shutil
import sys
import tempfile
from pathlib import Path
from secrets import token_hex, token_urlsafe

from playwright.sync_api import Page, sync_playwright

from dev.demo import CLIP
from dev.stack import Stack

CHROMIUM = "/usr/bin/chromium"
NAMES = ("Lecture 12, Fourier transforms.mp4", "Interview with Ada.mp4")
SLOW_BYTES = 30_000
"""A second: the last video is still on its way when the picture is taken."""
SHOWN = {"width": 1000, "height": 860}
MS = 120_000.0


def main() -> int:
    """Upload some videos by the page as a new user, and show it while the last is on its way."""
    stack, target = Stack(), Path(sys.argv[1])
    name, password = f"me.{token_hex(3)}@example.com", token_urlsafe(12)
    stack.users("add", name, password=password)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport=SHOWN, device_scale_factor=2, locale="en-GB").new_page()  # type: ignore[arg-type]  # a size
        page.set_default_timeout(MS)
        page.goto(f"{stack.gateway_url}/")
        _log_in(page, name, password)
        _convert(page, Path(folder))
        page.screenshot(path=target)
        browser.close()
    return 0


def _log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("#choose", state="attached")


def _convert(page: Page, folder: Path) -> None:
    for count, name in enumerate(NAMES, start=1):
        page.set_input_files("#choose", shutil.copy(CLIP, folder / name))
        page.wait_for_function(
            "count => document.querySelectorAll('[data-state=ready]').length === count", arg=count
        )
    page.locator("[data-do=play]").first.click()
    page.wait_for_function("() => document.querySelector('audio').duration > 0")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": SLOW_BYTES}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.set_input_files("#choose", shutil.copy(CLIP, folder / "Holiday in Norway.mp4"))
    page.wait_for_function("() => document.querySelector('[data-state=sending] progress')?.value > 0.3")


if __name__ == "__main__":
    sys.exit(main())
