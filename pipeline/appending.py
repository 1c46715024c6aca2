"""Append the bytes of one request to the blob of an upload, chunk by chunk, whatever dies meanwhile.

The chunks are those of GridFS and bear the generation that wrote them, so that a holder that slept
while others went on overwrites nothing of theirs.  What lies behind the upload's offset does not count
and is overwritten.
"""

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from chassis.crashpoint import crashpoints
from pipeline.files import IN_FLIGHT, Blob, BlobDamaged, Database
from pipeline.mongodb import Client, Document, Duplicate, StoreUnavailable, translated
from pipeline.upload_store import Upload, UploadStore

SAVE_SECONDS = 2.0
"""How much of a request a process that is killed may lose, in time."""


class Displaced(Exception):
    """The upload is in other hands: nothing more is stored by this one."""


class PartialBlobs:
    """The chunks, in the bucket `fs` of one database, of uploads that are not complete.

    Every method raises `StoreUnavailable` when MongoDB is away.
    """

    def __init__(self, client: Client, database: Database) -> None:
        self._files = client[database]["fs.files"]
        self._chunks = client[database]["fs.chunks"]

    @crashpoints
    def put_chunk(self, upload: Upload, n: int, data: bytes) -> None:
        """Store a chunk, in place of one of this generation or an older one.

        Raises:
            Displaced: a newer generation has stored it.
        """
        place = {"files_id": upload.id, "n": n}
        chunk = {**place, "data": data, "generation": upload.generation}
        if n * upload.chunk_bytes >= upload.offset:  # then most likely there is none
            with suppress(Duplicate), translated():
                self._chunks.insert_one(dict(chunk))
                return
        try:
            with translated():
                older = {**place, "generation": {"$lte": upload.generation}}
                self._chunks.replace_one(older, chunk, upsert=True)
        except Duplicate:
            raise Displaced(upload.id) from None

    def chunk(self, upload: Upload, n: int) -> bytes:
        """Return a chunk: what counts of it, and what a process that died stored behind that.

        Raises:
            BlobDamaged: it is shorter than the upload's offset says.
        """
        size = min(upload.chunk_bytes, upload.offset - n * upload.chunk_bytes)
        with translated():
            chunk = self._chunks.find_one({"files_id": upload.id, "n": n}, {"data": 1})
        data: bytes = b"" if chunk is None else chunk["data"]
        if len(data) < size:
            raise BlobDamaged(f"{upload.id}: chunk {n} has {len(data)} bytes and must have {size}")
        return data

    def trim(self, upload: Upload) -> Blob:
        """Return the blob of a complete upload, for `commit`, with nothing behind its end.

        Where the length was not known, a process that died may have stored something there.
        """
        if upload.deferred:
            last, rest = divmod(upload.offset, upload.chunk_bytes)
            if rest and len(chunk := self.chunk(upload, last)) > rest:
                self.put_chunk(upload, last, chunk[:rest])
            self._delete_chunks(upload.id, last + bool(rest))
        metadata = {"owner": upload.owner, "content_type": upload.content_type}
        return Blob(
            upload.id, upload.filename, upload.offset, upload.chunk_bytes, upload.updated_at, None, metadata
        )

    def commit(self, blob: Blob, sha256: str) -> None:
        """Make the blob exist; again is harmless."""
        with suppress(Duplicate):
            self._insert_file(
                {
                    "_id": blob.id,
                    "filename": blob.filename,
                    "length": blob.size,
                    "chunkSize": blob.chunk_bytes,
                    "uploadDate": blob.uploaded_at,
                    "metadata": {**blob.metadata, "sha256": sha256},
                }
            )

    @crashpoints
    def _delete_chunks(self, blob_id: str, start: int) -> None:
        with translated():
            self._chunks.delete_many({"files_id": blob_id, "n": {"$gte": start}})

    @crashpoints
    def _insert_file(self, document: Document) -> None:
        with translated():
            self._files.insert_one(document)


class Appender:
    """Adds bytes to an upload that the caller holds.

    One chunk is being filled while at most `IN_FLIGHT` others are on their way to the server, so the
    memory of a request does not depend on its size.  Bytes count when they are saved: every
    `SAVE_SECONDS`, and at the end; with `at_the_end` only then, all or none.
    """

    def __init__(
        self, store: UploadStore, blobs: PartialBlobs, upload: Upload, *, at_the_end: bool = False
    ) -> None:
        self.upload = upload
        """As it was saved last."""
        self.offset = upload.offset
        """Behind the last byte that was written here, saved or not."""
        self._store, self._blobs = store, blobs
        self._at_the_end = at_the_end
        self._n, self._filled = divmod(upload.offset, upload.chunk_bytes)
        self._buffer = bytearray(upload.chunk_bytes)
        if self._filled:
            self._buffer[: self._filled] = blobs.chunk(upload, self._n)[: self._filled]
        self._unsaved = False
        self._saved_at = time.monotonic()
        self._storing: deque[Future[None]] = deque()
        self._storer = ThreadPoolExecutor(max_workers=IN_FLIGHT, thread_name_prefix="appender")

    def write(self, data: bytes) -> None:
        """Add bytes; blocks while the server is slower than the caller.

        Raises:
            Displaced: the upload is in other hands.
            StoreUnavailable: earlier bytes could not be stored.
        """
        view = memoryview(data)
        while view.nbytes:
            piece = view[: len(self._buffer) - self._filled]
            self._buffer[self._filled : self._filled + piece.nbytes] = piece
            self._filled += piece.nbytes
            self.offset += piece.nbytes
            self._unsaved = True
            view = view[piece.nbytes :]
            if self._filled == len(self._buffer):
                self._put()
                self._n, self._filled = self._n + 1, 0
        due = time.monotonic() - self._saved_at >= SAVE_SECONDS and not self._at_the_end
        if due and self.offset != self.upload.length:  # the end is the caller's to save
            self.save()

    def save(self, *, release: bool = False) -> Upload:
        """Let everything count that was written, with `release` as the last act of this holder.

        Raises:
            Displaced: the upload is in other hands; what was written since it was saved does not count.
        """
        if self._unsaved and self._filled:
            self._put()
        self._wait(0)
        moved = self._store.move(self.upload, self.offset, release=release)
        if moved is None:
            raise Displaced(self.upload.id)
        self.upload, self._unsaved, self._saved_at = moved, False, time.monotonic()
        return moved

    def head(self, size: int) -> bytes:
        """Return the first bytes of an upload that is still in its first chunk."""
        return bytes(self._buffer[: min(size, self._filled)])

    def close(self) -> None:
        """Store nothing more."""
        self._storer.shutdown(cancel_futures=True)

    def _put(self) -> None:
        self._wait(IN_FLIGHT - 1)
        data = bytes(memoryview(self._buffer)[: self._filled])
        try:
            self._storing.append(self._storer.submit(self._blobs.put_chunk, self.upload, self._n, data))
        except RuntimeError:  # the interpreter ends and starts nothing any more, whatever still runs
            raise StoreUnavailable("this process is ending") from None

    def _wait(self, left: int) -> None:
        """Return when at most `left` chunks are still on their way."""
        while len(self._storing) > left:
            self._storing.popleft().result()
