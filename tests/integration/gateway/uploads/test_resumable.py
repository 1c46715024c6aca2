"""Resumable uploads on real gateways: what tus asks for, and what went wrong elsewhere."""

import hashlib
import os
import signal
import socket
import time
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from chassis.identity import LEEWAY_SECONDS
from gateway.settings import Settings
from gateway.upkeep.reconciler import Reconciler
from gateway.upkeep.unfinished import SEAL_AFTER
from pipeline.appending import Appender, Displaced, PartialBlobs
from pipeline.broker import BrokerUnavailable
from pipeline.job import Job
from pipeline.upload_store import CHUNK_BYTES, Upload
from tests.integration.gateway.conftest import Gateway, StartGateway, Stores, some, wait_until
from tests.integration.gateway.uploads.tus import (
    PART,
    TUS,
    begin,
    checksum,
    metadata,
    offset_of,
    patch,
    path_of,
    rest_of,
    unfinished_patch,
    video,
)

FILE = video(2 * CHUNK_BYTES + 12345)


def the_job(stores: Stores, place: str) -> Job:
    return some(stores.jobs.get(place.rpartition("/")[2]))


def holds(stores: Stores, job: Job, content: bytes) -> None:
    """Fail unless the job is queued with exactly these bytes, readable by any tool of GridFS."""
    assert job.state == "queued"
    assert (job.source["size"], job.source["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    blob = stores.videos.find(job.id)
    assert b"".join(stores.videos.read(blob)) == content
    assert stores.chunks() == -(-len(content) // CHUNK_BYTES)


def test_a_file_in_three_pieces_becomes_one_job(me: httpx.Client, stores: Stores) -> None:
    place = begin(me, len(FILE), filetype="video/mp4", quality="V0")

    answers = [patch(me, place, at, FILE[at : at + 500_000]) for at in range(0, len(FILE), 500_000)]

    assert [answer.status_code for answer in answers] == [204] * 3
    assert [int(answer.headers["Upload-Offset"]) for answer in answers] == [500_000, 1_000_000, len(FILE)]
    job = the_job(stores, place)
    assert answers[-1].headers["Location"] == f"/v1/jobs/{job.id}"
    assert job.source["filename"] == "talk.mp4"
    assert job.source["content_type"] == "video/mp4"
    assert job.options["quality"] == "V0"
    holds(stores, job, FILE)
    assert stores.documents() == 1


def test_after_the_last_byte_head_names_the_job(me: httpx.Client, stores: Stores) -> None:
    place = begin(me, len(FILE))
    patch(me, place, 0, FILE)

    for _ in range(2):
        answer = me.head(place, headers=TUS)
        again = patch(me, place, len(FILE), b"")

        assert (answer.status_code, again.status_code) == (200, 204)
        assert answer.headers["Upload-Offset"] == again.headers["Upload-Offset"] == str(len(FILE))
        assert answer.headers["X-Job-Id"] == the_job(stores, place).id
    holds(stores, the_job(stores, place), FILE)


@pytest.mark.parametrize("size", [1, 5000, CHUNK_BYTES + 77])
def test_what_arrived_before_the_wire_died_counts(
    gateway: Gateway, me: httpx.Client, stores: Stores, size: int
) -> None:
    place = begin(me, len(FILE))

    with unfinished_patch(gateway, place, 0, FILE[:size], len(FILE)):
        pass

    wait_until(lambda: offset_of(me, place) == size)
    assert patch(me, place, size, FILE[size:]).status_code == 204
    holds(stores, the_job(stores, place), FILE)


def test_a_silent_holder_on_another_replica_is_displaced_within_two_seconds(
    gateway: Gateway, start_gateway: StartGateway, me: httpx.Client, stores: Stores
) -> None:
    place, size = begin(me, len(FILE)), 700_001

    with (
        unfinished_patch(gateway, place, 0, FILE[:size], len(FILE)) as connection,
        start_gateway().client() as elsewhere,
    ):
        wait_until(lambda: some_upload(stores, place)["held"])
        began = time.monotonic()
        offset = offset_of(elsewhere, place)
        seconds = time.monotonic() - began
        answer = rest_of(connection)

        assert offset == size
        assert seconds < 2
        assert answer.startswith(b"HTTP/1.1 409 ")
        assert b"displaced" in answer
        assert patch(elsewhere, place, size, FILE[size:]).status_code == 204
    holds(stores, the_job(stores, place), FILE)


def some_upload(stores: Stores, place: str) -> dict[str, Any]:
    return stores.client["jobs"]["uploads"].find_one({"_id": place.rpartition("/")[2]}) or {}


def test_a_holder_that_is_frozen_and_wakes_up_changes_nothing(
    start_gateway: StartGateway, me: httpx.Client, stores: Stores
) -> None:
    frozen, place, size = start_gateway(), begin(me, len(FILE)), CHUNK_BYTES + 500_000

    with unfinished_patch(frozen, place, 0, FILE[:size], len(FILE)) as connection:
        wait_until(lambda: stores.chunks() >= 1)
        os.killpg(frozen.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            offset = offset_of(me, place)
            assert time.monotonic() - began < 2
            answer = patch(me, place, offset, FILE[offset:])
            connection.sendall(b"x" * (len(FILE) - size))  # what it would store over the bytes of the other
        finally:
            os.killpg(frozen.pid, signal.SIGCONT)
        assert b"displaced" in rest_of(connection)

    assert answer.status_code == 204
    holds(stores, the_job(stores, place), FILE)


@pytest.mark.parametrize("offset", [0, 999, 1001, 10**17])
def test_another_offset_than_the_next_is_refused(me: httpx.Client, offset: int) -> None:
    place = begin(me, len(FILE))
    patch(me, place, 0, FILE[:1000])

    answer = patch(me, place, offset, FILE[1000:])

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_offset")
    assert answer.headers["Upload-Offset"] == "1000"
    assert offset_of(me, place) == 1000


def test_a_body_that_is_shorter_than_it_says_counts_as_far_as_it_came(
    gateway: Gateway, me: httpx.Client, stores: Stores
) -> None:
    place = begin(me, len(FILE))

    with unfinished_patch(gateway, place, 0, FILE[:70_000], len(FILE)) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = rest_of(connection)

    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b"Upload-Offset: 70000" in answer
    assert b"cut_short" in answer
    assert offset_of(me, place) == 70_000
    assert the_job(stores, place).state == "uploading"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_bytes_that_do_not_match_their_checksum_do_not_count(
    me: httpx.Client, stores: Stores, algorithm: str
) -> None:
    place, half = begin(me, len(FILE)), CHUNK_BYTES + 4321
    patch(me, place, 0, FILE[:1000])
    wrong = patch(me, place, 1000, FILE[1000:half], Upload_Checksum=checksum(b"another", algorithm))
    offset = offset_of(me, place)
    right = patch(me, place, 1000, FILE[1000:half], Upload_Checksum=checksum(FILE[1000:half], algorithm))
    patch(me, place, half, FILE[half:])

    assert (wrong.status_code, wrong.json()["code"], offset) == (460, "wrong_checksum", 1000)
    assert wrong.reason_phrase == "Checksum Mismatch"
    assert right.headers["Upload-Offset"] == str(half)
    holds(stores, the_job(stores, place), FILE)


def test_a_length_may_be_told_last(me: httpx.Client, stores: Stores) -> None:
    place = begin(me, None)
    patch(me, place, 0, FILE)
    head = me.head(place, headers=TUS)

    answer = patch(me, place, len(FILE), b"", Upload_Length=str(len(FILE)))

    assert head.headers["Upload-Defer-Length"] == "1"
    assert "Upload-Length" not in head.headers
    assert answer.headers["Upload-Length"] == str(len(FILE))
    holds(stores, the_job(stores, place), FILE)


def test_an_upload_may_begin_with_its_first_bytes(me: httpx.Client, stores: Stores) -> None:
    headers = {**PART, "Upload-Length": str(len(FILE)), "Upload-Metadata": metadata(filename="a.mp4")}

    some_bytes = me.post("/v1/uploads", headers=headers, content=FILE[:5000])
    patch(me, path_of(some_bytes), 5000, FILE[5000:])
    all_of_it = me.post("/v1/uploads", headers=headers, content=FILE)

    assert [answer.status_code for answer in (some_bytes, all_of_it)] == [201, 201]
    assert some_bytes.headers["Upload-Offset"] == "5000"
    assert all_of_it.headers["Upload-Offset"] == str(len(FILE))
    for answer in (some_bytes, all_of_it):
        assert the_job(stores, path_of(answer)).state == "queued"


def test_an_upload_that_is_ended_leaves_nothing(gateway: Gateway, me: httpx.Client, stores: Stores) -> None:
    place = begin(me, len(FILE))
    patch(me, place, 0, FILE[: CHUNK_BYTES + 5])
    with unfinished_patch(gateway, place, CHUNK_BYTES + 5, b"more", 1000) as connection:
        wait_until(lambda: bool(some_upload(stores, place)["held"]))

        answer = me.delete(place, headers=TUS)
        told = rest_of(connection)

    assert answer.status_code == 204
    assert b"displaced" in told
    for gone in (me.head(place, headers=TUS), patch(me, place, 0, FILE), me.delete(place, headers=TUS)):
        assert gone.status_code == 404
    assert (stores.documents(), stores.chunks(), some_upload(stores, place)) == (0, 0, {})


def test_a_complete_upload_is_its_jobs_to_end(me: httpx.Client, stores: Stores) -> None:
    place = begin(me, 5000)
    patch(me, place, 0, FILE[:5000])

    answer = me.delete(place, headers=TUS)

    assert (answer.status_code, answer.json()["code"]) == (409, "already_complete")
    assert answer.headers["Location"] == f"/v1/jobs/{the_job(stores, place).id}"


@pytest.mark.parametrize("pieces", [(10_000,), (100, 3000, 6900)])
def test_what_is_surely_no_media_is_refused_with_its_first_bytes(
    me: httpx.Client, stores: Stores, pieces: tuple[int, ...]
) -> None:
    place, text, at = begin(me, 5_000_000), b"no video at all " * 1000, 0

    for size in pieces:
        answer = patch(me, place, at, text[at : at + size])
        at += size
        if answer.status_code != 204:
            break

    assert (answer.status_code, answer.json()["code"]) == (415, "not_media")
    assert me.head(place, headers=TUS).status_code == 404
    assert (stores.documents(), stores.chunks()) == (0, 0)


REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "another tus": ({"Tus-Resumable": "0.2.2"}, 412, "unsupported_version"),
    "no length": ({"Upload-Length": ""}, 400, "malformed_header"),
    "a length below zero": ({"Upload-Length": "-1"}, 400, "malformed_header"),
    "both lengths": ({"Upload-Defer-Length": "1"}, 400, "malformed_header"),
    "a file that is too large": ({"Upload-Length": str(10**12)}, 413, "too_large"),
    "an empty file": ({"Upload-Length": "0"}, 415, "not_media"),
    "metadata that is no Base64": ({"Upload-Metadata": "filename talk.mp4"}, 400, "malformed_header"),
    "metadata that is no text": ({"Upload-Metadata": "filename /w=="}, 400, "malformed_header"),
    "metadata twice": ({"Upload-Metadata": "a YQ==,a YQ=="}, 400, "malformed_header"),
    "too much metadata": ({"Upload-Metadata": "a " + "YWFh" * 1500}, 400, "malformed_header"),
    "an option that is none": ({"Upload-Metadata": metadata(quality="best")}, 422, "invalid_option"),
    "a part of a file": ({"Upload-Concat": "partial"}, 400, "not_offered"),
    "a key that is none": ({"Idempotency-Key": "ü"}, 400, "malformed_key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_uploaded_is_refused_before_a_byte(
    me: httpx.Client, stores: Stores, case: str
) -> None:
    headers, status, code = REFUSED[case]
    given = {**TUS, "Upload-Length": "5000", **headers}

    answer = me.post("/v1/uploads", headers={n: v.encode() for n, v in given.items() if v})

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert stores.documents() == 0


BAD_PARTS: dict[str, tuple[dict[str, str], int, str]] = {
    "no version": ({"Tus-Resumable": ""}, 412, "unsupported_version"),
    "another type": ({"Content-Type": "video/mp4"}, 415, "wrong_content_type"),
    "no offset": ({"Upload-Offset": ""}, 400, "malformed_header"),
    "an offset that is none": ({"Upload-Offset": "1e3"}, 400, "malformed_header"),
    "another length": ({"Upload-Length": "7000"}, 400, "length_known"),
    "an unknown algorithm": ({"Upload-Checksum": "md5 1B2M2Y8AsgTpgAmY7PhCfg=="}, 400, "malformed_header"),
    "a checksum that is none": ({"Upload-Checksum": "sha1 x"}, 400, "malformed_header"),
    "a checksum that is too short": ({"Upload-Checksum": "sha1 YWFh"}, 400, "malformed_header"),
}


@pytest.mark.parametrize("case", BAD_PARTS)
def test_a_part_with_wrong_headers_changes_nothing(me: httpx.Client, case: str) -> None:
    headers, status, code = BAD_PARTS[case]
    place = begin(me, 5000)
    given = {**PART, "Upload-Offset": "0", **headers}

    answer = me.patch(place, headers={n: v for n, v in given.items() if v}, content=FILE[:5000])

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert offset_of(me, place) == 0


@pytest.mark.parametrize("chunked", [False, True])
def test_more_than_the_length_is_refused(me: httpx.Client, stores: Stores, *, chunked: bool) -> None:
    place = begin(me, 5000)
    data = FILE[:5001]

    answer = me.patch(
        place,
        headers={**PART, "Upload-Offset": "0"},
        content=iter([data[:100], data[100:]]) if chunked else data,
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "beyond_length")
    assert the_job(stores, place).state == "uploading"
    assert offset_of(me, place) == (100 if chunked else 0)


def test_creating_twice_with_a_key_is_one_upload(me: httpx.Client, stores: Stores) -> None:
    headers = {**TUS, "Upload-Length": "5000", "Idempotency-Key": "k"}

    answers = [me.post("/v1/uploads", headers=headers) for _ in range(2)]
    place = path_of(answers[0])
    patch(me, place, 0, FILE[:5000])
    late = me.post("/v1/uploads", headers=headers)
    another = me.post("/v1/uploads", headers={**headers, "Upload-Length": "5001"})

    assert {path_of(answer) for answer in (*answers, late)} == {place}
    assert late.headers["Upload-Offset"] == "5000"
    assert (another.status_code, another.json()["code"]) == (422, "key_used_otherwise")
    assert stores.documents() == 1


def test_an_unfinished_upload_is_listed_and_takes_up_its_length(me: httpx.Client) -> None:
    places = [begin(me, size, quality="V0") for size in (5000, 6000, None, 7000)]
    patch(me, places[0], 0, FILE[:5000])
    patch(me, places[1], 0, FILE[:1000])
    patch(me, places[2], 0, FILE[:2000])

    first = me.get("/v1/uploads?limit=2").json()
    rest = me.get(first["next"]).json()
    usage = me.get("/v1/me/usage").json()

    listed = [*first["uploads"], *rest["uploads"]]
    assert [entry["links"]["self"] for entry in listed] == places[:0:-1]
    assert [(entry["length"], entry["offset"]) for entry in listed] == [(7000, 0), (None, 2000), (6000, 1000)]
    assert rest["next"] is None
    assert usage == {"active_jobs": 4, "jobs_today": 4, "stored_bytes": 5000 + 6000 + 2000 + 7000}


def test_every_byte_puts_the_expiry_off(me: httpx.Client, stores: Stores) -> None:
    place = begin(me, 5000)
    stores.client["jobs"]["uploads"].update_one(
        {}, {"$set": {"expires_at": some_upload(stores, place)["created_at"]}}
    )
    before = me.head(place, headers=TUS).headers["Upload-Expires"]

    after = patch(me, place, 0, FILE[:100]).headers["Upload-Expires"]

    assert parsedate_to_datetime(before).timestamp() < time.time() + 1
    assert parsedate_to_datetime(after).timestamp() > time.time() + 23 * 3600


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/uploads/x"])
def test_anybody_may_ask_what_is_offered(gateway: Gateway, path: str) -> None:
    answer = httpx.options(gateway.url + path)

    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "creation-defer-length", "expiration", "termination", "checksum",
    }  # fmt: skip
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(answer.headers["Tus-Max-Size"]) == me_limit(gateway)


def me_limit(gateway: Gateway) -> int:
    return int(httpx.get(f"{gateway.url}/v1/limits").json()["max_upload_bytes"])


def test_clients_that_can_only_post_name_the_method(me: httpx.Client, stores: Stores) -> None:
    place = begin(me, 5000)
    headers = {**PART, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}

    answer = me.post(place, headers=headers, content=FILE[:5000])

    assert answer.status_code == 204
    assert the_job(stores, place).state == "queued"
    assert me.post(place, headers=TUS).status_code == 405


def test_who_asks_too_often_is_told_to_wait_and_not_to_give_up(
    start_gateway: StartGateway,
) -> None:
    with start_gateway(REQUESTS_PER_MINUTE="3").client("eager@example.com") as client:
        place = begin(client, 5000)
        for _ in range(5):
            head, part, created = (
                client.head(place, headers=TUS),
                patch(client, place, 0, b"x"),
                client.post("/v1/uploads", headers={**TUS, "Upload-Length": "1"}),
            )

    assert (head.status_code, part.status_code, created.status_code) == (503, 503, 429)
    assert part.json()["code"] == "too_many_requests"
    assert 0 < int(part.headers["Retry-After"]) <= 60


def test_who_sends_too_much_at_once_is_told_to_wait_too(start_gateway: StartGateway, stores: Stores) -> None:
    gateway = start_gateway(UPLOADS_PER_USER="1")
    with gateway.client() as client:
        one, another = begin(client, 5000), begin(client, 5000)
        with unfinished_patch(gateway, one, 0, FILE[:100], 5000):
            wait_until(lambda: bool(some_upload(stores, one)["held"]))

            answer = patch(client, another, 0, FILE[:5000])

            assert (answer.status_code, answer.json()["code"]) == (503, "too_many_at_once")
            assert answer.headers["Retry-After"]
            assert offset_of(client, one) == 100  # which ends the one that is under way
        assert patch(client, another, 0, FILE[:5000]).status_code == 204


def test_a_token_that_expires_in_the_middle_cuts_nothing(
    gateway: Gateway, me: httpx.Client, stores: Stores
) -> None:
    place = begin(me, 5000)
    soon = gateway.auth.token("me@example.com", exp=int(time.time()) - LEEWAY_SECONDS + 2)
    line = f"Authorization: Bearer {soon}"
    head = "\r\n".join(
        [
            f"PATCH {place} HTTP/1.1",
            "Host: x",
            line,
            *(f"{n}: {v}" for n, v in PART.items()),
            "Upload-Offset: 0",
        ]
    )
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(f"{head}\r\nContent-Length: 5000\r\n\r\n".encode() + FILE[:1000])
        wait_until(
            lambda: httpx.get(f"{gateway.url}/v1/jobs", headers=dict([line.split(": ")])).status_code == 401
        )
        connection.sendall(FILE[1000:5000])
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert the_job(stores, place).state == "queued"


def test_another_file_of_the_same_name_and_size_is_not_appended(me: httpx.Client) -> None:
    place = begin(me, 5000, beginning="1f3a")
    mine = metadata(filename="talk.mp4", beginning="1f3a")
    others = metadata(filename="talk.mp4", beginning="77b0")

    refused = patch(me, place, 0, b"x" * 5000, Upload_Metadata=others)
    head = me.head(place, headers={**TUS, "Upload-Metadata": others})
    taken = patch(me, place, 0, FILE[:1000], Upload_Metadata=mine)

    assert (refused.status_code, refused.json()["code"], head.status_code) == (409, "another_file", 409)
    assert taken.headers["Upload-Offset"] == "1000"


def test_nothing_is_downloaded_by_the_address_of_an_upload(me: httpx.Client) -> None:
    place = begin(me, 5000)
    patch(me, place, 0, FILE[:1000])

    assert me.get(place).status_code == 405
    assert offset_of(me, place) == 1000


def left_complete(client: httpx.Client, stores: Stores) -> str:
    """An upload whose last request died between the last byte and the job."""
    place = begin(client, 5000)
    claimed = some_claim(stores, place)
    appender = Appender(stores.uploads, PartialBlobs(stores.client, "videos"), claimed)
    appender.write(FILE[:5000])
    appender.save(release=True)
    appender.close()
    assert the_job(stores, place).state == "uploading"
    return place


def test_what_a_holder_saves_that_was_displaced_does_not_count(me: httpx.Client, stores: Stores) -> None:
    place = begin(me, 5000)
    slow = some_claim(stores, place)
    with closing(Appender(stores.uploads, PartialBlobs(stores.client, "videos"), slow)) as appender:
        appender.write(b"x" * 1000)
        assert stores.uploads.seize(slow) is not None

        with pytest.raises(Displaced):
            appender.save()

    assert offset_of(me, place) == 0
    assert patch(me, place, 0, FILE[:5000]).status_code == 204
    holds(stores, the_job(stores, place), FILE[:5000])


def test_what_a_dead_process_stored_behind_the_end_is_removed(me: httpx.Client, stores: Stores) -> None:
    place = me.post("/v1/uploads", headers={**TUS, "Upload-Defer-Length": "1"}).headers["Location"]
    patch(me, place, 0, FILE[:1000])
    blobs, dead = PartialBlobs(stores.client, "videos"), some_claim(stores, place)
    for n, data in ((0, FILE[:6000]), (1, b"more"), (3, b"which overtook another")):
        blobs.put_chunk(dead, n, data)

    assert patch(me, place, 1000, FILE[1000:5000], Upload_Length="5000").status_code == 204

    holds(stores, the_job(stores, place), FILE[:5000])


def test_a_complete_upload_whose_request_died_is_queued_by_the_next_look(
    me: httpx.Client, stores: Stores
) -> None:
    place = left_complete(me, stores)

    answer = me.head(place, headers=TUS)

    assert answer.headers["X-Job-Id"] == place[-32:]
    holds(stores, the_job(stores, place), FILE[:5000])


def test_a_complete_upload_that_nobody_looks_at_is_queued_by_the_reconciler(
    me: httpx.Client, stores: Stores
) -> None:
    place = left_complete(me, stores)
    settings = Settings.read({"MONGODB_URL": "mongodb://x", "RABBITMQ_URL": "amqp://app:x@127.0.0.1:9/"})
    documents = stores.client["jobs"]["uploads"]

    Reconciler(settings, stores.client, Away()).run_once(lambda: None)
    assert the_job(stores, place).state == "uploading"  # its request may be at it
    documents.update_one({}, {"$set": {"updated_at": some_upload(stores, place)["created_at"] - SEAL_AFTER}})
    Reconciler(settings, stores.client, Away()).run_once(lambda: None)

    holds(stores, the_job(stores, place), FILE[:5000])
    documents.update_one({}, {"$set": {"expires_at": some_upload(stores, place)["created_at"]}})
    Reconciler(settings, stores.client, Away()).run_once(lambda: None)
    assert some_upload(stores, place) == {}
    holds(stores, the_job(stores, place), FILE[:5000])


class Away:
    """A broker that takes nothing."""

    def publish(self, queue: str, body: bytes) -> None:
        raise BrokerUnavailable(f"{queue}: {len(body)} bytes")


def some_claim(stores: Stores, place: str) -> Upload:
    upload = stores.uploads.find(place[-32:], "me@example.com")
    assert upload is not None
    claimed = stores.uploads.claim(upload)
    assert claimed is not None
    return claimed
