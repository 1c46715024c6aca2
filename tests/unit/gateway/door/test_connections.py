"""How long a client is waited for."""

import socket
import time

import pytest

from gateway.door.connections import LINGER_SECONDS, Pace, PacedSocket, TooSlow


def pair(pace: Pace) -> tuple[PacedSocket, socket.socket]:
    server, client = socket.socketpair()
    return PacedSocket(server, pace), client


def test_a_client_at_the_least_rate_is_waited_for_and_a_slower_one_is_not() -> None:
    pace = Pace(patience=20, rate=1000)

    assert pace.left(20, waited=0, moved=0) == 20
    assert pace.left(20, waited=100, moved=90_000) == 10
    assert pace.left(20, waited=100, moved=70_000) < 0


def test_what_came_fast_does_not_buy_a_long_wait() -> None:
    assert Pace(patience=20, rate=1000).left(20, waited=1, moved=10**9) == 60


def test_silence_is_dropped_when_the_patience_is_used_up() -> None:
    server, client = pair(Pace(patience=0.05))
    with server, client, pytest.raises(TooSlow):
        server.recv(1)


def test_waits_add_up_and_begin_anew_with_the_next_request() -> None:
    server, client = pair(Pace(patience=0.05, rate=10**9))
    with server, client:
        client.sendall(b"ab")
        assert server.recv(1) == b"a"
        with pytest.raises(TooSlow):
            server.recv(1) and server.recv(1)
        with pytest.raises(TooSlow):
            server.recv(1)

        server.begin()
        client.sendall(b"c")
        assert server.recv(1) == b"c"


def test_what_is_sent_arrives() -> None:
    server, client = pair(Pace())
    with server, client:
        server.sendall(b"hello")
        assert client.recv(5) == b"hello"


def test_lingering_reads_until_the_client_closes_and_lets_it_read_the_answer() -> None:
    server, client = pair(Pace())
    with server, client:
        server.sendall(b"refused")
        client.sendall(b"x" * 50_000)
        client.close()
        began = time.monotonic()
        server.linger()

    assert time.monotonic() - began < LINGER_SECONDS


def test_lingering_on_a_broken_connection_is_harmless() -> None:
    server, client = pair(Pace())
    client.close()
    server.close()
    server.linger()
