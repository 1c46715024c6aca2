"""Uploads over bad lines: cut again and again, by a client that goes on at whichever gateway answers."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import httpx
import pytest

from tests.integration.gateway.conftest import Gateway, StartGateway, Stores, some
from tests.integration.gateway.uploads.tus import PART, TUS, begin, video
from tests.integration.gateway.uploads.wire import Wire, wired

MANY = {"REQUESTS_PER_MINUTE": "1000000", "MAX_UPLOAD_BYTES": str(8 * 1024**3)}
CUTS, KILLS = 40, 10
TRIES = 300


@contextmanager
def connected(gateway: Gateway, wire: Wire) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {gateway.auth.token('me@example.com')}"}
    with httpx.Client(base_url=wire.url, headers=headers, timeout=30) as client:
        yield client


def upload(client: httpx.Client, content: bytes, meanwhile: Callable[[], None] = lambda: None) -> str:
    """Send everything, whatever happens, and return the upload's id; `meanwhile` runs beside each request."""
    place = ""
    with ThreadPoolExecutor(1) as beside:
        for _ in range(TRIES):
            try:
                place = place or begin(client, len(content))
                head = client.head(place, headers=TUS)
                offset = int(head.headers["Upload-Offset"])
                if offset == len(content):
                    return place[-32:]
                part = {**PART, "Upload-Offset": str(offset)}
                happening = beside.submit(meanwhile)
                try:
                    client.patch(place, headers=part, content=content[offset:])
                finally:
                    happening.result()
            except httpx.TransportError:
                continue
    raise AssertionError("it never came to an end")


def test_a_large_file_survives_forty_cuts_and_ten_kills(
    start_gateway: StartGateway, stores: Stores, request: pytest.FixtureRequest
) -> None:
    content = video(request.config.getoption("--mib") * 1024 * 1024)
    gateways = [start_gateway(**MANY) for _ in range(2)]
    requests, killed = count(1), []

    def kill_one_now_and_then() -> None:
        if next(requests) % (CUTS // KILLS) == 0 and len(killed) < KILLS:
            victim = gateways[len(killed) % 2]
            killed.append(victim)
            victim.running.kill()
            victim.running.start()

    with wired(*(gateway.port for gateway in gateways)) as wire:
        wire.cuts = [len(content) // (2 * CUTS)] * CUTS
        began = time.monotonic()
        with connected(gateways[0], wire) as client:
            upload_id = upload(client, content, kill_one_now_and_then)
        seconds = time.monotonic() - began

    print("| bytes | cuts | kills | requests | seconds |\n|---|---|---|---|---|")  # noqa: T201 - what `pytest -s` shows
    print(f"| {len(content)} | {wire.cut} | {len(killed)} | {next(requests) - 1} | {seconds:.0f} |")  # noqa: T201 - likewise
    job = some(stores.jobs.get(upload_id))
    assert (wire.cut, len(killed)) == (CUTS, KILLS)
    assert job.source["sha256"] == hashlib.sha256(content).hexdigest()
    assert stores.documents() == 1


def test_two_hundred_uploads_at_a_time_over_two_gateways_all_arrive(
    start_gateway: StartGateway, stores: Stores
) -> None:
    chance = random.Random(3)  # noqa: S311 - the same in every run
    contents = [video(chance.randrange(20_000, 200_000), seed) for seed in range(200)]
    gateways = [start_gateway(**MANY) for _ in range(2)]

    with wired(*(gateway.port for gateway in gateways)) as wire, ThreadPoolExecutor(12) as pool:
        wire.cuts = [chance.randrange(1000, 60_000) for _ in range(200)]

        def send(content: bytes) -> str:
            with connected(gateways[0], wire) as client:
                return upload(client, content)

        ids = list(pool.map(send, contents))

    assert wire.cut == 200
    for upload_id, content in zip(ids, contents, strict=True):
        job = some(stores.jobs.get(upload_id))
        assert job.state == "queued"
        assert job.source["sha256"] == hashlib.sha256(content).hexdigest()
    # a creation whose answer was cut off is an upload that nobody goes on with
    queued = stores.client["jobs"]["jobs"].count_documents({"state": "queued"})
    assert (len(set(ids)), queued) == (200, 200)
