"""Slow, early refused and silent clients."""

import os
import socket
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.conftest import MAX_UPLOAD_BYTES, SECONDS, Gateway, StartGateway, Stores
from tests.integration.gateway.uploads.test_uploads import PART, head_of


def curl(*arguments: str) -> str:
    """Return what curl printed; fail when it met a broken connection."""
    done = subprocess.run(
        ["curl", "-sS", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    file = tmp_path / "talk.mp4"
    file.write_bytes(os.urandom(MAX_UPLOAD_BYTES * 2))
    return file


@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
def test_curl_sees_an_early_refusal_and_not_a_reset(gateway: Gateway, big_file: Path, expect: str) -> None:
    upload = ["-F", f"file=@{big_file}", "-w", " %{http_code}", "-H", expect, f"{gateway.url}/upload"]
    token = f"Authorization: Bearer {gateway.auth.token('me@example.com')}"

    assert curl(*upload) == "not authorized 401"
    assert (
        curl("-H", token, *upload) == f"this is larger than the {MAX_UPLOAD_BYTES} bytes that are allowed 413"
    )


def test_a_client_that_sends_everything_before_it_reads_sees_an_early_refusal(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n")
        for _ in range(20):
            connection.sendall(b"x" * 1_000_000)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"Connection: close" in answer


def test_a_body_is_asked_for_only_when_it_is_wanted(gateway: Gateway) -> None:
    def first_line(*lines: str) -> bytes:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
            connection.sendall(head_of(gateway, "Expect: 100-continue", *lines))
            return connection.recv(65536).split(b"\r\n")[0]

    wanted = first_line("Content-Length: 1000")
    unwanted = first_line(f"Content-Length: {MAX_UPLOAD_BYTES * 2}")

    assert wanted == b"HTTP/1.1 100 Continue"
    assert unwanted.startswith(b"HTTP/1.1 413 ")


def test_a_connection_is_kept_over_answers_and_errors(gateway: Gateway) -> None:
    token = gateway.auth.token("me@example.com")
    upload = ["-F", "file=@/dev/null;filename=a.mp4", "-H", f"Authorization: Bearer {token}"]

    said = curl(
        *upload, f"{gateway.url}/upload", "--next", "-sS", f"{gateway.url}/nowhere",
        "--next", "-sS", *upload, f"{gateway.url}/upload", "-w", " %{num_connects}",
    )  # fmt: skip

    assert said.startswith("success!")
    assert said.endswith("success! 0")


def test_a_header_that_trickles_in_is_dropped(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        closed = threading.Event()

        def trickle() -> None:
            while not closed.wait(0.1):
                try:
                    connection.sendall(b"y")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        rest = connection.recv(1000)
        closed.set()
        thread.join()

    assert rest == b""


def test_an_upload_that_stalls_is_refused_and_leaves_nothing(gateway: Gateway, stores: Stores) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(head_of(gateway, "Content-Length: 100000") + PART + b"x")
        answer = everything(connection)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b"the request is arriving too slowly")
    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_an_upload_that_comes_fast_and_then_stalls_is_refused_too(gateway: Gateway, stores: Stores) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(head_of(gateway, "Content-Length: 30000000") + PART + os.urandom(3_000_000))
        answer = everything(connection)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert (stores.documents(), stores.chunks()) == (0, 0)


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_silent_connections_hold_no_thread(start_gateway: StartGateway) -> None:
    gateway = start_gateway(SLOW_AFTER="PT10M")  # far longer than anybody here waits for the answer
    with ExitStack() as idle:
        for _ in range(150):
            idle.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))

        assert httpx.get(f"{gateway.url}/nowhere", timeout=SECONDS).status_code == 404


def test_a_silent_connection_is_closed_in_the_end(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=SECONDS) as idle:
        assert idle.recv(1) == b""
