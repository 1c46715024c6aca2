"""A server on the loopback that nobody may ever talk to, over TCP or UDP."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


class Canary:
    """Notes every contact; over TCP it answers any request with the same bytes."""

    def __init__(self, content: bytes) -> None:
        self.contacts: list[str] = []
        self._answer = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)
        canary = self

        class Talk(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                canary.contacts.append("tcp")
                with self.request as connection:
                    connection.settimeout(1)
                    connection.recv(65536)
                    connection.sendall(canary._answer)

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                canary.contacts.append("udp")

        self._tcp = _Tcp(("127.0.0.1", 0), Talk)
        self.port: int = self._tcp.server_address[1]
        self._udp = _Udp(("127.0.0.1", self.port), Datagram)

    @property
    def url(self) -> str:
        """Where it can be reached by HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def listening(self) -> Iterator["Canary"]:
        """Serve in threads of its own."""
        with ExitStack() as until:
            for server in (self._tcp, self._udp):
                until.enter_context(server)
                threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
                until.callback(server.shutdown)
            yield self


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client may hang up when it likes: the contact is noted."""


class _Udp(socketserver.UDPServer):
    address_family = socket.AF_INET
