"""A client's connection: how long the client is waited for, and how its request's body is read.

A client that sends or takes less than the least rate is dropped, whatever it sends or takes; a body is
asked for (`100 Continue`) only when the application reads it; after an early refusal the client gets to
read the answer.  Waiting costs one greenlet: see `worker`.
"""

import errno
import socket as native
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gevent import socket
from gunicorn import http
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import ParseException

TAKE_SECONDS = 60.0
"""How long a client may take nothing of an answer: pauses are common in players and on trains."""
LINGER_SECONDS = 10.0
"""How long what a refused client still sends is thrown away, so that it gets to read the answer."""
DRAIN_BYTES = 64 * 1024
HEAD_BYTES = 32 * 1024
"""What a request's header fields may hold together, and so a body's trailers."""
READ_BYTES = 8 * 1024
"""What gunicorn's parser reads at once: the end of a head comes with as much of what follows."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The least rate: `patience` seconds of waiting are free, then every `rate` bytes buy one more.

    Three times the patience is the most that can be bought: what came fast is no reason to wait long.
    """

    patience: float = 20.0
    rate: int = 1024

    def left(self, before: float, waited: float, moved: int) -> float:
        """Return how many seconds more a client may be waited for, of those that were left `before`."""
        return min(before - waited + moved / self.rate, 3 * self.patience)


class TooSlow(TimeoutError):
    """The client sends or takes less than the least rate."""

    def __init__(self) -> None:
        # For gunicorn: one more client that went away, nothing to report.
        super().__init__(errno.ECONNRESET, "the client is too slow")


class MalformedBody(OSError):
    """What comes in place of the body is no HTTP: `reason` says what is wrong."""

    def __init__(self, reason: ParseException) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Request(http.Request):  # type: ignore[misc]  # gunicorn publishes no types
    """A request of which no more is kept in memory than a head may hold, however long it takes to end."""

    def parse(self, unreader: Any) -> Any:
        """Parse the head; gunicorn would keep 800 KB of it, and as much of the trailers."""
        self.max_buffer_headers = HEAD_BYTES + READ_BYTES
        return super().parse(unreader)


class Parser(http.RequestParser):  # type: ignore[misc]  # gunicorn publishes no types
    """Reads the requests of a connection, one after the other."""

    mesg_class = Request


class PacedSocket(socket.socket):  # type: ignore[misc]  # gevent publishes no types for it
    """A client's connection; only the time spent waiting for the client counts, not the store's."""

    def __init__(self, accepted: native.socket, pace: Pace) -> None:
        super().__init__(fileno=accepted.detach())
        self.began = time.monotonic()
        self.idle = True
        """Whether it waits for a request: nothing is lost when it is closed now."""
        self.answering = False
        """Whether anything of the answer was sent: it can only be cut."""
        self._pace = pace
        self._taking = replace(pace, patience=TAKE_SECONDS)
        self.begin()

    def begin(self, patience: float | None = None) -> None:
        """Start counting again: a request begins, or is waited for with another patience."""
        self.answering = False
        self._left = self._pace.patience if patience is None else patience
        self._left_to_take = self._taking.patience

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
            data: bytes = super().recv(size, flags)
        except TimeoutError:
            self._left = 0.0
            raise TooSlow from None
        self._left = self._pace.left(self._left, time.monotonic() - started, len(data))
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send everything, as `socket.sendall`.

        Raises:
            TooSlow: the client takes less than the least rate.
        """
        self.answering, rest = True, memoryview(data)
        while rest.nbytes:
            if self._left_to_take <= 0:
                raise TooSlow
            self.settimeout(self._left_to_take)
            started = time.monotonic()
            try:
                sent = super().send(rest, flags)
            except TimeoutError:
                self._left_to_take = 0.0
                raise TooSlow from None
            self._left_to_take = self._taking.left(self._left_to_take, time.monotonic() - started, sent)
            rest = rest[sent:]

    def is_closed_by_client(self) -> bool:
        """Tell whether the client has closed the connection; what it still sends is left unread."""
        try:
            return not self._sock.recv(1, native.MSG_PEEK | native.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def hang_up(self) -> None:
        """Expect no more: who waits for a request finds the end, and one that has come is still answered."""
        with suppress(OSError):  # the client may have gone already
            self.shutdown(native.SHUT_RD)

    def linger(self) -> None:
        """End the answer, and throw away what the client still sends until it closes.

        Closing with unread bytes would reset the connection, and the client might never read the
        answer (RFC 9112, section 9.6).
        """
        deadline = time.monotonic() + LINGER_SECONDS
        with suppress(OSError):  # the client may have gone already
            self.shutdown(native.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self.settimeout(left)
                if not super().recv(DRAIN_BYTES):
                    break


class Body:
    """A request's body, in place of gunicorn's, which asks for it before the application wants it."""

    def __init__(self, request: Any, connection: PacedSocket) -> None:
        self._body = request.body
        self._connection = connection
        self._asked_for = not request._expected_100_continue  # noqa: SLF001 - gunicorn has no other name for it
        self._ended = getattr(self._body.reader, "length", None) == 0
        self.failed = False
        """For gunicorn: where the next request begins is not known."""
        request._expected_100_continue = False  # noqa: SLF001 - or it is answered before the application
        closes = request.should_close
        request.should_close = lambda: not self._ended or closes()
        request.body = self

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left unread."""
        return self._ended

    def read(self, size: int = -1) -> bytes:
        """Read, as a WSGI input stream.

        Raises:
            OSError: the client went away, or is too slow.
            MalformedBody: it sends no HTTP.
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
            self._connection.answering = False  # that was no part of it
        try:
            data = read(size)
        except (OSError, ParseException) as error:
            self.failed = True
            raise error if isinstance(error, OSError) else MalformedBody(error) from None
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
