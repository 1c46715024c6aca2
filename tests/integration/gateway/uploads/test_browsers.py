"""A real browser uploads by tus-js-client, from a page of another origin, over a wire that breaks."""

import logging
import queue
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from flask import Flask, Response, request, send_file
from werkzeug.serving import make_server

from tests.integration.gateway.conftest import ROOT, Gateway, StartBrowser, StartGateway, Stores, some
from tests.integration.gateway.uploads.wire import wired

SIZE = 3_000_000
LIBRARY = ROOT / "tests/clients/node_modules/tus-js-client/dist/tus.min.js"
PAGE = """<!doctype html><script src="/tus.js"></script><script>
const bytes = new Uint8Array(%d);
bytes.set([0, 0, 0, 32, 102, 116, 121, 112, 105, 115, 111, 109]);
for (let i = 12; i < bytes.length; i++) bytes[i] = (i * 31) %% 251;
const tell = what => fetch("/told", {method: "POST", body: JSON.stringify(what)});
const upload = new tus.Upload(new File([bytes], "talk.mp4"), {
  endpoint: "%s/v1/uploads", chunkSize: %d, metadata: {filename: "talk.mp4"},
  headers: {Authorization: "Bearer %s"}, retryDelays: [0, 100, 200, 400, 800, 1600],
  onSuccess: () => tell({address: upload.url}), onError: error => tell({error: String(error)}),
});
upload.start();
</script>"""


class Site:
    """Serves the page, and takes what it tells."""

    def __init__(self) -> None:
        self.page = ""
        self.told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        app = Flask("site")
        app.add_url_rule("/", "page", lambda: self.page)
        app.add_url_rule("/tus.js", "library", lambda: send_file(LIBRARY))
        app.add_url_rule("/told", view_func=self.take, methods=["POST"])
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def take(self) -> Response:
        self.told.put(request.get_json(force=True))
        return Response(status=204)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.mark.parametrize("chunk", [10_000_000, 700_000])
def test_a_browser_goes_on_by_itself_when_the_wire_is_cut(
    start_gateway: StartGateway, stores: Stores, site: Site, chromium: StartBrowser, chunk: int
) -> None:
    gateways: list[Gateway] = [start_gateway(CORS_ORIGIN=site.url) for _ in range(2)]

    with wired(*(gateway.port for gateway in gateways)) as wire:
        wire.cuts = [400_000, 600_000]
        site.page = PAGE % (SIZE, wire.url, chunk, gateways[0].auth.token("me@example.com"))
        browser = chromium("--remote-debugging-port=0", site.url)
        try:
            told = site.told.get(timeout=60)
        finally:
            browser.kill()
            browser.communicate()

    assert wire.cut == 2
    job = some(stores.jobs.get(told.get("address", str(told))[-32:]))
    content = b"".join(stores.videos.read(stores.videos.find(job.id)))
    assert content[12:] == bytes(i * 31 % 251 for i in range(12, SIZE))
    assert len(content) == SIZE
