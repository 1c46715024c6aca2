"""Gunicorn's gevent worker, made safe for strangers who are slow, early refused or silent.

Every connection is a greenlet: an upload, a download or a watcher that waits costs memory, never a place
that a short request needs (docs/decisions/0006-greenlets-at-the-door.md).  A view is written as if it had
a thread of its own; whatever waits on a socket, a lock or a queue lets the others go on, and only
computing for long would stop them.
"""

import errno
import os
import time
from contextlib import suppress
from functools import partial
from typing import Any

import gevent
from gevent.server import StreamServer
from gunicorn.http.errors import (
    ConfigurationProblem,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    NoMoreData,
    ParseException,
)
from gunicorn.workers.ggevent import GeventWorker

from chassis.stopping import Stoppable
from gateway import problems
from gateway.door.connections import Body, Pace, PacedSocket, Parser
from gateway.door.malformed import raw, refusal
from gateway.door.memory import Memory

TICK_SECONDS = 0.2
KEEP_ALIVE_SECONDS = 30.0
"""How long a connection may stay open between two requests."""
STOP_SECONDS = 2.0
"""How long a stopping process waits for a connection's next request."""
END_SECONDS = 5.0
"""How long requests that outlast the grace may take to say so."""
OURS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
"""What gunicorn calls malformed although no client sent it."""
GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF, errno.ETIMEDOUT)


class Worker(Stoppable, GeventWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """One process, one greenlet a connection, at most `connections` of them."""

    pace = Pace()
    connections = 4096

    def run(self) -> None:
        """Answer until told to stop; then let what is under way end within the grace."""
        self._open: dict[PacedSocket, gevent.Greenlet[Any, Any]] = {}
        servers = [
            StreamServer(listener, handle=partial(self.handle, listener.getsockname()))
            for listener in self.sockets
        ]
        for server in servers:
            server.start()
        memory = Memory()
        while self.alive:
            self.notify()
            memory.note(len(self._open))
            gevent.sleep(TICK_SECONDS)
        for server in servers:
            server.close()
        self.wsgi.extensions["stopping"].set()
        self._end(time.monotonic())

    def notify(self) -> None:
        """Tell gunicorn's master that this process lives; stop when the master is gone."""
        self.tmp.notify()
        if not self.is_parent_alive():
            self.alive = False

    def is_parent_alive(self) -> bool:
        """Tell whether the process that made this one still runs."""
        return bool(self.ppid == os.getppid())

    def handle(self, name: Any, client: Any, addr: Any) -> None:
        """Answer the requests of one connection, then close it; `name` is the listener's address."""
        with PacedSocket(client, self.pace) as connection:
            self._open[connection] = gevent.getcurrent()
            try:
                if self._has_room(connection, addr[0] if addr else ""):
                    self._serve(name, connection, addr)
            finally:
                del self._open[connection]

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what is no request in words; the rest is a bug, and gunicorn's to answer."""
        if not isinstance(exc, ParseException) or isinstance(exc, OURS):
            super().handle_error(req, client, addr, exc)
            return
        with suppress(OSError):  # the client may have gone already
            client.sendall(refusal(exc, addr[0] if addr else ""))

    def _serve(self, name: Any, connection: PacedSocket, addr: Any) -> None:
        request = None
        parser = Parser(self.cfg, connection, addr)
        try:
            while True:
                request = self._next(parser, connection, first=request is None)
                connection.begin()
                body = Body(request, connection)
                try:
                    self.handle_request(name, request, connection, addr)
                except StopIteration:
                    if not body.ended:
                        connection.linger()
                    return
        except (NoMoreData, StopIteration):
            return
        except OSError as error:
            if error.errno not in GONE and not isinstance(error, TimeoutError):
                self.log.exception("a connection failed")
        except ParseException as error:
            self.handle_error(request, connection, addr, error)
            connection.linger()

    def _next(self, parser: Any, connection: PacedSocket, *, first: bool) -> Any:
        """Return the next request; the connection is idle meanwhile."""
        connection.begin(None if first else KEEP_ALIVE_SECONDS)
        connection.idle, connection.began = True, time.monotonic()
        try:
            return next(parser)
        finally:
            connection.idle = False

    def _has_room(self, connection: PacedSocket, address: str) -> bool:
        """Make room for a new connection by closing the one that has been idle longest.

        Who sends nothing, or half a request, can so never keep others out: the oldest of them goes.
        Only if every connection has a request under way is the new one refused.
        """
        if len(self._open) <= self.connections:
            return True
        idle = [other for other in self._open if other.idle and other is not connection]
        if idle:
            oldest = min(idle, key=lambda other: other.began)
            oldest.idle = False  # it is chosen once
            oldest.hang_up()
            return True
        with suppress(OSError):  # the client may have gone already
            connection.sendall(raw(problems.full(), address))
            connection.linger()
        return False

    def _end(self, stopped: float) -> None:
        while self._open and time.monotonic() - stopped < self.cfg.graceful_timeout:
            self.notify()
            if time.monotonic() - stopped > STOP_SECONDS:
                self._kill_idle()
            gevent.sleep(TICK_SECONDS)
        for connection, greenlet in list(self._open.items()):
            # Whoever has no answer yet is told to come again; one that is being sent can only be cut.
            gone = ConnectionResetError(errno.ECONNRESET, "the grace is over")
            cut = connection.idle or connection.answering
            greenlet.kill(gone if cut else problems.unavailable("this gateway"), block=False)
        gevent.joinall(list(self._open.values()), timeout=END_SECONDS)

    def _kill_idle(self) -> None:
        for connection in self._open:
            if connection.idle:
                connection.hang_up()
