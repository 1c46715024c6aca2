"""Requests to URLs that strangers chose, against receivers of every kind."""

import json
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from notification.outbound import Answer, Outbound, Unreachable
from tests.integration.notification.test_tls import certificate

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
ALLOWED = Outbound(LOOPBACK, seconds=5)
Talk = Callable[[socket.socket], None]


@pytest.fixture
def receiver() -> Iterator[Callable[..., str]]:
    """Start a server that talks as told to each who connects; return its address."""
    listeners: list[socket.socket] = []

    def start(talk: Talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the test is over
                    return
                threading.Thread(target=_talk, args=(talk, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _talk(talk: Talk, connection: socket.socket) -> None:
    with connection:
        try:
            talk(connection)
        except OSError:  # the client hung up, as some tests want
            return


def saying(answer: bytes, heard: list[bytes] | None = None) -> Talk:
    def talk(connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        head, _, body = request.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
        if heard is not None:
            heard.append(head + b"\r\n\r\n" + body)
        connection.sendall(answer)

    return talk


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine!"


def test_the_body_goes_out_as_it_is_and_the_answer_comes_back(receiver: Callable[..., str]) -> None:
    heard: list[bytes] = []
    url = f"http://{receiver(saying(OK, heard))}/hook?x=1"

    answer = ALLOWED.post(url, '{"é":1}'.encode(), {"webhook-id": "1", "Content-Type": "application/json"})

    assert answer == Answer(200, "fine!", None)
    [request] = heard
    assert request.startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert request.endswith('\r\n\r\n{"é":1}'.encode())
    assert b"webhook-id: 1\r\n" in request


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Callable[..., str], status: int) -> None:
    canary: list[bytes] = []
    inside = receiver(saying(OK, canary))
    moved = f"HTTP/1.1 {status} Moved\r\nLocation: http://{inside}/\r\nContent-Length: 0\r\n\r\n".encode()

    answer = ALLOWED.post(f"http://{receiver(saying(moved))}/", b"x", {})

    assert (answer.status, canary) == (status, [])


def test_no_proxy_of_the_environment_is_used(
    receiver: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    canary: list[bytes] = []
    proxy = receiver(saying(OK, canary))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{proxy}")

    ALLOWED.post(f"http://{receiver(saying(OK))}/", b"x", {})

    assert canary == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
def test_nobody_inside_is_connected_to(receiver: Callable[..., str], host: str) -> None:
    canary: list[bytes] = []
    port = receiver(lambda _: canary.append(b"connected")).rpartition(":")[2]
    outward = Outbound(seconds=5)

    for url in (
        f"https://{host}/",
        f"https://{host}:8443/",
        f"https://{host}:{port}/",
        f"http://{host}:{port}/",
    ):
        with pytest.raises(Unreachable):
            outward.post(url, b"x", {})

    assert canary == []


def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(receiver: Callable[..., str]) -> None:
    """A name whose second answer is another one (DNS rebinding) is asked once only."""
    port = int(receiver(saying(OK)).rpartition(":")[2])
    inside, asked = [ip_network("127.0.0.1/32")], []

    def rebinding(host: str, _port: int) -> list[tuple[Any, ...]]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    answer = Outbound(inside, resolve=rebinding).post(f"http://rebind.example:{port}/", b"x", {})
    assert (answer.status, asked) == (200, ["rebind.example"])
    with pytest.raises(Unreachable, match="not public"):
        Outbound(inside, resolve=rebinding).post(f"http://rebind.example:{port}/", b"x", {})


def test_a_name_with_one_inner_address_is_not_connected_to_at_all(receiver: Callable[..., str]) -> None:
    canary: list[bytes] = []
    port = int(receiver(lambda _: canary.append(b"connected")).rpartition(":")[2])

    def mixed(_host: str, _port: int) -> list[tuple[Any, ...]]:
        first = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        return [first, (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fd00::1", port, 0, 0))]

    with pytest.raises(Unreachable, match="not public"):
        Outbound([ip_network("127.0.0.0/8")], resolve=mixed).post(f"http://mixed.example:{port}/", b"x", {})

    assert canary == []


def test_the_next_address_is_tried_when_the_first_does_not_answer(receiver: Callable[..., str]) -> None:
    port = int(receiver(saying(OK)).rpartition(":")[2])
    nobody = socket.create_server(("127.0.0.1", 0))
    closed = nobody.getsockname()[1]
    nobody.close()

    def two(_host: str, _port: int) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", place)) for place in (closed, port)]

    assert Outbound(LOOPBACK, resolve=two).post(f"http://two.example:{port}/", b"x", {}).status == 200


def trickle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: x\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "talk",
    [lambda connection: connection.recv(1) and connection.recv(65536) and time.sleep(30), trickle],
    ids=["hangs", "trickles"],
)
def test_a_receiver_that_takes_too_long_is_given_up(receiver: Callable[..., str], talk: Talk) -> None:
    began = time.monotonic()

    with pytest.raises(Unreachable):
        Outbound(LOOPBACK, seconds=1).post(f"http://{receiver(talk)}/", b"x", {})

    assert time.monotonic() - began < 10


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    "talk",
    [reset, lambda _: None, saying(b"\x16\x03\x01 no HTTP\r\n\r\n"), saying(b"HTTP/1.1 abc\r\n\r\n")],
    ids=["resets", "closes", "speaks something else", "has no status"],
)
def test_what_is_no_answer_is_a_failure_in_words(receiver: Callable[..., str], talk: Talk) -> None:
    with pytest.raises(Unreachable) as failure:
        ALLOWED.post(f"http://{receiver(talk)}/", b"x", {})

    assert 0 < len(str(failure.value)) <= 300


def test_a_gigabyte_of_answer_costs_no_memory(receiver: Callable[..., str]) -> None:
    def endless(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(1024):
            connection.sendall(b"x" * 1024 * 1024)

    address = receiver(endless)
    tracemalloc.start()
    answer = ALLOWED.post(f"http://{address}/", b"x", {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert answer == Answer(200, "x" * 1000, None)
    assert peak < 8 * 1024 * 1024


def test_tls_is_that_of_the_name_though_the_connection_goes_to_an_address(
    receiver: Callable[..., str], tmp_path: Any
) -> None:
    pem = certificate(tmp_path, "hooks.example")
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(pem))
    server.load_cert_chain(pem)
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)

    def encrypted(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as wrapped:
            saying(OK)(wrapped)

    port = int(receiver(encrypted).rpartition(":")[2])

    def here(_host: str, _port: int) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    own = Outbound(LOOPBACK, resolve=here, tls=client)
    assert own.post(f"https://hooks.example:{port}/", b"x", {}).status == 200
    assert names == ["hooks.example"]
    for other in (f"https://other.example:{port}/", f"https://127.0.0.1:{port}/"):
        with pytest.raises(Unreachable, match="certificate"):
            own.post(other, b"x", {})
    with pytest.raises(Unreachable, match="certificate"):
        Outbound(LOOPBACK, resolve=here).post(f"https://hooks.example:{port}/", b"x", {})


def test_a_name_that_does_not_exist_is_a_failure_in_words() -> None:
    for host in ("nobody.invalid", f"{'x' * 64}.example", "xn--.example", "."):
        with pytest.raises(Unreachable):
            Outbound(seconds=5).post(f"https://{host}/", json.dumps({}).encode(), {})
