"""The page below a path of a site that has other things too: `https://host/mp3/`, by a proxy."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dev.ports import free_ports
from dev.program import Running
from dev.stack import Stack
from tests.e2e.conftest import CLIP, User
from tests.e2e.page.conftest import Visits

PREFIX = "/mp3"
BLOCK = 64 * 1024


@pytest.fixture
def behind(stack: Stack, tmp_path: Path) -> Iterator[int]:
    """A gateway of the same suite that trusts one proxy; its port."""
    [program] = [program for program in stack.programs if program.name == "gateway"]
    port, admin_port = free_ports(2)
    settings = {"PORT": str(port), "ADMIN_PORT": str(admin_port), "TRUSTED_PROXIES": "1"}

    def is_ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    gateway = Running(
        replace(
            program,
            environment={**program.environment, **settings},
            folder=tmp_path,
            ports=(port, admin_port),
            ready=is_ready,
        )
    )
    gateway.start()
    yield port
    gateway.stop()


@pytest.fixture
def site(behind: int) -> Iterator[str]:
    """The address of a site that has the suite below `/mp3/`, and nothing else."""

    class Proxy(BaseHTTPRequestHandler):
        def forward(self) -> None:
            self.close_connection = True
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            head = [f"{self.command} {self.path.removeprefix(PREFIX)} HTTP/1.1"]
            head += [f"{name}: {value}" for name, value in self.headers.items() if name != "Connection"]
            head += [f"X-Forwarded-Prefix: {PREFIX}", "X-Forwarded-For: 127.0.0.1", "Connection: close"]
            with closing(socket.create_connection(("127.0.0.1", behind))) as gateway:
                gateway.sendall("\r\n".join([*head, "", ""]).encode())
                left = int(self.headers.get("Content-Length", 0))
                while left and (data := self.rfile.read1(min(left, BLOCK))):
                    gateway.sendall(data)
                    left -= len(data)
                while data := gateway.recv(BLOCK):
                    self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = forward  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}{PREFIX}/"
        server.shutdown()


def test_everything_works_below_a_path(site: str, visits: Visits, user: User) -> None:
    visit = visits(user)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.page.goto("about:blank")
    asked.clear()

    visit.page.goto(site)
    visit.log_in()
    visit.page.wait_for_selector("#choose", state="attached")
    visit.choose(CLIP)
    visit.expect_state(CLIP.name, "ready")
    visit.act(CLIP.name, "play")
    expect(visit.page.locator("audio")).to_be_visible()
    visit.page.wait_for_function("() => document.querySelector('audio').duration > 0")
    with visit.page.expect_download() as downloading:
        visit.act(CLIP.name, "download")
    assert downloading.value.suggested_filename == f"{CLIP.stem}.mp3"
    visit.row(CLIP.name).locator(".pick").check()
    with visit.page.expect_download() as downloading:
        visit.page.get_by_role("link", name="Download as zip").click()
    assert downloading.value.suggested_filename.endswith(".zip")
    visit.act(CLIP.name, "again")
    visit.page.get_by_role("button", name="Convert with these options").click()
    visit.expect_state(CLIP.name, "ready")
    visit.page.reload()
    visit.expect_state(CLIP.name, "ready")

    assert [url for url in asked if not url.startswith(site)] == []
    visit.page.get_by_role("link", name="API").click()
    expect(visit.page).to_have_url(re.compile(rf"{PREFIX}/docs$"))
    visit.page.wait_for_function("() => document.styleSheets[0]?.cssRules.length > 0")


def test_without_scripts_it_works_below_a_path_too(site: str, visits: Visits, user: User) -> None:
    visit = visits(user, java_script_enabled=False)
    visit.page.goto(site)

    visit.log_in()
    visit.page.locator("[name=file]").set_input_files(CLIP)
    visit.page.get_by_role("button", name="Upload").click()

    expect(visit.page.locator("li.row strong")).to_have_text(CLIP.name)
    assert visit.page.url == site
    visit.page.get_by_role("button", name=re.compile("^Log out")).click()
    expect(visit.page.get_by_label("Password")).to_be_visible()
    assert visit.page.url == site
