"""Keep blobs in GridFS with bounded memory, and read any range of one.

Written and read by the GridFS specification, so that every GridFS tool can work on them:
https://github.com/mongodb/specifications/blob/master/source/gridfs/gridfs-spec.md
The driver's own `GridIn` buffers 48 MB for each upload and leaves its chunks behind on an exception,
and its `GridOut` asks for every chunk to the end of the file; hence this module.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

from chassis.crashpoint import crashpoints
from pipeline.mongodb import Client, Document, StoreUnavailable, now, translated

CHUNK_BYTES = 512 * 1024 - 16 * 1024
"""Below a power of two by what MongoDB's storage adds to a document, so that none is wasted."""

IN_FLIGHT = 2
"""How many chunks are on their way to the server at once: one is stored while the next one travels."""

Database = Literal["videos", "mp3s"]


class NoSuchBlob(Exception):
    """There is no blob with this id."""


class BlobDamaged(Exception):
    """A chunk of the blob is missing or has another length than it must."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob; `sha256` is `None` for one that another tool wrote."""

    id: str
    filename: str
    size: int
    chunk_bytes: int
    uploaded_at: datetime
    sha256: str | None
    metadata: Mapping[str, Any]


class Blobs:
    """The GridFS bucket `fs` of one database.

    Every method raises `StoreUnavailable` when MongoDB is away.
    """

    def __init__(self, client: Client, database: Database, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._files = client[database]["fs.files"]
        self._chunks = client[database]["fs.chunks"]
        self._chunk_bytes = chunk_bytes

    def ensure_indexes(self) -> None:
        """Create the two indexes of the specification; again is harmless."""
        with translated():
            self._files.create_index([("filename", 1), ("uploadDate", 1)])
            self._chunks.create_index([("files_id", 1), ("n", 1)], unique=True)

    def create(self, blob_id: str, filename: str, **metadata: Any) -> "BlobWriter":
        """Begin a blob; it exists once the writer is closed."""
        return BlobWriter(self, blob_id, filename, metadata, self._chunk_bytes)

    def find(self, blob_id: str) -> Blob:
        """Return what is known of a blob.

        Raises:
            NoSuchBlob: there is none.
        """
        with translated():
            document = self._files.find_one({"_id": blob_id})
        if document is None:
            raise NoSuchBlob(blob_id)
        metadata = document.get("metadata") or {}
        return Blob(
            id=blob_id,
            filename=document.get("filename", ""),
            size=document["length"],
            chunk_bytes=document["chunkSize"],
            uploaded_at=document["uploadDate"],
            sha256=metadata.get("sha256"),
            metadata=metadata,
        )

    def read(
        self, blob: Blob, start: int = 0, stop: int | None = None, *, ahead: bool = True
    ) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `stop` (its end by default), at most a chunk at a time.

        The next chunk is fetched `ahead`, while the caller works on this one; else nothing is in memory
        but what the caller holds.

        Raises:
            NoSuchBlob: it was deleted meanwhile.
            BlobDamaged: when the stored chunks do not make up the blob.
        """
        stop = blob.size if stop is None else min(stop, blob.size)
        if start >= stop:
            return
        first, last = start // blob.chunk_bytes, (stop - 1) // blob.chunk_bytes
        if not ahead:
            for n in range(first, last + 1):
                at = n * blob.chunk_bytes
                yield self._chunk(blob, n)[max(start - at, 0) : stop - at]
            return
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="blob-reader") as fetcher:
            coming = fetcher.submit(self._chunk, blob, first)
            for n in range(first, last + 1):
                data = coming.result()
                if n < last:
                    coming = fetcher.submit(self._chunk, blob, n + 1)
                at = n * blob.chunk_bytes
                # A slice of the whole is no copy: bytes are immutable and CPython returns the same object.
                yield data[max(start - at, 0) : stop - at]

    def ids(self, prefix: str) -> list[str]:
        """Return the ids, with this beginning, of all blobs and of all pieces without one; unordered."""
        span = {"$gte": prefix, "$lt": prefix + "\uffff"}
        with translated():
            files = self._files.distinct("_id", {"_id": span})
            chunks = self._chunks.distinct("files_id", {"files_id": span})
        return list({*files, *chunks})

    def delete(self, blob_id: str) -> None:
        """Delete a blob, or what an interrupted upload or deletion left of one."""
        self._delete_file(blob_id)
        self._delete_chunks(blob_id)

    def _chunk(self, blob: Blob, n: int) -> bytes:
        size = min(blob.chunk_bytes, blob.size - n * blob.chunk_bytes)
        with translated():
            chunk = self._chunks.find_one({"files_id": blob.id, "n": n}, {"data": 1})
        if chunk is None:
            self.find(blob.id)  # the files document goes first when a blob is deleted
            raise BlobDamaged(f"{blob.id}: chunk {n} is missing")
        if len(chunk["data"]) != size:
            raise BlobDamaged(f"{blob.id}: chunk {n} has {len(chunk['data'])} bytes and must have {size}")
        data: bytes = chunk["data"]
        return data

    @crashpoints
    def _insert_chunk(self, blob_id: str, n: int, data: bytes) -> None:
        with translated():
            self._chunks.insert_one({"files_id": blob_id, "n": n, "data": data})

    @crashpoints
    def _insert_file(self, document: Document) -> None:
        with translated():
            self._files.insert_one(document)

    @crashpoints
    def _delete_file(self, blob_id: str) -> None:
        with translated():
            self._files.delete_one({"_id": blob_id})

    @crashpoints
    def _delete_chunks(self, blob_id: str) -> None:
        with translated():
            self._chunks.delete_many({"files_id": blob_id})


class BlobWriter:
    """Writes one blob; used in `with`, it commits at the end and aborts on an exception.

    One chunk is being filled while at most `IN_FLIGHT` others are on their way to the server, so the
    memory of an upload does not depend on its size, and reading the client overlaps with storing.
    """

    def __init__(
        self, blobs: Blobs, blob_id: str, filename: str, metadata: dict[str, Any], chunk_bytes: int
    ) -> None:
        self.id = blob_id
        self.size = 0
        self._blobs = blobs
        self._filename = filename
        self._metadata = metadata
        self._chunk_bytes = chunk_bytes
        self._buffer = bytearray(chunk_bytes)
        self._filled = 0
        self._n = 0
        self._touched = False
        self._hash = hashlib.sha256()
        self._storing: deque[Future[None]] = deque()
        self._storer = ThreadPoolExecutor(max_workers=IN_FLIGHT, thread_name_prefix="blob-writer")

    @property
    def sha256(self) -> str:
        """The hexadecimal digest of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes | memoryview) -> int:
        """Add bytes; blocks while the server is slower than the caller.

        Raises:
            StoreUnavailable: an earlier chunk could not be stored.
        """
        self._hash.update(data)
        self.size += len(data)
        view = memoryview(data)
        while view.nbytes:
            piece = view[: self._chunk_bytes - self._filled]
            self._buffer[self._filled : self._filled + piece.nbytes] = piece
            self._filled += piece.nbytes
            view = view[piece.nbytes :]
            if self._filled == self._chunk_bytes:
                self._store_buffer()
        return len(data)

    def commit(self) -> Blob:
        """Store what is left and the files document, which makes the blob exist."""
        self._touched = True
        try:
            if self._filled:
                self._store_buffer()
            self._wait(0)
        finally:
            self._storer.shutdown()
        time = now()
        metadata = {**self._metadata, "sha256": self.sha256}
        self._blobs._insert_file(  # noqa: SLF001 - the writer is the bucket's other half
            {
                "_id": self.id,
                "filename": self._filename,
                "length": self.size,
                "chunkSize": self._chunk_bytes,
                "uploadDate": time,
                "metadata": metadata,
            }
        )
        return Blob(self.id, self._filename, self.size, self._chunk_bytes, time, self.sha256, metadata)

    def abort(self) -> None:
        """Remove what was stored."""
        self._storer.shutdown(cancel_futures=True)
        if self._touched:
            self._blobs.delete(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()

    def _store_buffer(self) -> None:
        self._wait(IN_FLIGHT - 1)
        insert = self._blobs._insert_chunk  # noqa: SLF001 - the writer is the bucket's other half
        data = bytes(memoryview(self._buffer)[: self._filled])
        self._touched = True
        try:
            self._storing.append(self._storer.submit(insert, self.id, self._n, data))
        except RuntimeError:  # the interpreter ends and starts nothing any more, whatever still runs
            raise StoreUnavailable("this process is ending") from None
        self._filled = 0
        self._n += 1

    def _wait(self, left: int) -> None:
        """Return when at most `left` chunks are still on their way."""
        while len(self._storing) > left:
            self._storing.popleft().result()
