"""A gateway that is asked to stop: what is under way ends well, and nothing else keeps it."""

import os
import signal
import socket
import subprocess
import threading
import time
from http import HTTPStatus
from pathlib import Path
from select import select

import httpx
import pytest

from dev.program import Running
from tests.integration.forking import status_after_a_signal
from tests.integration.gateway.conftest import SECONDS, Gateway, StartGateway, Stores, program, wait_until
from tests.integration.gateway.door.test_connections import everything
from tests.integration.gateway.uploads.test_uploads import END, PART, head_of

BUSY = HTTPStatus.TOO_MANY_REQUESTS
LONG = "PT10M"
"""Far longer than a test waits: who waits for this is seen."""


def stop(gateway: Gateway) -> "subprocess.Popen[bytes]":
    process = gateway.running._process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    return process


def refused(gateway: Gateway) -> bool:
    try:
        socket.create_connection(("127.0.0.1", gateway.port), timeout=60).close()
    except (ConnectionRefusedError, ConnectionResetError):  # the last in its queue is reset
        return True
    return False


def test_a_gateway_that_is_asked_to_stop_ends_the_upload_and_takes_no_more(
    start_gateway: StartGateway, stores: Stores
) -> None:
    gateway = start_gateway()
    body = PART + os.urandom(4_000_000) + END
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(head_of(gateway, f"Content-Length: {len(body)}") + body[:3_000_000])
        wait_until(lambda: stores.chunks() > 0)

        process = stop(gateway)
        wait_until(lambda: refused(gateway))
        connection.sendall(body[3_000_000:])
        answer = everything(connection)

    assert answer.endswith(b"success!")
    assert process.wait(SECONDS) == 0
    assert stores.documents() == 1


def test_an_upload_that_outlasts_the_grace_is_told_to_come_again(
    start_gateway: StartGateway, stores: Stores
) -> None:
    gateway = start_gateway(SHUTDOWN_GRACE="PT1S")
    master = gateway.running._process
    assert master is not None
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(head_of(gateway, "Content-Length: 9000000") + PART + bytes(2_000_000))
        wait_until(lambda: stores.chunks() > 0)

        master.kill()  # nobody is there to end its worker
        until = time.monotonic() + SECONDS
        while not select([connection], [], [], 0.1)[0] and time.monotonic() < until:
            connection.sendall(os.urandom(50_000))
        answer = everything(connection)

    os.killpg(master.pid, signal.SIGKILL)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in answer


def test_an_upload_that_waits_for_the_store_when_the_grace_is_over_is_told_to_come_again(
    start_gateway: StartGateway, stores: Stores, mongodb_server: Running
) -> None:
    gateway = start_gateway(SHUTDOWN_GRACE="PT1S")
    master, store = gateway.running._process, mongodb_server._process
    assert master is not None
    assert store is not None
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(head_of(gateway, "Content-Length: 6000000") + PART + bytes(2_000_000))
        wait_until(lambda: stores.chunks() > 0)

        os.killpg(store.pid, signal.SIGSTOP)
        try:
            connection.sendall(bytes(3_900_000))
            master.kill()  # nobody is there to end its worker
            answer = everything(connection)
        finally:
            os.killpg(store.pid, signal.SIGCONT)

    os.killpg(master.pid, signal.SIGKILL)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in answer


def test_a_gateway_that_is_asked_to_stop_refuses_a_new_upload_on_a_connection_that_stands(
    start_gateway: StartGateway, stores: Stores
) -> None:
    gateway = start_gateway()
    body = PART + os.urandom(4_000_000) + END
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as under_way,
        gateway.client() as client,
    ):
        client.get("/v1/jobs")
        under_way.sendall(head_of(gateway, f"Content-Length: {len(body)}") + body[:3_000_000])
        wait_until(lambda: stores.documents() > 0)

        stop(gateway)
        wait_until(lambda: refused(gateway))
        second = client.post("/upload", files={"file": ("talk.mp4", b"another video")})
        under_way.sendall(body[3_000_000:])
        first = everything(under_way)

    assert (second.status_code, second.headers["Retry-After"]) == (503, "5")
    assert second.text == "this gateway is shutting down and accepts no more uploads"
    assert first.endswith(b"success!")
    assert stores.documents() == 1


@pytest.fixture
def patient(start_gateway: StartGateway) -> Gateway:
    """A gateway that would wait long for anything."""
    return start_gateway(SLOW_AFTER=LONG, SHUTDOWN_GRACE=LONG, STREAMS_PER_USER="1")


def test_connections_on_which_nothing_happens_keep_no_gateway(patient: Gateway) -> None:
    silent = [socket.create_connection(("127.0.0.1", patient.port)) for _ in range(3)]
    kept = [httpx.Client(base_url=patient.url) for _ in range(3)]
    assert {client.get("/v1/limits").status_code for client in kept} == {200}

    assert stop(patient).wait(SECONDS) == 0
    for connection in [*silent, *kept]:
        connection.close()


def test_who_waits_for_a_job_is_answered(patient: Gateway, stores: Stores) -> None:
    job = stores.queued()
    answers = []

    def wait() -> None:
        with patient.client() as client:
            while (answer := client.get(f"/v1/jobs/{job.id}?wait=300")).status_code == BUSY:
                pass  # the other one holds the user's only share
            answers.append(answer)

    waiting = threading.Thread(target=wait)
    waiting.start()
    with patient.client() as client:  # who waits holds the user's only share
        wait_until(lambda: client.get(f"/v1/jobs/{job.id}?wait=1").status_code == BUSY)
    ended = stop(patient).wait(SECONDS)
    waiting.join()

    assert ended == 0
    assert [answer.json()["state"] for answer in answers] == ["queued"]


def test_a_stream_of_events_is_ended(patient: Gateway, stores: Stores) -> None:
    job = stores.queued()
    with patient.client() as client, client.stream("GET", f"/v1/jobs/{job.id}/events") as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")

        process = stop(patient)
        rest = list(lines)

    assert process.wait(SECONDS) == 0
    assert "event: state" in rest


def test_a_signal_that_comes_while_a_worker_is_made_ends_it(mongodb_url: str, tmp_path: Path) -> None:
    usual = program(tmp_path, mongodb_url, "http://127.0.0.1:1", {"SHUTDOWN_GRACE": LONG})

    assert status_after_a_signal("gateway", usual.environment, tmp_path) == 0
