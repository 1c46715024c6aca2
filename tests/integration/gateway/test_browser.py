"""A real browser plays what the gateway sends, jumps about in it, and shows the page about the API."""

import hashlib
import json
import queue
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import imageio_ffmpeg
import pytest

from tests.integration.gateway.conftest import Gateway, StartBrowser, Stores

MINUTES = 10
SECONDS = 60.0
PLAYER = """
<!doctype html><audio src="/mp3" preload="metadata"></audio><script>
const audio = document.querySelector("audio"), times = [];
const tell = what => fetch("/told", {method: "POST", body: JSON.stringify(what)});
const jumps = [570, 30, 300];
audio.onerror = () => tell({error: audio.error.message});
audio.onloadedmetadata = () => { audio.currentTime = jumps[0]; };
audio.onseeked = async () => {
  times.push(audio.currentTime);
  if (times.length < jumps.length) { audio.currentTime = jumps[times.length]; return; }
  const bytes = await (await fetch("/mp3")).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  tell({duration: audio.duration, times,
        sha256: Array.from(digest, byte => byte.toString(16).padStart(2, "0")).join("")});
};
</script>
"""


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Ten minutes of a tone."""
    file = tmp_path_factory.mktemp("media") / "tone.mp3"
    tone = ["-f", "lavfi", "-i", f"sine=duration={MINUTES * 60}", "-b:a", "128k", str(file)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *tone], check=True)
    return file.read_bytes()


class Page:
    """A page of one's own: it gets the MP3 with the owner's token, as a web page would have it done."""

    def __init__(self, place: str, token: str) -> None:
        self.told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.ranges: list[tuple[str | None, int]] = []
        page = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != "/mp3":
                    self._send(
                        200 if self.path == "/" else 404, {"Content-Type": "text/html"}, PLAYER.encode()
                    )
                    return
                asked = {name: self.headers[name] for name in ("Range", "If-Range") if name in self.headers}
                answer = httpx.get(place, headers={"Authorization": f"Bearer {token}", **asked})
                page.ranges.append((asked.get("Range"), answer.status_code))
                names = ("Content-Type", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
                headers = {name: answer.headers[name] for name in names if name in answer.headers}
                self._send(answer.status_code, headers, answer.content)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                page.told.put(json.loads(self.rfile.read(length)))
                self._send(204, {}, b"")

            def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the browser had enough

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"


@contextmanager
def page_with(place: str, token: str) -> Iterator[Page]:
    page = Page(place, token)
    try:
        yield page
    finally:
        page.server.shutdown()
        page.server.server_close()


def test_a_browser_jumps_about_in_the_sound(
    gateway: Gateway, stores: Stores, mp3: bytes, chromium: StartBrowser
) -> None:
    job = stores.done("me@example.com", mp3)
    place = f"{gateway.url}/v1/jobs/{job.id}/mp3?inline=1"

    with page_with(place, gateway.auth.token("me@example.com")) as page:
        browser = chromium("--remote-debugging-port=0", page.url)
        try:
            told = page.told.get(timeout=SECONDS)
        finally:
            browser.kill()
            browser.communicate()

    assert told.get("times") == pytest.approx([570, 30, 300], abs=0.5), told
    assert told["duration"] == pytest.approx(MINUTES * 60, abs=0.5)
    assert told["sha256"] == hashlib.sha256(mp3).hexdigest()
    later = [asked for asked, status in page.ranges if asked not in (None, "bytes=0-") and status == 206]
    assert later


def test_a_browser_shows_the_page_about_the_api_with_its_style(
    gateway: Gateway, chromium: StartBrowser, tmp_path: Path
) -> None:
    shot = tmp_path / "docs.png"

    browser = chromium(
        "--enable-logging=stderr", f"--screenshot={shot}", "--window-size=1200,2000", f"{gateway.url}/docs"
    )
    _, said = browser.communicate(timeout=SECONDS)

    assert "CONSOLE" not in said
    assert shot.stat().st_size > 50_000
