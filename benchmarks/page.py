"""What the page costs a browser, by Chromium's own tracing: bytes, first row, layout shift, long tasks.

`python -m benchmarks.page [--jobs 200] [--rounds 5]` starts a suite of its own.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.streams import converting
from dev.demo import CLIP
from dev.stack import Stack
from pipeline import mongodb
from pipeline.job import Job
from pipeline.jobs import Jobs

CHROMIUM = "/usr/bin/chromium"
NAME, PASSWORD = "me@example.com", "for-one-run-only"
CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "loading", "blink.user_timing"]
LONG_MS = 50.0
MS = 40_000.0
CHANGES = 30
SCROLLS = 40
FIRST_ROW = """new MutationObserver((_, observer) => {
    if (!document.querySelector("li.row")) return;
    observer.disconnect();
    requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => performance.measure("first row", { start: 0 });
        port2.postMessage(null);  // after the frame is drawn
    });
}).observe(document, { childList: true, subtree: true });"""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Costs:
    """What one visit cost."""

    script_bytes: int
    first_row_ms: float
    shift: float
    tasks: list[tuple[float, float]]
    """Milliseconds of each task of the page's main thread: by the clock, and of the processor."""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder)) as stack:
        job, jobs = prepare(stack, asked.jobs)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            costs = [visit(browser, stack, jobs, job, asked.jobs) for _ in range(asked.rounds)]
            browser.close()
    report(costs, asked.jobs)


@contextmanager
def suite(folder: Path) -> Iterator[Stack]:
    """Run a suite within the block."""
    stack = Stack(folder / "stack", {})
    stack.up()
    try:
        yield stack
    finally:
        stack.down()


def prepare(stack: Stack, count: int) -> tuple[Job, Jobs]:
    """Make a user with so many jobs, one of them done and one under way; return that."""
    stack.users("add", NAME, password=PASSWORD)
    with httpx.Client(base_url=stack.gateway_url, auth=(NAME, PASSWORD), timeout=60) as http:
        url = f"/v1/convert/{CLIP.name}"
        http.put(url, content=CLIP.read_bytes(), follow_redirects=True).raise_for_status()
    stack.ask("stopProcess", "converter")  # it would take the others
    jobs = Jobs(mongodb.connect((stack.secrets / "mongodb_url").read_text().strip()))
    return converting(jobs, NAME, count - 1), jobs


def visit(browser: Browser, stack: Stack, jobs: Jobs, job: Job, count: int) -> Costs:
    """Open the page as somebody who is logged in, list everything, and look on while a job goes on."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(MS)
    page.goto(f"{stack.gateway_url}/")
    log_in(page)
    page.wait_for_selector("li.row")
    page.goto("about:blank")
    page.add_init_script(FIRST_ROW)

    session = context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    browser.start_tracing(page=page, categories=CATEGORIES)
    page.goto(f"{stack.gateway_url}/")
    page.wait_for_function("() => performance.getEntriesByName('first row').length > 0")
    first_row = page.evaluate("performance.getEntriesByName('first row')[0].duration")
    use(page, jobs, job, count)
    events: list[Event] = json.loads(browser.stop_tracing())["traceEvents"]
    context.close()
    return Costs(script_bytes(events), first_row, shift(events), tasks(events))


def log_in(page: Page) -> None:
    """Log in."""
    page.get_by_label("E-mail address").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("#choose", state="attached")


def use(page: Page, jobs: Jobs, job: Job, count: int) -> None:
    """Do what a user does with a long list."""
    while page.locator("li.row").count() < count:
        shown = page.locator("li.row").count()
        # The button may go at any moment, when the last rows come that were asked for before.
        page.evaluate("document.querySelector('.more button')?.focus()")
        page.keyboard.press("Enter")
        page.wait_for_function("shown => document.querySelectorAll('li.row').length > shown", arg=shown)
    progress = page.locator(f"[data-id='{job.id}'] progress")
    for number in range(CHANGES):
        jobs.renew(job.claimed, progress=(number + 1) / (CHANGES + 1), phase="converting")
    last = CHANGES / (CHANGES + 1)
    page.wait_for_function("([bar, last]) => bar.value > last - 0.01", arg=[progress.element_handle(), last])
    jobs.renew(job.claimed, progress=0)
    for _ in range(SCROLLS):
        page.mouse.wheel(0, 600)
    page.get_by_label("Search by name").press_sequentially("talk 1")
    page.wait_for_function(
        "() => ![...document.querySelectorAll('li.row h3')].some(h => h.title === 'talk 2.mp4')"
    )


def script_bytes(events: list[Event]) -> int:
    """Return how many bytes of scripts came over the network, with their headers."""
    named = [event for event in events if event["name"] == "ResourceSendRequest"]
    scripts = {data(event)["requestId"] for event in named if ".js" in data(event)["url"]}
    ended = [data(event) for event in events if event["name"] == "ResourceFinish"]
    return sum(int(end["encodedDataLength"]) for end in ended if end["requestId"] in scripts)


def shift(events: list[Event]) -> float:
    """Return by how much the layout shifted without anybody's doing."""
    shifts = [data(event) for event in events if event["name"] == "LayoutShift"]
    return sum(float(found["score"]) for found in shifts if not found["had_recent_input"])


def tasks(events: list[Event]) -> list[tuple[float, float]]:
    """Return how long each task of the page's main thread took, in milliseconds."""
    pages = {event["pid"] for event in events if event["name"] == "ResourceSendRequest"}
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name"
        and event["args"]["name"] == "CrRendererMain"
        and event["pid"] in pages
    }
    found = [
        event for event in events if event["name"] == "RunTask" and (event["pid"], event["tid"]) in mains
    ]
    return [(event.get("dur", 0) / 1000, event.get("tdur", 0) / 1000) for event in found]


def data(event: Event) -> Event:
    """Return what an event tells."""
    told: Event = event["args"]["data"]
    return told


def report(costs: list[Costs], count: int) -> None:
    """Print what was measured, each with its bar."""
    longest = [max(task[0] for task in cost.tasks) for cost in costs]
    busiest = [max(task[1] for task in cost.tasks) for cost in costs]
    long = [sum(task[0] > LONG_MS for task in cost.tasks) for cost in costs]
    first = [cost.first_row_ms for cost in costs]
    rows = (
        ("scripts before the first upload, compressed", f"{costs[-1].script_bytes / 1000:.1f} kB", "60 kB"),
        ("first row drawn, median (best)", f"{statistics.median(first):.0f} ({min(first):.0f}) ms", "300 ms"),
        (f"layout shift with {count} rows, most", f"{max(cost.shift for cost in costs):.4f}", "0"),
        (f"tasks over {LONG_MS:.0f} ms, median a visit", f"{statistics.median(long):.0f}", "0"),
        ("longest task, median (best)", f"{statistics.median(longest):.0f} ({min(longest):.0f}) ms", "50 ms"),
        (
            "the same in time of the processor",
            f"{statistics.median(busiest):.0f} ({min(busiest):.0f}) ms",
            "",
        ),
    )
    lines = [f"| {what} | {seen} | {bar} |" for what, seen, bar in rows]
    print("\n".join(["| what | measured | at most |", "|---|---|---|", *lines]))  # noqa: T201 - what this command is for


if __name__ == "__main__":
    main()
