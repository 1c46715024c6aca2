"""Downloads that resume and seek."""

import hashlib
import json
import os
import random
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from pipeline.files import CHUNK_BYTES
from pipeline.job import Job
from tests.integration.gateway.conftest import Gateway, StartGateway, Stores

MP3 = random.Random(3).randbytes(2 * CHUNK_BYTES + 1000)  # noqa: S311 - every worker must name it alike
TAG = f'"{hashlib.sha256(MP3).hexdigest()}"'
SIZE = len(MP3)


@pytest.fixture
def job(stores: Stores) -> Job:
    return stores.done("me@example.com", MP3)


def download(me: httpx.Client, job: Job, method: str = "GET", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return me.request(method, "/download", params={"fid": job.id}, headers=named)


def test_a_download_says_its_length_its_tag_and_that_it_can_be_resumed(me: httpx.Client, job: Job) -> None:
    answer = download(me, job)

    assert answer.content == MP3
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["ETag"] == TAG
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_head_has_the_headers_and_no_body(me: httpx.Client, job: Job) -> None:
    whole, head = download(me, job), download(me, job, "HEAD")

    own = ("date", "x-request-id", "ratelimit-remaining", "ratelimit-reset")
    assert head.content == b""
    assert {**head.headers, **dict.fromkeys(own)} == {**whole.headers, **dict.fromkeys(own)}


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=10-{SIZE * 2}", 10, SIZE),
        (f"bytes={CHUNK_BYTES - 1}-{CHUNK_BYTES}", CHUNK_BYTES - 1, CHUNK_BYTES + 1),
        (f"bytes={CHUNK_BYTES}-{2 * CHUNK_BYTES - 1}", CHUNK_BYTES, 2 * CHUNK_BYTES),
    ],
)
def test_a_range_is_what_was_asked_for(me: httpx.Client, job: Job, asked: str, start: int, stop: int) -> None:
    answer = download(me, job, Range=asked)

    assert (answer.status_code, answer.content) == (206, MP3[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "asked", ["bytes=1-0", "lines=1-2", "bytes=", "nonsense", "bytes=0-1,5-6", "bytes=a-b"]
)
def test_what_is_no_single_range_is_answered_with_the_whole(me: httpx.Client, job: Job, asked: str) -> None:
    answer = download(me, job, Range=asked)

    assert (answer.status_code, answer.content) == (200, MP3)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}"])
def test_a_range_beyond_the_end_says_where_the_end_is(me: httpx.Client, job: Job, asked: str) -> None:
    answer = download(me, job, Range=asked)

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    ("condition", "status"),
    [(TAG, 206), ('"another"', 200), (f"W/{TAG}", 200), ("Mon, 01 Jan 2024 00:00:00 GMT", 200)],
)
def test_a_range_of_another_file_is_answered_with_the_whole(
    me: httpx.Client, job: Job, condition: str, status: int
) -> None:
    assert download(me, job, Range="bytes=0-9", If_Range=condition).status_code == status


def test_a_range_holds_for_the_date_that_was_told(me: httpx.Client, job: Job) -> None:
    date = download(me, job, "HEAD").headers["Last-Modified"]

    assert download(me, job, Range="bytes=0-9", If_Range=date).status_code == 206


@pytest.mark.parametrize(("tag", "status"), [(TAG, 304), (f"W/{TAG}", 304), ("*", 304), ('"another"', 200)])
def test_what_the_client_has_is_not_sent_again(me: httpx.Client, job: Job, tag: str, status: int) -> None:
    answer = download(me, job, If_None_Match=tag)

    assert answer.status_code == status
    assert answer.headers["ETag"] == TAG


def test_it_plays_in_the_browser_on_request(me: httpx.Client, job: Job) -> None:
    answer = me.get("/download", params={"fid": job.id, "inline": "1"})

    assert answer.headers["Content-Disposition"].startswith('inline; filename="talk.mp3"')


def test_a_download_cut_twenty_times_and_resumed_is_the_same(me: httpx.Client, job: Job) -> None:
    chance, received = random.Random(1), b""  # noqa: S311 - the same cuts in every run

    while len(received) < SIZE:
        wanted = chance.randrange(1, SIZE // 10)
        headers = {"Range": f"bytes={len(received)}-", "If-Range": TAG}
        with me.stream("GET", "/download", params={"fid": job.id}, headers=headers) as answer:
            part = b""
            for data in answer.iter_bytes(1000):
                part += data
                if len(part) >= wanted:
                    break
        received += part

    assert received == MP3


def test_curl_resumes_a_download(gateway: Gateway, job: Job, tmp_path: Path) -> None:
    file = tmp_path / "talk.mp3"
    file.write_bytes(MP3[:1234])
    token = gateway.auth.token("me@example.com")

    url = f"{gateway.url}/download?fid={job.id}"
    subprocess.run(
        ["curl", "-sSf", "-C", "-", "-o", file, "-H", f"Authorization: Bearer {token}", url],
        check=True,
        timeout=60,
    )

    assert file.read_bytes() == MP3


def test_a_damaged_mp3_ends_early_instead_of_being_wrong(me: httpx.Client, stores: Stores, job: Job) -> None:
    assert job.result is not None
    stores.client["mp3s"]["fs.chunks"].delete_one({"files_id": job.result["blob"], "n": 1})

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        download(me, job)


def test_an_mp3_that_is_gone_is_told(me: httpx.Client, stores: Stores, job: Job) -> None:
    assert job.result is not None
    stores.mp3s.delete(job.result["blob"])

    answer = download(me, job)

    assert (answer.status_code, answer.text) == (409, "there is no MP3 to download: the job is expired")


def test_an_mp3_that_another_tool_stored_has_no_tag(me: httpx.Client, stores: Stores, job: Job) -> None:
    assert job.result is not None
    stores.client["mp3s"]["fs.files"].update_one({"_id": job.result["blob"]}, {"$unset": {"metadata": 1}})

    answer = download(me, job)

    assert answer.content == MP3
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": TAG}, 200),
        ({"If_Match": f'"x", {TAG}'}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": '"x"'}, 412),
        ({"If_Match": f"W/{TAG}"}, 412),
        ({"If_Match": '"x"', "Range": "bytes=0-1"}, 412),
        ({"If_Match": TAG, "If_Unmodified_Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 200),
        ({"If_Unmodified_Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 412),
        ({"If_Unmodified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),
        ({"If_Unmodified_Since": "yesterday"}, 200),
        ({"If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 304),
        ({"If_Modified_Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 200),
        ({"If_None_Match": '"x"', "If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),
    ],
)
def test_a_download_may_be_conditional(
    me: httpx.Client, job: Job, headers: dict[str, str], status: int
) -> None:
    assert download(me, job, **headers).status_code == status


def test_a_file_that_is_deleted_during_its_download_is_cut_off_and_no_error(
    gateway: Gateway, stores: Stores
) -> None:
    content = random.Random(3).randbytes(24 * CHUNK_BYTES)  # noqa: S311 - more than the sockets hold
    job = stores.done("me@example.com", content)
    lines_before = len(gateway.running.log.read_text().splitlines())
    with gateway.client() as client:
        with client.stream("GET", f"/v1/jobs/{job.id}/mp3") as answer:
            pieces = answer.iter_raw(1000)
            next(pieces)
            with gateway.client() as other:
                assert other.delete(f"/v1/jobs/{job.id}").status_code == 204
            with pytest.raises(httpx.RemoteProtocolError):
                list(pieces)
        assert client.get("/v1/limits").status_code == 200

    said = [json.loads(line) for line in gateway.running.log.read_text().splitlines()[lines_before:]]
    assert "deleted during its download" in [line["event"] for line in said]
    assert "error" not in [line["level"] for line in said]


def test_the_stream_of_events_names_its_characters_once(me: httpx.Client, job: Job) -> None:
    kind = me.get(f"/v1/jobs/{job.id}/events").headers["Content-Type"]

    assert kind == "text/event-stream; charset=utf-8"


def test_readers_that_stall_hold_little_of_a_file(start_gateway: StartGateway, stores: Stores) -> None:
    content = random.Random(3).randbytes(12 * CHUNK_BYTES)  # noqa: S311 - more than the sockets hold
    job, readers = stores.done("me@example.com", content), 30
    gateway = start_gateway()
    request = f"GET /v1/jobs/{job.id}/mp3 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
    head = (request + gateway.auth.token("me@example.com") + "\r\n\r\n").encode()
    with ExitStack() as stack:
        before = memory(gateway)
        for _ in range(readers):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 20))
            connection.sendall(head)
            assert connection.recv(12) == b"HTTP/1.1 200"
        last, now = 0.0, before
        while now > last:  # until the sockets are full
            time.sleep(0.5)
            last, now = now, memory(gateway)

        assert now - before < readers * 1.5 * CHUNK_BYTES


def memory(gateway: Gateway) -> float:
    """What the gateway's processes hold now, in bytes."""
    pids = subprocess.run(["pgrep", "-g", str(gateway.pid)], capture_output=True, text=True, check=True)
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids.stdout.split())
    return pages * os.sysconf("SC_PAGE_SIZE")
