"""Serve a process's admin port: `/livez`, `/readyz` and `/metrics`.

Alive means that the process's own loop ticked lately, never that a dependency answers: a restart
mends the first and worsens the second.  Ready asks every dependency, each with a second at most.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis import logs

CHECK_SECONDS = 1.0
"""How long a dependency may take to answer before it counts as away."""

Check = Callable[[], Any]
"""Asks one dependency; returns when it answers, raises when it does not."""

log = logs.get(__name__)


class Heartbeat:
    """When the process's own loop last went round."""

    def __init__(self, stuck_after: float = 60.0) -> None:
        self._stuck_after = stuck_after
        self._last = time.monotonic()

    def tick(self) -> None:
        """Note that the loop went round."""
        self._last = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the loop last went round."""
        return time.monotonic() - self._last

    @property
    def alive(self) -> bool:
        """Whether the loop went round within `stuck_after` seconds."""
        return self.age < self._stuck_after


def serve(
    host: str,
    port: int,
    *,
    checks: Mapping[str, Check],
    dispensable: Collection[str] = (),
    heartbeat: Heartbeat | None = None,
) -> ThreadingHTTPServer:
    """Start the admin port on a thread of its own and return its server (`server.shutdown()` ends it).

    Args:
        host: the address to listen on.
        port: the port; 0 takes any free one.
        checks: what `/readyz` asks, by dependency name.
        dispensable: names of checks that are reported only: the process does its work without them.
        heartbeat: what `/livez` reports; without one the answer itself is the proof.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/livez":
                alive = heartbeat is None or heartbeat.alive
                self._answer(alive, {"alive": alive, "last_tick_s": heartbeat and round(heartbeat.age, 1)})
            elif self.path == "/readyz":
                results = _ask(checks)
                ready = all(result == "ok" or name in dispensable for name, result in results.items())
                self._answer(ready, results)
            elif self.path == "/metrics":
                self._send(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest())
            else:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"try /livez, /readyz or /metrics\n")

        def _answer(self, good: bool, body: Mapping[str, Any]) -> None:  # noqa: FBT001 - private, two calls above
            status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
            self._send(status, "application/json", json.dumps(body).encode() + b"\n")

        def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            log.debug("admin request", line=format % args)

    server = _Server((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="admin", daemon=True).start()
    return server


class _Server(ThreadingHTTPServer):
    """Says in one line of the log what went wrong with a request; the base class prints it."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log it; a prober that lost its patience is nothing to look after."""
        del request
        error = sys.exception()
        if isinstance(error, ConnectionError):
            log.debug("the prober closed the connection before the answer", address=client_address[0])
        else:
            log.error("unhandled exception on the admin port", address=client_address[0], exc_info=error)


def _ask(checks: Mapping[str, Check]) -> dict[str, str]:
    """Run every check at the same time; one that hangs is left behind on its thread."""
    deadline = time.monotonic() + CHECK_SECONDS
    asked = {name: _begin(check) for name, check in checks.items()}
    return {name: _outcome(future, deadline) for name, future in asked.items()}


def _begin(check: Check) -> "Future[Any]":
    """Run a check on a thread that the end of the process does not wait for, as it does for a pool's."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(check())
        except Exception as error:  # noqa: BLE001 - it is the answer
            future.set_exception(error)

    threading.Thread(target=run, name="readyz", daemon=True).start()
    return future


def _outcome(future: "Future[Any]", deadline: float) -> str:
    try:
        future.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001 - whatever a dependency's library raises means: not ready
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return "ok"
