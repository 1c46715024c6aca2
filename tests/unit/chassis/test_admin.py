"""The admin port tells liveness from readiness."""

import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from prometheus_client import Counter

from chassis import admin
from chassis.admin import Check, Heartbeat

errands = Counter("errands_total", "What the test did.")


@contextmanager
def serving(
    checks: Mapping[str, Check], heartbeat: Heartbeat | None = None, dispensable: Collection[str] = ()
) -> Iterator[Callable[[str], tuple[int, str]]]:
    server = admin.serve("127.0.0.1", 0, checks=checks, dispensable=dispensable, heartbeat=heartbeat)

    def get(path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    try:
        yield get
    finally:
        server.shutdown()
        server.server_close()


def away() -> None:
    raise ConnectionError("nobody there\nand more")


def test_a_prober_that_does_not_wait_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    asked, gone = threading.Event(), threading.Event()

    def slow() -> None:
        asked.set()
        gone.wait(1)

    server = admin.serve("127.0.0.1", 0, checks={"store": slow})
    with socket.create_connection(server.server_address[:2]) as prober:
        prober.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        prober.sendall(b"GET /readyz HTTP/1.1\r\n\r\n")
        asked.wait(60)
    gone.set()
    for thread in [each for each in threading.enumerate() if "process_request" in each.name]:
        thread.join(60)
    server.shutdown()
    server.server_close()

    assert capfd.readouterr().err == ""


def test_ready_when_every_dependency_answers() -> None:
    with serving({"store": lambda: None, "queue": lambda: 3}) as get:
        status, body = get("/readyz")

    assert (status, json.loads(body)) == (200, {"store": "ok", "queue": "ok"})


def test_not_ready_names_the_dependency_that_is_away_in_one_line() -> None:
    with serving({"store": away, "queue": lambda: None}) as get:
        status, body = get("/readyz")

    assert status == 503
    assert json.loads(body) == {"store": "ConnectionError: nobody there", "queue": "ok"}


def test_ready_without_a_dependency_that_can_be_spared_which_is_named_all_the_same() -> None:
    with serving({"store": lambda: None, "queue": away}, dispensable={"queue"}) as get:
        status, body = get("/readyz")

    assert status == 200
    assert json.loads(body) == {"store": "ok", "queue": "ConnectionError: nobody there"}


def test_a_dependency_that_hangs_counts_as_away_after_a_second() -> None:
    over = threading.Event()
    with serving({"slow": lambda: over.wait(60), "queue": lambda: None}) as get:
        status, body = get("/readyz")
        over.set()

    assert status == 503
    assert json.loads(body) == {"slow": "no answer within 1 s", "queue": "ok"}


def test_a_process_ends_although_a_dependency_hangs() -> None:
    program = """
from http.client import HTTPConnection
import time
from chassis import admin
server = admin.serve("127.0.0.1", 0, checks={"slow": lambda: time.sleep(600)})
connection = HTTPConnection("127.0.0.1", server.server_address[1])
connection.request("GET", "/readyz")
print(connection.getresponse().status)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)

    assert ran.stdout.endswith(b"503\n")


def test_liveness_never_asks_a_dependency() -> None:
    with serving({"store": away}) as get:
        status, body = get("/livez")

    assert (status, json.loads(body)["alive"]) == (200, True)


def test_a_loop_that_stands_still_is_not_alive() -> None:
    heartbeat = Heartbeat(stuck_after=0.0)
    with serving({}, heartbeat) as get:
        status, body = get("/livez")
        assert (status, json.loads(body)["alive"]) == (503, False)

    heartbeat = Heartbeat(stuck_after=60.0)
    heartbeat.tick()
    with serving({}, heartbeat) as get:
        status, body = get("/livez")
        assert status == 200
        assert 0 <= json.loads(body)["last_tick_s"] < 60


def test_metrics_are_those_of_the_process() -> None:
    errands.inc(3)

    with serving({}) as get:
        status, body = get("/metrics")

    assert status == 200
    assert "errands_total 3.0" in body


def test_any_other_path_says_what_there_is() -> None:
    with serving({}) as get:
        assert get("/") == (404, "try /livez, /readyz or /metrics\n")
