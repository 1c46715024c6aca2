"""A client of tus in a few lines, for tests that break off where no real one would."""

import base64
import hashlib
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.integration.gateway.conftest import Gateway

TUS = {"Tus-Resumable": "1.0.0"}
PART = {**TUS, "Content-Type": "application/offset+octet-stream"}

PIECE = 64 * 1024 * 1024
"""`randbytes` makes no more than 256 MiB at once."""


def video(size: int, seed: int = 0) -> bytes:
    """Return bytes that nobody takes for anything but a video."""
    chance = random.Random(seed)  # noqa: S311 - the same in every run
    pieces = (chance.randbytes(min(PIECE, size - at)) for at in range(0, size, PIECE))
    return b"".join((b"\0\0\0 ftypisom", *pieces))[:size]


def metadata(**values: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


def begin(client: httpx.Client, length: int | None, **values: str) -> str:
    """Begin an upload and return its path."""
    size = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
    headers = {**TUS, **size, "Upload-Metadata": metadata(**{"filename": "talk.mp4", **values})}
    answer = client.post("/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return path_of(answer)


def path_of(answer: httpx.Response) -> str:
    """Return the path of the upload that an answer names, good at every gateway."""
    return httpx.URL(answer.headers["Location"]).path


def patch(client: httpx.Client, place: str, offset: int, data: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.patch(place, headers={**PART, "Upload-Offset": str(offset), **named}, content=data)


def offset_of(client: httpx.Client, place: str) -> int:
    answer = client.head(place, headers=TUS)
    assert answer.status_code == 200, answer.status_code
    return int(answer.headers["Upload-Offset"])


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


@contextmanager
def unfinished_patch(
    gateway: Gateway, place: str, offset: int, data: bytes, size: int, *lines: str
) -> Iterator[socket.socket]:
    """Send these bytes of a `PATCH` that promises more, and leave it so."""
    head = [
        f"PATCH {place} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {gateway.auth.token('me@example.com')}",
        *(f"{name}: {value}" for name, value in PART.items()),
        f"Upload-Offset: {offset}",
        f"Content-Length: {size}",
        *lines,
    ]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + data)
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    """Return all that comes until the other side ends."""
    return b"".join(iter(lambda: connection.recv(65536), b""))
