"""Blobs in GridFS, on a real store, and beside the driver's own GridFS."""

import hashlib
import os
import threading
from collections.abc import Iterator

import gridfs
import pytest

from pipeline import mongodb
from pipeline.files import BlobDamaged, Blobs, NoSuchBlob
from pipeline.mongodb import Client

CHUNK = 1000


@pytest.fixture
def client(mongodb_url: str) -> Iterator[Client]:
    with mongodb.connect(mongodb_url) as client:
        for name in ("fs.files", "fs.chunks"):
            client["videos"][name].delete_many({})
        yield client


@pytest.fixture
def blobs(client: Client) -> Blobs:
    blobs = Blobs(client, "videos", CHUNK)
    blobs.ensure_indexes()
    return blobs


def store(blobs: Blobs, content: bytes, blob_id: str = "b", piece: int = 700) -> None:
    with blobs.create(blob_id, "talk.mp4", owner="me") as writer:
        for start in range(0, len(content), piece):
            writer.write(content[start : start + piece])


def read(blobs: Blobs, blob_id: str = "b", start: int = 0, stop: int | None = None) -> bytes:
    return b"".join(blobs.read(blobs.find(blob_id), start, stop))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 5 * CHUNK + 321])
def test_what_was_written_is_read(blobs: Blobs, size: int) -> None:
    content = os.urandom(size)

    store(blobs, content)

    blob = blobs.find("b")
    assert read(blobs) == content
    assert (blob.size, blob.filename, blob.metadata["owner"]) == (size, "talk.mp4", "me")
    assert blob.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("start", [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 5, 3 * CHUNK, 9 * CHUNK])
@pytest.mark.parametrize("length", [0, 1, CHUNK, 2 * CHUNK + 1, 99 * CHUNK])
def test_any_range_is_the_same_as_a_slice(blobs: Blobs, start: int, length: int) -> None:
    content = os.urandom(3 * CHUNK + 200)
    store(blobs, content)

    assert read(blobs, start=start, stop=start + length) == content[start : start + length]


def test_the_driver_reads_what_was_written_here(client: Client, blobs: Blobs) -> None:
    content = os.urandom(3 * CHUNK + 1)

    store(blobs, content)

    with gridfs.GridFSBucket(client["videos"]).open_download_stream("b") as stream:
        assert stream.read() == content
        assert (stream.length, stream.chunk_size, stream.filename) == (len(content), CHUNK, "talk.mp4")


def test_what_the_driver_wrote_is_read_here(client: Client, blobs: Blobs) -> None:
    content = os.urandom(2500)

    gridfs.GridFSBucket(client["videos"], chunk_size_bytes=999).upload_from_stream_with_id(
        "d", "x.mp4", content
    )

    blob = blobs.find("d")
    assert read(blobs, "d") == content
    assert (blob.sha256, blob.metadata, blob.chunk_bytes) == (None, {}, 999)


def test_a_blob_exists_only_once_it_is_complete(blobs: Blobs) -> None:
    writer = blobs.create("b", "talk.mp4")
    writer.write(b"x" * 3 * CHUNK)

    with pytest.raises(NoSuchBlob):
        blobs.find("b")
    writer.commit()
    assert blobs.find("b").size == 3 * CHUNK


def test_an_exception_leaves_no_chunk(client: Client, blobs: Blobs) -> None:
    def broken_upload() -> None:
        with blobs.create("b", "talk.mp4") as writer:
            writer.write(b"x" * 5 * CHUNK)
            raise KeyError

    with pytest.raises(KeyError):
        broken_upload()

    assert client["videos"]["fs.chunks"].count_documents({}) == 0


def test_deleting_leaves_nothing_and_deleting_again_is_harmless(client: Client, blobs: Blobs) -> None:
    store(blobs, b"x" * 5 * CHUNK)
    store(blobs, b"other", "o")

    blobs.delete("b")
    blobs.delete("b")

    assert client["videos"]["fs.chunks"].count_documents({}) == 1
    assert read(blobs, "o") == b"other"


def test_a_blob_that_is_deleted_while_it_is_read_is_gone_and_not_damaged(blobs: Blobs) -> None:
    store(blobs, b"x" * 5 * CHUNK)
    pieces = blobs.read(blobs.find("b"))
    next(pieces)

    blobs.delete("b")

    with pytest.raises(NoSuchBlob):
        list(pieces)


@pytest.mark.parametrize(
    ("damage", "message"),
    [({"$set": {"data": b"short"}}, "chunk 1 has 5 bytes and must have 1000"), (None, "chunk 1 is missing")],
)
def test_a_damaged_blob_is_not_read_to_its_end(
    client: Client, blobs: Blobs, damage: dict[str, object] | None, message: str
) -> None:
    store(blobs, b"x" * 3 * CHUNK)
    chunks, second = client["videos"]["fs.chunks"], {"files_id": "b", "n": 1}
    if damage is None:
        chunks.delete_one(second)
    else:
        chunks.update_one(second, damage)

    with pytest.raises(BlobDamaged, match=message):
        read(blobs)


def test_a_range_asks_for_its_own_chunks_only(client: Client, blobs: Blobs) -> None:
    store(blobs, b"x" * 5 * CHUNK)
    client["videos"]["fs.chunks"].delete_many({"n": {"$nin": [2, 3]}})

    assert len(read(blobs, start=2 * CHUNK, stop=4 * CHUNK)) == 2 * CHUNK


def test_a_reader_that_stops_early_leaves_no_thread(blobs: Blobs) -> None:
    store(blobs, b"x" * 5 * CHUNK)

    reader = blobs.read(blobs.find("b"))
    next(reader)
    reader.close()  # type: ignore[attr-defined]  # it is a generator

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("blob-")]


def test_a_chunk_that_cannot_be_stored_is_told_at_the_next_write(client: Client, blobs: Blobs) -> None:
    client["videos"]["fs.chunks"].insert_one({"files_id": "b", "n": 0, "data": b""})

    with pytest.raises(mongodb.StoreRefused):
        store(blobs, b"x" * 3 * CHUNK)


def test_a_server_that_is_away_is_told() -> None:
    with mongodb.connect("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100") as nowhere:
        with pytest.raises(mongodb.StoreUnavailable):
            Blobs(nowhere, "videos").find("b")
        with pytest.raises(mongodb.StoreUnavailable):
            mongodb.ping(nowhere)


def test_a_server_that_answers_is_pinged(client: Client) -> None:
    mongodb.ping(client)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, None), (0, 1), (CHUNK - 1, CHUNK + 1), (CHUNK, 3 * CHUNK), (5, 7)]
)
def test_reading_without_looking_ahead_yields_the_same(blobs: Blobs, start: int, stop: int | None) -> None:
    content = bytes(range(256)) * 20
    store(blobs, content)
    blob = blobs.find("b")

    assert b"".join(blobs.read(blob, start, stop, ahead=False)) == content[start:stop]
    assert list(blobs.read(blob, start, stop, ahead=False)) == list(blobs.read(blob, start, stop))
