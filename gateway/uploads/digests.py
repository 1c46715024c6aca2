"""The SHA-256 of uploads that come in several requests.

A running hash cannot be stored, so a process keeps those of the uploads that it receives; what came by
other processes, or before this one started, is read once when the upload is complete.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol, Self

from pipeline.upload_store import Upload

MAX_KEPT = 1000


class Hash(Protocol):
    """What `hashlib.sha256` returns."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def copy(self) -> Self:
        """Return another one that took the same bytes."""

    def hexdigest(self) -> str:
        """Return the digest of all bytes so far."""


class Digests:
    """The running hashes of one process."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, Hash]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, upload: Upload) -> Hash | None:
        """Return a hash of all that the upload holds, to go on with, if this process has one."""
        if upload.offset == 0:
            return hashlib.sha256()
        offset, running = self._find(upload.id)
        return running.copy() if offset == upload.offset else None

    def keep(self, upload: Upload, running: Hash) -> None:
        """Remember the hash of all that the upload holds."""
        with self._lock:
            self._known[upload.id] = upload.offset, running
            self._known.move_to_end(upload.id)
            if len(self._known) > MAX_KEPT:
                self._known.popitem(last=False)

    def of(self, upload: Upload, read: Callable[[int], Iterable[bytes]]) -> str:
        """Return the digest of a complete upload; `read` yields its bytes from an offset on."""
        offset, known = self._find(upload.id)
        running = known.copy()
        for piece in read(offset):
            running.update(piece)
        with self._lock:
            self._known.pop(upload.id, None)
        return running.hexdigest()

    def _find(self, upload_id: str) -> tuple[int, Hash]:
        with self._lock:
            return self._known.get(upload_id) or (0, hashlib.sha256())
