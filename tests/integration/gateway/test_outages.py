"""A gateway whose servers are away, or that is not told where they are."""

import subprocess
import sys
from http import HTTPStatus

import httpx

from tests.integration.gateway.conftest import ROOT, Gateway, StartGateway, wait_until

VIDEO = ("talk.mp4", b"\0 a video")


def test_while_mongodb_is_away_everything_is_told_to_come_back(start_gateway: StartGateway) -> None:
    gateway = start_gateway(MONGODB_URL="mongodb://127.0.0.1:9")
    with gateway.client() as me:
        upload = me.post("/upload", files={"f": VIDEO})
        listed = me.get("/v1/jobs")

    assert (upload.status_code, listed.status_code) == (503, 503)
    assert upload.text == "the file store is not available right now"
    assert (listed.json()["code"], listed.headers["Retry-After"]) == ("unavailable", "5")


def test_the_admin_port_says_which_server_is_away(gateway: Gateway) -> None:
    admin_port = gateway.running.program.ports[1]

    alive = httpx.get(f"http://127.0.0.1:{admin_port}/livez")
    ready = httpx.get(f"http://127.0.0.1:{admin_port}/readyz")
    assert httpx.get(f"{gateway.url}/nothing").status_code == HTTPStatus.NOT_FOUND

    assert (alive.status_code, ready.status_code) == (200, 200)  # uploads need no broker
    assert ready.json() == {
        "mongodb": "ok",
        "rabbitmq": "BrokerUnavailable: not connected to RabbitMQ",
        "auth keys": "ok",
    }
    counted = 'http_requests_total{method="GET",route="none",status="404"}'
    wait_until(lambda: counted in httpx.get(f"http://127.0.0.1:{admin_port}/metrics").text)


def test_without_settings_it_says_which_are_missing_and_ends() -> None:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:gateway.server",
        "gateway.app:create_app()",
    ]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode != 0
    assert "MONGODB_URL is not set" in ended.stderr
    assert "RABBITMQ_URL is not set" in ended.stderr
    assert "Traceback" not in ended.stderr
