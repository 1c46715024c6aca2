"""Send bytes that no HTTP library would: heads, chunk sizes, boundaries, base64 and JSON, all of them broken.

Each request is a good one with a few things changed; which ones follows from the seed alone.
What must not come of it: a 5xx without `Retry-After`, an answer that is no HTTP, a traceback in a log.
"""

import base64
import random
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

ANSWER = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*\r\n")
CONTINUE, HEAD_END = b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n\r\n"
ANSWER_SECONDS = 30.0
CLIP = b"\0\0\0\x18ftypmp42" + bytes(300)
SPECIAL = (
    b"", b"\0", b"\xff", b"\xe9", b"\xc3\xa9", b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b";", b",", b"=",
    b'"', b"'", b"\\", b"%", b"%ff", b"%00", b"%", b"..", b"//", b"*", b"0", b"-1", b"+1", b"1e9", b"0x10",
    b"nan", b"inf", b"9" * 19, b"9" * 5000, b"A" * 300, b"a" * 9000, b"\xff" * 300, b"[" * 3000,
    b'{"a":' * 1000, b"utf-16''%ff", "²".encode("latin-1"), "²".encode(), b"::", b":=:", b"chunked",
    b"gzip", b"identity", b"100-continue", b"close", b"\x1f\x8b\x08", b"--b", b"--b--", b"\r\n\r\n",
    b"\xed\xa0\x80", b"\\ud800", b"\x7f",
)  # fmt: skip
"""What parsers trip over."""
HEADERS = (
    b"Accept", b"Accept-Encoding", b"Authorization", b"Connection", b"Content-Digest", b"Content-Encoding",
    b"Content-Length", b"Content-Type", b"Cookie", b"Expect", b"Forwarded", b"Host", b"Idempotency-Key",
    b"If-Match", b"If-Modified-Since", b"If-None-Match", b"If-Range", b"If-Unmodified-Since",
    b"Last-Event-ID", b"Origin", b"Range", b"Sec-Fetch-Site", b"TE", b"Trailer", b"Transfer-Encoding",
    b"Tus-Resumable", b"Upgrade", b"Upload-Checksum", b"Upload-Length", b"Upload-Metadata",
    b"Upload-Offset", b"User-Agent", b"X-Forwarded-For", b"X-Request-Id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A request that was answered as none may be."""

    request: bytes
    answer: bytes

    def __str__(self) -> str:
        return f"{self.answer[:300]!r} to {self.request[:2000]!r}"


class Requests:
    """Makes broken requests; `tokens` are good ones, so that more than the door is reached."""

    def __init__(self, seed: int, tokens: list[str]) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - the same requests in every run
        self._tokens = tokens
        self._bodies: list[Callable[[], tuple[bytes, bytes]]] = [
            lambda: (b"application/json", b'{"track": "1", "title": "x"}'),
            lambda: (b"application/x-www-form-urlencoded", b"track=1&title=x"),
            lambda: (b"video/mp4", CLIP),
            lambda: (b"multipart/form-data; boundary=b", self._form()),
            lambda: (b"application/offset+octet-stream", CLIP),
            lambda: (b"", b""),
        ]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self._request()

    def _request(self) -> bytes:
        chance = self._chance
        kind, body = chance.choice(self._bodies)()
        lines = [self._first_line(), b"Host: x", b"Connection: close"]
        if chance.random() < 0.9:
            lines.append(self._authorization())
        if kind:
            lines.append(b"Content-Type: " + self._maybe_broken(kind, 0.2))
        lines += [
            chance.choice(HEADERS) + b": " + self._value() for _ in range(chance.choice((0, 0, 1, 1, 2, 5)))
        ]
        if chance.random() < 0.3:
            lines.append(b"Transfer-Encoding: chunked")
            body = self._chunks(body)
        elif body:
            lines.append(b"Content-Length: %d" % len(body))
        return self._maybe_broken(b"\r\n".join([*lines, b"", b""]), 0.2) + self._maybe_broken(body, 0.3)

    def _first_line(self) -> bytes:
        method = self._chance.choice((b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"))
        some_id = b"%032x" % self._chance.randrange(2)
        path = self._chance.choice((
            b"/login", b"/upload", b"/download?fid=" + some_id, b"/session", b"/v1/jobs",
            b"/v1/jobs?limit=5&before=1.0", b"/v1/jobs/" + some_id, b"/v1/jobs/" + some_id + b"/mp3",
            b"/v1/jobs/" + some_id + b"/retry", b"/v1/events", b"/v1/convert/a.mp4?wait=0", b"/v1/uploads",
            b"/v1/uploads/" + some_id, b"/v1/me", b"/v1/me/password", b"/v1/me/usage", b"/v1/limits",
            b"/v1/admin/users", b"/v1/admin/users/a", b"/v1/admin/jobs", b"/nowhere",
        ))  # fmt: skip
        return method + b" " + self._maybe_broken(path, 0.2) + b" HTTP/1.1"

    def _authorization(self) -> bytes:
        token = self._chance.choice(self._tokens).encode()
        deep = base64.urlsafe_b64encode(b"[" * 2000)
        given = self._chance.choice((
            b"Bearer " + token, b"Bearer " + token, b"Bearer " + token,
            b"Bearer " + self._maybe_broken(token, 1), b"Bearer " + deep + b".e30.x",
            b"Basic " + self._value(), b"Basic " + base64.b64encode(self._value()[:3000]),
        ))  # fmt: skip
        return b"Authorization: " + given

    def _value(self) -> bytes:
        good = (
            b"sha-256=:" + base64.b64encode(bytes(32)) + b":", b"bytes=0-1", b'"x"', b"1.0.0", b"5", b"*/*",
            b"session=x", b"filename " + base64.b64encode(b"a.mp4"), b"sha1 " + base64.b64encode(bytes(20)),
            b"text/plain;q=0.5", b"Mon, 01 Jan 2001 00:00:00 GMT", b"same-origin",
        )  # fmt: skip
        return self._maybe_broken(self._chance.choice(good), 0.8)

    def _form(self) -> bytes:
        name = self._maybe_broken(b'form-data; name="file"; filename="a.mp4"', 0.4)
        field = self._maybe_broken(b'form-data; name="title"', 0.3)
        return b"\r\n".join([
            b"--b", b"Content-Disposition: " + name,
            b"Content-Type: " + self._maybe_broken(b"video/mp4", 0.3), b"", CLIP, b"--b",
            b"Content-Disposition: " + field, b"", self._value(), b"--b--", b"",
        ])  # fmt: skip

    def _chunks(self, body: bytes) -> bytes:
        size = self._maybe_broken(b"%x" % len(body), 0.3)
        return (
            size + self._maybe_broken(b"\r\n", 0.1) + body + b"\r\n0\r\n" + self._maybe_broken(b"\r\n", 0.2)
        )

    def _maybe_broken(self, good: bytes, probability: float) -> bytes:
        """Return it with up to three changes: something put in, taken out, or in its place."""
        chance = self._chance
        if chance.random() >= probability:
            return good
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            start = chance.randrange(len(good) + 1)
            stop = min(len(good), start + chance.choice((0, 0, 1, 2, 10)))
            noise = chance.randbytes(chance.choice((1, 2, 8)))
            part = chance.choice((chance.choice(SPECIAL), noise, good[start:stop] * 2))
            good = chance.choice((good[:start] + part + good[stop:], part))
        return good


def fuzz(port: int, requests: Iterable[bytes]) -> list[Finding]:
    """Send broken requests, and return those that were answered as none may be."""
    asked = ((request, ask(port, request)) for request in requests)
    return [Finding(request, answer) for request, answer in asked if not is_honest(answer)]


def ask(port: int, request: bytes) -> bytes:
    """Return the head of what comes back on a connection of its own: streams have no end."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while HEAD_END not in answer.removeprefix(CONTINUE) and (data := connection.recv(65536)):
                answer += data
        except TimeoutError:
            return answer or b"no answer"
        except OSError:
            pass  # it was refused, and the connection is gone, before it was sent as a whole
    return answer


def is_honest(answer: bytes) -> bool:
    """Tell whether this may answer a broken request: nothing at all, or HTTP and no bug."""
    if not answer:
        return True
    found = ANSWER.match(answer.removeprefix(CONTINUE))
    if found is None:
        return False
    return found[1] < b"500" or found[1] == b"501" or (found[1] == b"503" and b"\r\nRetry-After: " in answer)
