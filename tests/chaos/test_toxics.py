"""Each toxic does to a connection what it says, and nothing else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from tests.chaos.proxy import Proxy
from tests.chaos.toxics import (
    Bandwidth,
    Down,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
)

SECONDS = 10.0
"""How long a client of these tests waits for an answer."""
NEVER = 3600.0


@dataclass
class Echo:
    """A server that sends back what it gets, notes in which pieces, and ends when the client does."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    pieces: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # the test is over
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    self.pieces.append(data)
                    connection.sendall(data)
            except OSError:
                return  # reset: what some toxics are for


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.listener.shutdown(socket.SHUT_RDWR)
    echo.listener.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    proxy = Proxy(echo.port)
    yield proxy
    proxy.close()


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=SECONDS)


def receive(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := client.recv(size - len(data))):
        data += piece
    return data


def echoed(client: socket.socket, data: bytes = b"ping") -> bytes:
    client.sendall(data)
    return receive(client, len(data))


def test_without_a_toxic_everything_goes_through_unchanged(proxy: Proxy) -> None:
    sent = bytes(range(256)) * 8192
    with connected(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(sent,))
        sender.start()
        received = receive(client, len(sent))
        sender.join()
        client.shutdown(socket.SHUT_WR)
        end = client.recv(1)

    assert received == sent
    assert end == b""


def test_latency_delays(proxy: Proxy) -> None:
    with connected(proxy) as client, proxy.on(Latency(0.4, jitter=0.1), "up"):
        began = time.monotonic()
        answer = echoed(client)
        took = time.monotonic() - began

    assert answer == b"ping"
    assert took >= 0.3


def test_latency_does_not_add_up_over_many_pieces(proxy: Proxy) -> None:
    sent = b"x" * 32 * 1024 * 30
    with connected(proxy) as client, proxy.on(Latency(1.0), "down"):
        began = time.monotonic()
        sender = threading.Thread(target=client.sendall, args=(sent,))
        sender.start()
        received = receive(client, len(sent))
        took = time.monotonic() - began
        sender.join()

    assert received == sent
    assert took < 10  # one after another they were 30 s


def test_bandwidth_slows_down(proxy: Proxy) -> None:
    with connected(proxy) as client, proxy.on(Bandwidth(100_000), "up"):
        began = time.monotonic()
        answer = echoed(client, b"x" * 50_000)
        took = time.monotonic() - began

    assert len(answer) == 50_000
    assert took >= 0.4


def test_slow_close_delays_the_end(proxy: Proxy) -> None:
    with connected(proxy) as client, proxy.on(SlowClose(0.5), "down"):
        echoed(client)
        began = time.monotonic()
        client.shutdown(socket.SHUT_WR)
        end = client.recv(1)
        took = time.monotonic() - began

    assert end == b""
    assert took >= 0.5


def test_timeout_lets_nothing_through_and_closes_in_the_end(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as client, proxy.on(Timeout(0.5), "up"):
        began = time.monotonic()
        answer = echoed(client)
        took = time.monotonic() - began

    assert answer == b""
    assert took >= 0.4
    assert echo.pieces == []


def test_timeout_without_seconds_closes_when_it_is_switched_off(proxy: Proxy) -> None:
    with connected(proxy) as client:
        with proxy.on(Timeout()):
            client.sendall(b"ping")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(1)
        client.settimeout(SECONDS)
        end = client.recv(1)
    with connected(proxy) as client:
        afterwards = echoed(client)

    assert end == b""
    assert afterwards == b"ping"


def test_reset_peer_resets(proxy: Proxy) -> None:
    with connected(proxy) as client:
        echoed(client)
        with proxy.on(ResetPeer(0.1)), pytest.raises(ConnectionResetError):
            client.recv(1)
    with connected(proxy) as client:
        afterwards = echoed(client)

    assert afterwards == b"ping"


def test_slicer_makes_small_pieces(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as client, proxy.on(Slicer(10, variation=5, pause=0.02), "up"):
        answer = echoed(client, b"x" * 100)

    assert answer == b"x" * 100
    assert len(echo.pieces) >= 7  # 100 bytes in one piece, if they were not sliced
    assert max(map(len, echo.pieces[:3])) <= 45  # pieces may meet again on a busy machine


def test_limit_data_closes_after_so_many_bytes(proxy: Proxy) -> None:
    with connected(proxy) as client, proxy.on(LimitData(1000), "down"):
        client.sendall(b"x" * 5000)
        received = receive(client, 5000)

    assert len(received) == 1000


def test_down_resets_what_stands_and_refuses_what_comes(proxy: Proxy) -> None:
    with connected(proxy) as client:
        echoed(client)
        with proxy.on(Down()):
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            with pytest.raises(ConnectionRefusedError):
                connected(proxy)
    with connected(proxy) as client:
        afterwards = echoed(client)

    assert afterwards == b"ping"


def test_a_toxic_acts_in_its_direction_only(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as client, proxy.on(Timeout(), "down"):
        client.sendall(b"ping")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)

    assert echo.pieces == [b"ping"]


def test_what_a_toxic_holds_back_comes_at_once_when_it_is_switched_off(proxy: Proxy) -> None:
    with connected(proxy) as client:
        with proxy.on(Latency(NEVER), "up"):
            client.sendall(b"ping")
        answer = receive(client, 4)

    assert answer == b"ping"


def test_toxics_add_up(proxy: Proxy) -> None:
    with connected(proxy) as client, proxy.on(Latency(0.3), "up"), proxy.on(Slicer(1), "up"):
        began = time.monotonic()
        answer = echoed(client)
        took = time.monotonic() - began

    assert answer == b"ping"
    assert took >= 0.3


def test_a_forgotten_connection_is_silent_and_new_ones_work(proxy: Proxy) -> None:
    with connected(proxy) as old:
        echoed(old)

        forgotten = proxy.forget()

        old.sendall(b"ping")
        old.settimeout(0.3)
        with pytest.raises(TimeoutError):
            old.recv(1)
        with connected(proxy) as new:
            answer = echoed(new)
    assert forgotten == 1
    assert answer == b"ping"


def test_only_connections_that_are_idle_are_forgotten(proxy: Proxy) -> None:
    with connected(proxy) as idle, connected(proxy) as busy:
        echoed(idle)
        time.sleep(0.5)
        echoed(busy)

        forgotten = proxy.forget(idle=0.5)

        answer = echoed(busy)
        idle.settimeout(0.3)
        idle.sendall(b"ping")
        with pytest.raises(TimeoutError):
            idle.recv(1)
    assert forgotten == 1
    assert answer == b"ping"


def test_servers_take_turns_and_one_that_is_away_is_passed_over(echo: Echo) -> None:
    others = Echo()
    proxy = Proxy(echo.port, others.port)
    for number in range(4):
        with connected(proxy) as client:
            echoed(client, str(number).encode())
    others.listener.shutdown(socket.SHUT_RDWR)
    others.listener.close()
    for number in range(4, 8):
        with connected(proxy) as client:
            echoed(client, str(number).encode())
    proxy.close()

    assert len(others.pieces) == 2
    assert len(echo.pieces) == 6


def test_a_server_that_is_away_looks_as_if_it_had_hung_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        port = nobody.getsockname()[1]
    proxy = Proxy(port)

    with pytest.raises(ConnectionResetError), connected(proxy) as client:
        client.recv(1)

    proxy.close()
