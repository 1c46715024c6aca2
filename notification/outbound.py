"""Send a request to a URL that a stranger chose: only to public addresses, briefly, and without following.

No proxy of the environment, no redirect, no cookie; what comes back is read up to a kilobyte.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pipeline.addresses import AddressRefused, InvalidUrl, Network, Target, check, parse

SECONDS = 15.0
"""For everything: name, connection, request, answer; the specification recommends 15 to 30."""
KEPT_BYTES = 1000

Resolve = Callable[[str, int], list[tuple[Any, ...]]]


class Unreachable(Exception):
    """No answer came, or none that is HTTP; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said."""

    status: int
    text: str
    """The first kilobyte of its body."""
    retry_after: str | None


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """Return every address that a name has, as `socket.getaddrinfo` does."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


@dataclass(frozen=True, slots=True)
class Outbound:
    """Sends requests."""

    inside: Sequence[Network] = ()
    """The networks that an operator allows though they are not public."""
    seconds: float = SECONDS
    resolve: Resolve = resolve
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a POST.

        Raises:
            Unreachable: there was none within the time, or the address is not one that may be asked.
        """
        deadline = time.monotonic() + self.seconds
        try:
            target = parse(url, self.inside)
            connection = self._connect(target, deadline)
        except (InvalidUrl, AddressRefused) as error:
            raise Unreachable(str(error)) from None
        except (OSError, UnicodeError) as error:
            raise Unreachable(_words(error)) from None
        too_late = threading.Event()
        cut = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (connection.sock, too_late))
        cut.daemon = True
        cut.start()
        try:
            connection.request("POST", target.path, body, {**headers, "Accept-Encoding": "identity"})
            answer = connection.getresponse()
            text = answer.read(KEPT_BYTES).decode("utf-8", "replace")
        except (OSError, ValueError, http.client.HTTPException) as error:
            late = time.monotonic() >= deadline
            raise Unreachable(f"no answer within {self.seconds:g} s" if late else _words(error)) from None
        else:
            if too_late.is_set():  # what came until then looks like the whole of it
                raise Unreachable(f"no answer within {self.seconds:g} s")
            return Answer(answer.status, text, answer.getheader("Retry-After"))
        finally:
            cut.cancel()
            connection.close()

    def _connect(self, target: Target, deadline: float) -> http.client.HTTPConnection:
        """Connect to an address that was checked: the name is not looked up again."""
        found = self.resolve(target.host, target.port)
        check(target, (place[0] for *_, place in found), self.inside)
        error: OSError = ConnectionError("the name has no address")
        for family, kind, protocol, _, place in found:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no answer within {self.seconds:g} s")
            connection = http.client.HTTPConnection(target.host, target.port, timeout=left)
            plain = socket.socket(family, kind, protocol)
            try:
                plain.settimeout(left)
                plain.connect(place)
                connection.sock = self._encrypted(plain, target)
            except OSError as failed:
                plain.close()
                error = failed
            else:
                return connection
        raise error

    def _encrypted(self, plain: socket.socket, target: Target) -> socket.socket:
        if target.scheme == "http":
            return plain
        return self.tls.wrap_socket(plain, server_hostname=target.host)


def _cut(connection: socket.socket, too_late: threading.Event) -> None:
    """End a connection whose other end trickles: a timeout of the socket restarts with every byte."""
    too_late.set()
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
