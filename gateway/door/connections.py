"""Gunicorn's threaded worker, made safe for strangers who are slow, early refused or silent.

A client that sends less than a least rate is dropped, be it a header or a file; a body is asked for
(`100 Continue`) only when the application reads it; after an early refusal the client gets to read the
answer; and a stopping process refuses new connections at once while it ends what it has begun.
"""

import errno
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import (
    ConfigurationProblem,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    ParseException,
)

from chassis.stopping import StoppableWorker
from gateway.door.malformed import refusal

SEND_SECONDS = 60.0
"""How long a client may take to receive one piece of an answer."""
LINGER_SECONDS = 10.0
"""How long what a refused client still sends is thrown away, so that it gets to read the answer."""
STOP_SECONDS = 2.0
"""How long a stopping process waits for a connection's first request: gunicorn's time for a next one."""
DRAIN_BYTES = 64 * 1024
OURS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
"""What gunicorn calls malformed although no client sent it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The least rate: `patience` seconds of waiting are free, then every `rate` bytes buy one more.

    Three times the patience is the most that can be bought: what came fast is no reason to wait long.
    """

    patience: float = 20.0
    rate: int = 1024

    def left(self, before: float, waited: float, received: int) -> float:
        """Return how many seconds more a client may be waited for, of those that were left `before`."""
        return min(before - waited + received / self.rate, 3 * self.patience)


class TooSlow(TimeoutError):
    """The client sends less than the least rate."""

    def __init__(self) -> None:
        # For gunicorn: one more client that went away, nothing to report.
        super().__init__(errno.ECONNRESET, "the client is too slow")


class PacedSocket(socket.socket):
    """A client's connection; only the time spent waiting for the client counts, not the store's."""

    def __init__(self, accepted: socket.socket, pace: Pace) -> None:
        super().__init__(fileno=accepted.detach())
        self._pace = pace
        self.begin()

    def begin(self) -> None:
        """Start counting anew: a request begins."""
        self._left = self._pace.patience

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive, as `socket.recv`.

        Raises:
            TooSlow: the client has used up its time.
        """
        if self._left <= 0:
            raise TooSlow
        self.settimeout(self._left)
        started = time.monotonic()
        try:
            data = super().recv(size, flags)
        except TimeoutError:
            self._left = 0.0
            raise TooSlow from None
        self._left = self._pace.left(self._left, time.monotonic() - started, len(data))
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send everything, as `socket.sendall`, in `SEND_SECONDS` at most."""
        self.settimeout(SEND_SECONDS)
        super().sendall(data, flags)

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the signature of sockets
        """Do so while open: gunicorn counts a connection twice as ended if this fails on one it closed."""
        if self.fileno() >= 0:
            super().setblocking(flag)

    def linger(self) -> None:
        """End the answer, and throw away what the client still sends until it closes.

        Closing with unread bytes would reset the connection, and the client might never read the
        answer (RFC 9112, section 9.6).  Afterwards the socket can be closed without waiting.
        """
        deadline = time.monotonic() + LINGER_SECONDS
        with suppress(OSError):  # the client may have gone already
            self.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self.settimeout(left)
                if not super().recv(DRAIN_BYTES):
                    break
            self.shutdown(socket.SHUT_RD)


class Body:
    """A request's body, in place of gunicorn's, which asks for it before the application wants it."""

    def __init__(self, request: Any, connection: PacedSocket) -> None:
        self._body = request.body
        self._connection = connection
        self._asked_for = not request._expected_100_continue  # noqa: SLF001 - gunicorn has no other name for it
        self._ended = getattr(self._body.reader, "length", None) == 0
        self.failed = False
        request._expected_100_continue = False  # noqa: SLF001 - or it is answered before the application
        closes = request.should_close
        request.should_close = lambda: not self._ended or closes()
        request.body = self

    def read(self, size: int = -1) -> bytes:
        """Read, as a WSGI input stream.

        Raises:
            OSError: the client went away, is too slow, or sends no HTTP.
        """
        return self._read(self._body.read, size)

    def read1(self, size: int) -> bytes:
        """Read what has come, at most `size` bytes, and wait only when nothing has; otherwise as `read`."""
        return self._read(partial(_read_what_came, self._body.reader), size)

    def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        if self._ended:
            return b""
        if not self._asked_for:
            self._asked_for = True
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            data = read(size)
        except (OSError, ParseException) as error:
            self.failed = True
            raise error if isinstance(error, OSError) else OSError(str(error)) from None
        length = getattr(self._body.reader, "length", None)
        self._ended = length == 0 if length is not None else not data or size < 0
        return data


def _read_what_came(reader: Any, size: int) -> bytes:
    """Return what gunicorn's reader of a body has, or the next that comes: its own `read` fills up."""
    if isinstance(reader, LengthReader):
        data: bytes = reader.unreader.read(None, read_ahead=min(size, reader.length))
        most = min(size, reader.length)
        reader.unreader.unread(data[most:])
        reader.length -= len(data[:most])
        return data[:most]
    while reader.parser and not reader.buf.tell():  # the beginning of a chunk brings no byte of it
        reader.buf.write(next(reader.parser, b""))
        if not reader.buf.tell() and reader.parser.gi_frame is None:
            reader.parser = None
    came: bytes = reader.read(min(size, reader.buf.tell()))
    return came


class Worker(StoppableWorker):
    """Gunicorn's threads over paced connections."""

    pace = Pace()

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to a thread, a new one only when it has something to say."""
        if isinstance(conn.sock, PacedSocket):
            super().enqueue_req(conn)
            return
        conn.sock = PacedSocket(conn.sock, self.pace)
        conn.sock.setblocking(False)  # noqa: FBT003 - the signature of sockets
        conn.timeout = time.monotonic() + self.pace.patience
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Any) -> Any:
        """Answer the next request; wait for the client's end here, not on the thread that accepts."""
        conn.sock.begin()
        kept = super().handle(conn)
        if kept is False:
            conn.sock.linger()
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Call the application."""
        Body(req, conn.sock)
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what is no request in words; the rest is a bug, and gunicorn's to answer."""
        if not isinstance(exc, ParseException) or isinstance(exc, OURS):
            super().handle_error(req, client, addr, exc)
            return
        with suppress(OSError):  # the client may have gone already
            client.sendall(refusal(exc, addr[0] if addr else ""))

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's signature
        """Take connections or not; once stopping, refuse new ones and close silent ones soon."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()
            soon = time.monotonic() + STOP_SECONDS
            for conn in self.pending_conns:
                conn.timeout = min(conn.timeout, soon)
            self.wsgi.extensions["stopping"].set()
