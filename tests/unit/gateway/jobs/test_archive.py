"""A zip that exists byte by byte before anything is read."""

import io
import random
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.problem import Problem
from gateway.jobs import archive
from gateway.jobs.sending import Content
from pipeline.job import Job, State

ENDED = datetime(2026, 11, 25, 13, 37, 42, tzinfo=UTC)
GIB = 1024**3


@dataclass
class Store:
    """MP3s by id; one of a size alone is made of zeros, and never as a whole."""

    mp3s: dict[str, bytes | int] = field(default_factory=dict)
    read_bytes: int = 0

    def find(self, blob_id: str) -> str:
        return blob_id

    def read(self, blob: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        mp3 = self.mp3s[blob]
        size = mp3 if isinstance(mp3, int) else len(mp3)
        stop = size if stop is None else stop
        self.read_bytes += stop - start
        yield bytes(stop - start) if isinstance(mp3, int) else mp3[start:stop]

    def job(self, name: str, mp3: bytes | int, *, state: State = "done", crc: bool = True) -> Job:
        blob_id = str(len(self.mp3s))
        self.mp3s[blob_id] = mp3
        content = b"" if isinstance(mp3, int) else mp3
        result: dict[str, Any] = {"blob": blob_id, "size": mp3 if isinstance(mp3, int) else len(mp3)}
        result |= {"sha256": f"digest of {blob_id}", "crc32": zlib.crc32(content)}
        if not crc:
            del result["crc32"]
        unset: dict[str, Any] = dict.fromkeys(("media", "phase", "error", "notice"), None)
        return Job(
            id=blob_id, owner="me", state=state, version=1, created_at=ENDED, updated_at=ENDED,
            ended_at=ENDED, attempt=1, request_id="", source={"filename": name}, options={}, progress=1.0,
            lease={}, doorbell={}, result=result if state == "done" else None, **unset,
        )  # fmt: skip


def of(store: Store, *jobs: Job) -> Content:
    return archive.of(jobs, store)  # type: ignore[arg-type]  # a small one


def whole(content: Content) -> bytes:
    return b"".join(content.read(0, content.size))


class File(io.RawIOBase):
    """A content as a file that is read where somebody looks."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._at = 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._content.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._content.size if size < 0 else min(self._at + size, self._content.size)
        data = b"".join(self._content.read(self._at, stop)) if stop > self._at else b""
        self._at += len(data)
        return data


def test_it_is_a_zip_of_the_mp3s_under_names_of_their_own() -> None:
    store = Store()
    names = ["talk.mp4", "Talk.mkv", "talk.mov", "talk (2).mp4", "тест ünï 👍.mp4", "video"]
    jobs = [store.job(name, f"mp3 {number}".encode() * 100) for number, name in enumerate(names)]

    content = of(store, *jobs)

    with zipfile.ZipFile(io.BytesIO(whole(content))) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [
            "talk.mp3", "Talk (2).mp3", "talk (3).mp3", "talk (2) (2).mp3", "тест ünï 👍.mp3", "video.mp3",
        ]  # fmt: skip
        for number, name in enumerate(opened.namelist()):
            assert opened.read(name) == f"mp3 {number}".encode() * 100
            assert opened.getinfo(name).date_time == (2026, 11, 25, 13, 37, 42)


def test_every_range_is_that_part_of_the_whole() -> None:
    store, chance = Store(), random.Random(18)  # noqa: S311 - the same ranges in every run
    content = of(store, *(store.job(f"{n}.mp4", chance.randbytes(n * 37)) for n in range(6)))
    expected = whole(content)

    places = [(0, 1), (0, content.size), (content.size - 1, content.size)]
    places += [tuple(sorted(chance.sample(range(content.size + 1), 2))) for _ in range(500)]

    assert len(expected) == content.size
    for start, stop in places:
        assert b"".join(content.read(start, stop)) == expected[start:stop], (start, stop)


def test_only_the_mp3s_of_a_range_are_read() -> None:
    store = Store()
    content = of(store, *(store.job(f"{n}.mp4", bytes(1000)) for n in range(10)))

    list(content.read(content.size - 20, content.size))
    assert store.read_bytes == 0
    list(content.read(3100, 3200))
    assert store.read_bytes <= 100


def test_more_than_four_gibibytes_are_no_other_thing() -> None:
    store = Store()
    content = of(
        store,
        store.job("a.mp4", 3 * GIB),
        store.job("b.mp4", 5 * GIB),
        store.job("c.mp4", 10),
        store.job("d.mp4", b"the last"),
    )

    with zipfile.ZipFile(File(content)) as opened:  # type: ignore[type-var]  # it reads and seeks
        assert {info.filename: info.file_size for info in opened.infolist()} == {
            "a.mp3": 3 * GIB, "b.mp3": 5 * GIB, "c.mp3": 10, "d.mp3": 8,
        }  # fmt: skip
        assert opened.read("d.mp3") == b"the last"
        assert opened.open("b.mp3").read(10) == bytes(10)


def test_a_checksum_that_nobody_noted_is_computed() -> None:
    store = Store()
    content = of(store, store.job("a.mp4", b"of an older converter", crc=False))

    with zipfile.ZipFile(io.BytesIO(whole(content))) as opened:
        assert opened.testzip() is None


def test_another_content_has_another_tag_and_the_same_the_same() -> None:
    store = Store()
    a, b = store.job("a.mp4", b"1"), store.job("b.mp4", b"2")

    assert of(store, a, b).tag == of(store, a, b).tag
    assert len({of(store, a, b).tag, of(store, b, a).tag, of(store, a).tag}) == 3


@pytest.mark.parametrize("state", ["queued", "failed", "expired"])
def test_a_job_without_an_mp3_is_told(state: State) -> None:
    store = Store()

    with pytest.raises(Problem, match=state):
        of(store, store.job("a.mp4", b"1"), store.job("b.mp4", b"2", state=state))
