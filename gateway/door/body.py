"""The content of a request, read in pieces as it arrives and never as a whole."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

from flask import Request

from gateway import problems
from gateway.door import malformed
from gateway.door.connections import MalformedBody

PIECE_BYTES = 256 * 1024
"""What is read at once: large enough that the threads seldom wait for each other."""


class Body:
    """A request's content, checked against what its headers say of it.

    A file of at most `limit` bytes, and `around` it what its form may add.
    """

    def __init__(self, request: Request, limit: int, around: int = 0) -> None:
        coding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            raise problems.compressed_body(coding)
        self._stream = request.environ["wsgi.input"]
        self._length = request.content_length
        if self._length is None and "wsgi.input_terminated" not in request.environ:
            self._length = 0
        self._limit = limit
        self._most = limit + around
        self._size = 0
        self._expected = _sha256_of(request.headers.get("Content-Digest"))
        self._hash = hashlib.sha256() if self._expected else None
        if self._length is not None and self._length > self._most:
            raise problems.too_large(limit)

    def pieces(self, *, as_it_comes: bool = False) -> Iterator[bytes]:
        """Yield the content, `as_it_comes` without waiting for whole pieces.

        Raises:
            Problem: it is too large, ends early, comes too slowly or is not what `Content-Digest` says.
        """
        while piece := self._read(as_it_comes):
            self._size += len(piece)
            if self._size > self._most:
                raise problems.too_large(self._limit)
            if self._hash is not None:
                self._hash.update(piece)
            yield piece
        if self._length is not None and self._size < self._length:
            raise problems.ended_early(self._size, self._length)
        if self._hash is not None and not hmac.compare_digest(self._hash.digest(), self._expected or b""):
            raise problems.wrong_digest()

    def _read(self, as_it_comes: bool) -> bytes:  # noqa: FBT001 - passed on
        size = PIECE_BYTES if self._length is None else min(PIECE_BYTES, self._length - self._size)
        read = self._stream.read1 if as_it_comes else self._stream.read
        try:
            piece: bytes = read(size) if size else b""
        except TimeoutError:
            raise problems.too_slow() from None
        except MalformedBody as error:
            raise malformed.problem_of(error.reason) from None
        except (OSError, ValueError):
            raise problems.ended_early(self._size, self._length) from None
        return piece


def _sha256_of(header: str | None) -> bytes | None:
    """Return the SHA-256 that a `Content-Digest` names (RFC 9530); other algorithms are ignored."""
    members = dict(member.strip().split("=", 1) for member in (header or "").split(",") if "=" in member)
    text = members.get("sha-256")
    if text is None:
        return None
    try:
        digest = base64.b64decode(text.strip('":'), validate=True)
    except ValueError:
        raise problems.malformed_digest() from None
    if len(digest) != hashlib.sha256().digest_size:
        raise problems.malformed_digest()
    return digest
