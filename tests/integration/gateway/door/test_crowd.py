"""Clients that wait keep nobody else waiting: more of each kind than there ever were threads."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.integration.gateway.conftest import Gateway, StartGateway, Stores
from tests.integration.gateway.uploads.test_uploads import PART, head_of

MANY = 100
USERS = 10


@contextmanager
def connected(gateway: Gateway, sent: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(sent)
        yield connection


def watching(gateway: Gateway, number: int, job_id: str) -> bytes:
    token = gateway.auth.token(f"user{number % USERS}@example.com")
    return f"GET /v1/jobs/{job_id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


@pytest.fixture
def patient(start_gateway: StartGateway) -> Gateway:
    """A gateway that waits long for everybody."""
    return start_gateway(SLOW_AFTER="PT10M", UPLOADS_PER_USER="50", DOWNLOADS_PER_USER="50")


def test_a_crowd_of_every_kind_keeps_no_short_answer_waiting(patient: Gateway, stores: Stores) -> None:
    users = [f"user{n}@example.com" for n in range(USERS)]
    waiting = [stores.queued(user) for user in users]
    finished = [stores.done(user, bytes(8_000_000)) for user in users]
    with ExitStack() as crowd:

        def joins(sent: bytes) -> socket.socket:
            return crowd.enter_context(connected(patient, sent))

        for n in range(MANY):
            joins(b"")
            joins(b"GET / HTTP/1.1\r\nHost: x\r\n")
            joins(watching(patient, n, f"{waiting[n % USERS].id}/events")).recv(1)
            joins(watching(patient, n, f"{finished[n % USERS].id}/mp3")).recv(1)
            joins(head_of(patient, "Content-Length: 1000000") + PART) if n < MANY // 2 else None

        with patient.client("you@example.com") as you:
            answers = [you.get(path).status_code for path in ("/v1/limits", "/v1/jobs") for _ in range(10)]
            taken = you.post("/upload", files={"file": ("talk.mp4", bytes(1_000_000))})

    assert set(answers) == {200}
    assert taken.text == "success!"


def test_who_says_nothing_makes_room_for_who_comes(start_gateway: StartGateway) -> None:
    gateway = start_gateway(CONNECTIONS="20", SLOW_AFTER="PT10M")
    with ExitStack() as crowd:
        silent = [crowd.enter_context(connected(gateway, b"GET / HT")) for _ in range(20)]

        with gateway.client() as me:
            assert me.get("/v1/limits").status_code == 200

        assert silent[0].recv(1) == b""
