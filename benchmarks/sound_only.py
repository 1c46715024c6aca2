"""How much sooner an MP3 is in hand when only the sound of a video travels.

`python -m benchmarks.sound_only [--megabytes 60] [--minutes 4.8] [--mbit 10]` starts a suite of its own; a
lecture of two hours is `--megabytes 1500 --minutes 120`. The sound has 64 kbit/s, as speech has.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg
from playwright.sync_api import Page, sync_playwright

from benchmarks.page import CHROMIUM, NAME, PASSWORD, log_in, suite

WIDTH, HEIGHT = 320, 180
FRAME_BYTES = WIDTH * HEIGHT * 2
"""Of raw video (`uyvy422`): it takes no time to encode, and is large."""
SOUND_BIT_RATE = 64_000
SENT = "li.row:is([data-state=sealed], :has([data-do=stop]), :has([data-do=download]))"
MOST_MS = 3_600_000.0


def main() -> None:
    """Send the same video both ways over the same line, and print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=60)
    parser.add_argument("--minutes", type=float, default=4.8)
    parser.add_argument("--mbit", type=float, default=10, help="a second, from the browser")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, suite(Path(name)) as stack:
        video = film(Path(name) / "film.mov", asked.megabytes * 1e6, asked.minutes * 60)
        stack.users("add", NAME, password=PASSWORD)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(locale="en-GB")
            page.set_default_timeout(MOST_MS)
            page.goto(f"{stack.gateway_url}/")
            log_in(page)
            slow_down(page, asked.mbit)
            sound = timed(page, video, "[data-state=ready]")
            page.locator("[data-do=delete]").click()
            page.wait_for_selector("li.row", state="detached")
            page.locator(".options > summary").click()
            page.get_by_label("Send only the audio").uncheck()
            whole = timed(page, video, SENT)
            browser.close()
        print(  # noqa: T201 - what this command is for
            f"{video.stat().st_size / 1e6:.0f} MB, {asked.minutes:g} minutes, at {asked.mbit:g} Mbit/s: "
            f"the MP3 is there after {sound:.1f} s when only the sound travels; "
            f"the whole video is sent in {whole:.1f} s ({whole / sound:.1f} times as long)"
        )


def film(target: Path, size: float, seconds: float) -> Path:
    """Make a video of such a size and length whose sound is noise."""
    frames = max(1, (size - seconds * SOUND_BIT_RATE / 8) / FRAME_BYTES)
    picture = f"nullsrc=size={WIDTH}x{HEIGHT}:rate={frames / seconds:.6f}:duration={seconds}"
    sound = f"anoisesrc=duration={seconds}:sample_rate=44100:amplitude=0.1:color=pink"
    inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound)
    video = ("-c:v", "rawvideo", "-pix_fmt", "uyvy422")
    audio = ("-c:a", "aac", "-b:a", str(SOUND_BIT_RATE))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs, *video, *audio, str(target)]
    subprocess.run(command, check=True)  # noqa: S603 - built above
    return target


def slow_down(page: Page, mbit: float) -> None:
    """Have the browser send no faster from now on."""
    network = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": mbit * 1e6 / 8}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", network)


def timed(page: Page, video: Path, then: str) -> float:
    """Choose a video, and return the seconds until something is shown."""
    began = time.perf_counter()
    page.set_input_files("#choose", video)
    page.wait_for_selector(then)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
