"""Uploads that go wrong, and what is left of them: nothing."""

import base64
import hashlib
import os
import random
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.integration.gateway.conftest import MAX_UPLOAD_BYTES, Gateway, StartGateway, Stores, wait_until

BOUNDARY = "frontier"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
PART = b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="talk.mp4"\r\n\r\n'
END = b"\r\n--frontier--\r\n"


def send(gateway: Gateway, head: bytes, body: bytes = b"", *, half_close: bool = False) -> bytes:
    """Send a request as these bytes and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(head + body)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    return answer


def head_of(gateway: Gateway, *lines: str, content_type: str = FORM) -> bytes:
    token = gateway.auth.token("me@example.com")
    first = ["POST /upload HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Connection: close"]
    return "\r\n".join([*first, f"Content-Type: {content_type}", *lines, "", ""]).encode()


MALFORMED = {
    "no boundary": ("multipart/form-data", PART + b"x" + END),
    "an empty boundary": ("multipart/form-data; boundary=", PART + b"x" + END),
    "a boundary beyond ASCII": ("multipart/form-data; boundary=\xfc", PART + b"x" + END),
    "another boundary": ("multipart/form-data; boundary=other", PART + b"x" + END),
    "no end": (FORM, PART + b"x"),
    "nothing": (FORM, b""),
    "only a preamble": (FORM, b"hello"),
    "a cut header": (FORM, PART[:40]),
    "a part without disposition": (FORM, b"--frontier\r\nX: y\r\n\r\nx" + END),
    "an endless header": (FORM, b"--frontier\r\nX: " + b"y" * 400_000),
    "many parts": (
        FORM,
        b'--frontier\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 5000 + b"--frontier--",
    ),
    "a giant field": (
        FORM,
        b'--frontier\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 1_000_000 + END,
    ),
    "an endless epilogue": (FORM, PART + b"x" + END + b"z" * 1_000_000),
    "a nameless file": (FORM, PART.replace(b"talk.mp4", b"") + b"x" + END),
    "an unfinished file behind a whole one": (FORM, PART + b"x\r\n" + PART[:60]),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_form_is_refused_and_leaves_nothing(gateway: Gateway, stores: Stores, case: str) -> None:
    content_type, body = MALFORMED[case]

    answer = send(gateway, head_of(gateway, f"Content-Length: {len(body)}", content_type=content_type), body)

    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert b"the upload cannot be read" in answer
    assert (stores.documents(), stores.chunks()) == (0, 0)


BAD_CHUNKS = {
    "a size that is no number": b"zz\r\nhello\r\n",
    "no line end behind a chunk": b"5\r\nhelloX",
    "a cut chunk": b"ff\r\nhello",
    "no last chunk": b"%x\r\n%s\r\n" % (len(PART), PART),
    "a broken trailer": b"%x\r\n%s\r\n0\r\nbroken\r\n\r\n" % (len(PART + b"x" + END), PART + b"x" + END),
}


@pytest.mark.parametrize("case", BAD_CHUNKS)
def test_broken_chunks_leave_nothing(gateway: Gateway, stores: Stores, case: str) -> None:
    answer = send(gateway, head_of(gateway, "Transfer-Encoding: chunked"), BAD_CHUNKS[case], half_close=True)

    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_a_chunked_upload_without_length_is_taken(gateway: Gateway, stores: Stores) -> None:
    body = PART + b"x" * 100_000 + END
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (body[:7], body[7:50_000], body[50_000:]))

    answer = send(gateway, head_of(gateway, "Transfer-Encoding: chunked"), chunks + b"0\r\n\r\n")

    assert b"success!" in answer
    assert stores.documents() == 1


@pytest.mark.parametrize("seed", range(3))
def test_any_bytes_arrive_as_they_were_sent(me: httpx.Client, stores: Stores, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same bytes in every run
    pieces = [b"\r\n", b"\r", b"\n", b"--", b"--frontier", b"\r\n--fron", b"\0", os.urandom(1000)]
    video = b"".join(chance.choices(pieces, k=8000))

    job_id = me.post("/upload", files={"file": ("talk.mp4", video)}).headers["X-Job-Id"]

    assert b"".join(stores.videos.read(stores.videos.find(job_id))) == video
    assert stores.videos.find(job_id).sha256 == hashlib.sha256(video).hexdigest()


def test_a_client_that_goes_away_in_mid_upload_leaves_nothing(gateway: Gateway, stores: Stores) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(head_of(gateway, "Content-Length: 10000000") + PART + os.urandom(5_000_000))
        wait_until(lambda: stores.chunks() > 0)

    wait_until(lambda: (stores.documents(), stores.chunks()) == (0, 0))


def test_an_early_end_is_told_to_who_still_listens(gateway: Gateway, stores: Stores) -> None:
    answer = send(gateway, head_of(gateway, "Content-Length: 1000"), PART + b"x" + END, half_close=True)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"the upload ended after 83 of 1000 bytes" in answer or b"of 1000 bytes" in answer
    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_a_file_that_proves_too_large_while_it_comes_is_refused_and_leaves_nothing(
    gateway: Gateway, stores: Stores
) -> None:
    with gateway.client() as client:
        pieces = (os.urandom(1024 * 1024) for _ in range(MAX_UPLOAD_BYTES // 1024 // 1024 + 3))
        body = (piece for group in ([PART], pieces, [END]) for piece in group)

        answer = client.post("/upload", content=body, headers={"Content-Type": FORM})

    assert answer.status_code == 413
    assert answer.text == f"this is larger than the {MAX_UPLOAD_BYTES} bytes that are allowed"
    assert (stores.documents(), stores.chunks()) == (0, 0)


@pytest.mark.parametrize(("size", "status"), [(MAX_UPLOAD_BYTES, 200), (MAX_UPLOAD_BYTES + 1, 413)])
def test_the_limit_is_of_the_file_and_not_of_its_form(
    me: httpx.Client, stores: Stores, size: int, status: int
) -> None:
    answer = me.post("/upload", files={"file": ("talk.mp4", bytes(size))})

    assert answer.status_code == status
    assert stores.documents() == (status == 200)


def test_a_body_that_matches_its_digest_is_taken_and_another_is_not(me: httpx.Client, stores: Stores) -> None:
    body = PART + b"a video" + END
    right = base64.b64encode(hashlib.sha256(body).digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()

    codes = [
        me.post("/upload", content=body, headers={"Content-Type": FORM, "Content-Digest": digest}).status_code
        for digest in (
            f"sha-256=:{right}:",
            f"sha-256=:{wrong}:",
            "sha-256=:x:",
            "sha-256=:eHg=:",
            "md5=:eHg=:",
        )
    ]

    assert codes == [200, 400, 400, 400, 200]
    assert stores.documents() == 2


def test_many_uploads_at_once_all_arrive(gateway: Gateway, stores: Stores) -> None:
    videos = [os.urandom(2_000_000) for _ in range(12)]

    def upload(video: bytes) -> str:
        with gateway.client() as client:
            return client.post("/upload", files={"file": ("talk.mp4", video)}).headers["X-Job-Id"]

    with ThreadPoolExecutor(12) as pool:
        ids = list(pool.map(upload, videos))

    assert [b"".join(stores.videos.read(stores.videos.find(i))) for i in ids] == videos


def test_more_uploads_than_places_are_told_to_come_back(stores: Stores, start_gateway: StartGateway) -> None:
    small = start_gateway(UPLOADS_AT_ONCE="1")
    with socket.create_connection(("127.0.0.1", small.port)) as first, small.client() as client:
        first.sendall(head_of(small, "Content-Length: 10000000") + PART + os.urandom(5_000_000))
        wait_until(lambda: stores.chunks() > 0)

        answer = client.post("/upload", files={"file": ("talk.mp4", b"x")})

        assert (answer.status_code, answer.text) == (503, "too many uploads are in progress")
        assert answer.headers["Retry-After"] == "5"


def test_a_name_is_cleaned_and_the_original_kept(me: httpx.Client, stores: Stores) -> None:
    name = "..\\..\\evil\u202egpj.mp4"

    job = me.post("/upload", files={"file": (name, b"x")}, headers={"Accept": "application/json"}).json()

    assert job["source"]["filename"] == "evilgpj.mp4"
    assert stores.videos.find(job["id"]).metadata["original_filename"] == name


def test_the_gateways_memory_does_not_depend_on_the_size_of_a_file(gateway: Gateway, stores: Stores) -> None:
    with gateway.client() as client:
        client.post("/upload", files={"file": ("small.mp4", b"x" * 1000)})
        before = highest_memory(gateway)

        client.post("/upload", files={"file": ("talk.mp4", os.urandom(MAX_UPLOAD_BYTES - 1000))})

    assert highest_memory(gateway) - before <= 16
    assert stores.documents() == 2


def highest_memory(gateway: Gateway) -> int:
    """Return the most that a process of the gateway ever held, in MiB."""
    statuses = [(process / "status").read_text() for process in gateway.processes]
    return max(int(status.split("VmHWM:")[1].split()[0]) for status in statuses) // 1024
