"""A wire between clients and gateways that leads each connection to another one, and is cut."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Wire:
    """Listens on a port of its own; each connection goes to the next of the ports behind it."""

    ports: Sequence[int]
    cuts: list[int] = field(default_factory=list)
    """After how many bytes of a client the next connections that send so many are cut."""
    cut: int = 0
    """How often that happened."""
    forwarded: int = 0
    """How many bytes of clients went through."""
    lost: bytes = b""
    """What stands in the next answer that gets lost: the connection is cut in its place."""
    _accepted: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            port = self.ports[self._accepted % len(self.ports)]
            self._accepted += 1
            try:
                server = socket.create_connection(("127.0.0.1", port), timeout=5)
            except OSError:  # that gateway is down just now
                client.close()
                continue
            server.settimeout(None)
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(client, server), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with suppress(OSError):
            while data := client.recv(16_384):
                server.sendall(data)
                sent += len(data)
                self.forwarded += len(data)
                if self._is_due(sent):
                    break
        _end(client, server)

    def _is_due(self, sent: int) -> bool:
        with self._lock:
            if not self.cuts or sent < self.cuts[0]:
                return False
            del self.cuts[0]
            self.cut += 1
            return True

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if self.lost and self.lost in data:
                    self.lost = b""
                    self.cut += 1
                    break
                client.sendall(data)
        _end(client, server)


def _end(*connections: socket.socket) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


@contextmanager
def wired(*ports: int) -> Iterator[Wire]:
    wire = Wire(ports)
    thread = threading.Thread(target=wire.run, daemon=True)
    thread.start()
    yield wire
    wire.close()
    thread.join()
