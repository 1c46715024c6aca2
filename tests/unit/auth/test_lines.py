"""What auth logs of the requests that it answers."""

import pytest
import structlog
from flask import Flask

from auth import app as auth_app
from chassis import web


@pytest.fixture
def app() -> Flask:
    app = Flask("polled", static_folder=None)
    app.add_url_rule("/polled", "polled", view_func=lambda: "")
    app.add_url_rule("/asked", "asked", view_func=lambda: "")
    web.observe(app, polled=("/polled",))
    return app


def test_a_poll_has_no_line_unless_it_fails(app: Flask) -> None:
    client = app.test_client()
    with structlog.testing.capture_logs() as lines:
        for path in ("/polled", "/asked"):
            client.get(path)
        client.post("/polled")

    assert [(line["path"], line["log_level"]) for line in lines] == [
        ("/polled", "debug"), ("/asked", "info"), ("/polled", "info"),
    ]  # fmt: skip


def test_what_auth_calls_polled_are_routes_of_its_own() -> None:
    routes = {rule.rule for rule in auth_app.build(None).url_map.iter_rules()}  # type: ignore[arg-type]  # nobody logs in

    assert {"/revocations", "/.well-known/jwks.json"} <= routes
