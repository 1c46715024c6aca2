"""Links to share: what they lead to, for how long, for how many, and to nothing else."""

import asyncio
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from gateway.description import schemas
from pipeline.mongodb import now
from pipeline.shares import ShareLinks
from tests.integration.gateway.conftest import Gateway, Stores

ME, MP3 = "me@example.com", bytes(range(256)) * 64


@pytest.fixture
def anybody(gateway: Gateway) -> Iterator[httpx.Client]:
    """Somebody without an account."""
    with httpx.Client(base_url=gateway.url) as client:
        yield client


def share(me: httpx.Client, stores: Stores, filename: str = "talk.mp4", **wish: object) -> dict[str, str]:
    job = stores.done(ME, MP3, filename)
    answer = me.post(f"/v1/jobs/{job.id}/shares", json=wish)
    assert answer.status_code == 201, answer.text
    schemas.NewShare.model_validate_json(answer.content)
    made: dict[str, str] = answer.json()
    return made


def downloads(me: httpx.Client, made: dict[str, str]) -> int:
    [found] = me.get(f"/v1/jobs/{made['job']}/shares").json()["shares"]
    return int(found["downloads"])


def test_a_link_opens_a_page_and_the_mp3_without_an_account(
    me: httpx.Client, stores: Stores, anybody: httpx.Client
) -> None:
    made = share(me, stores, "Vortrag <b>.mp4")

    page, mp3 = anybody.get(made["url"]), anybody.get(f"{made['url']}/mp3")

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>Vortrag &lt;b&gt;</h1>" in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert mp3.content == MP3
    for answer in (page, mp3):
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_address_is_told_once_and_stored_as_a_hash(me: httpx.Client, stores: Stores) -> None:
    made = share(me, stores)
    token = made["url"].rpartition("/")[2]

    listed = me.get(f"/v1/jobs/{made['job']}/shares")

    schemas.Shares.model_validate_json(listed.content)
    assert len(token) == 32
    assert token not in listed.text
    assert token not in repr(list(stores.client["jobs"]["shares"].find()))


def test_the_address_is_that_of_a_trusted_proxy(start_gateway: object, stores: Stores) -> None:
    gateway = start_gateway(TRUSTED_PROXIES="1")  # type: ignore[operator]  # the fixture starts one
    job = stores.done(ME, MP3)
    headers = {"X-Forwarded-Proto": "https", "Host": "mp3.example", "X-Forwarded-For": "1.2.3.4"}

    with gateway.client() as client:
        made = client.post(f"/v1/jobs/{job.id}/shares", headers=headers).json()

    assert made["url"].startswith("https://mp3.example/s/")


def test_only_a_download_from_its_beginning_counts(
    me: httpx.Client, stores: Stores, anybody: httpx.Client
) -> None:
    made = share(me, stores)
    mp3 = f"{made['url']}/mp3"

    anybody.get(made["url"])
    anybody.head(made["url"])
    anybody.head(mp3)
    anybody.get(mp3, headers={"Range": "bytes=0-1"})
    anybody.get(mp3, headers={"Range": "bytes=5000-"})
    prefetched = anybody.get(mp3, headers={"Sec-Purpose": "prefetch;anonymous-client-ip"})
    etag = anybody.head(mp3).headers["ETag"]
    unchanged = anybody.get(mp3, headers={"If-None-Match": etag})
    before = downloads(me, made)
    anybody.get(mp3)
    anybody.get(mp3, headers={"Range": "bytes=0-"})

    assert (prefetched.status_code, prefetched.content) == (204, b"")
    assert unchanged.status_code == 304
    assert (before, downloads(me, made)) == (0, 2)


def test_no_more_downloads_than_allowed_however_many_try_at_once(me: httpx.Client, stores: Stores) -> None:
    made = share(me, stores, max_downloads=3)

    def download(_: int) -> int:
        return httpx.get(f"{made['url']}/mp3", timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(download, range(20)))

    assert answers == [200] * 3 + [404] * 17
    assert downloads(me, made) == 3


def test_the_last_download_can_be_resumed_for_a_day_and_not_begun_anew(
    me: httpx.Client, stores: Stores, anybody: httpx.Client
) -> None:
    made = share(me, stores, max_downloads=1)
    mp3, rest = f"{made['url']}/mp3", {"Range": "bytes=5000-"}

    early = anybody.get(mp3, headers=rest).status_code
    first = anybody.get(mp3).status_code
    resumed, again = anybody.get(mp3, headers=rest), anybody.get(mp3).status_code
    yesterday = {"$set": {"last_download_at": now() - timedelta(hours=25)}}
    stores.client["jobs"]["shares"].update_many({}, yesterday)
    late = anybody.get(mp3, headers=rest).status_code

    assert (early, first, resumed.status_code, again, late) == (404, 200, 206, 404, 404)
    assert resumed.content == MP3[5000:]


def test_what_is_guessed_revoked_expired_or_gone_leads_nowhere(
    me: httpx.Client, stores: Stores, anybody: httpx.Client
) -> None:
    revoked, expired, deleted = (share(me, stores) for _ in range(3))
    assert me.delete(f"/v1/shares/{revoked['id']}").status_code == 204
    past = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    stores.client["jobs"]["shares"].update_one({"id": expired["id"]}, past)
    me.delete(f"/v1/jobs/{deleted['job']}")
    guesses = ["x", "x" * 32, "x" * 5000, "%2e%2e", "%00", "é", deleted["job"], deleted["id"]]

    places = [one["url"] for one in (revoked, expired, deleted)] + [f"/s/{guess}" for guess in guesses]
    for place in places:
        for path in (place, f"{place}/mp3"):
            answer = anybody.get(path)
            assert answer.status_code in (404, 414), path
            assert "\n" not in answer.text
    assert me.delete(f"/v1/shares/{revoked['id']}").status_code == 404


def test_anothers_link_is_not_revoked(me: httpx.Client, other: httpx.Client, stores: Stores) -> None:
    made = share(me, stores)

    assert other.delete(f"/v1/shares/{made['id']}").status_code == 404
    assert downloads(me, made) == 0


def test_who_makes_up_addresses_is_told_to_wait_and_links_work_all_the_same(
    start_gateway: object, stores: Stores
) -> None:
    gateway = start_gateway(LOGINS_PER_MINUTE="5")  # type: ignore[operator]  # the fixture starts one
    with gateway.client() as client:
        made = share(client, stores)
        answers = [httpx.get(f"{gateway.url}/s/{'x' * 32}").status_code for _ in range(20)]
        good = client.get(made["url"]).status_code

    assert set(answers) <= {404, 429}
    assert answers[-1] == 429
    assert good == 200


def test_a_job_that_is_not_done_has_nothing_to_share(me: httpx.Client, stores: Stores) -> None:
    answer = me.post(f"/v1/jobs/{stores.queued().id}/shares")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


@pytest.mark.parametrize(
    "wish", [{"expires_in_days": 0}, {"expires_in_days": 366}, {"max_downloads": 0}, {"password": "x"}, []]
)
def test_a_wish_that_is_none_is_refused(me: httpx.Client, stores: Stores, wish: object) -> None:
    answer = me.post(f"/v1/jobs/{stores.done(ME, MP3).id}/shares", json=wish)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")


def test_a_thousand_readers_are_served(me: httpx.Client, stores: Stores) -> None:
    made = share(me, stores)

    with httpx.Client(timeout=60) as crowd, ThreadPoolExecutor(16) as pool:

        def read(number: int) -> int:
            return crowd.get(made["url"] if number % 2 else f"{made['url']}/mp3").status_code

        answers = list(pool.map(read, range(1000)))

    assert set(answers) == {200}
    assert downloads(me, made) == 500


async def read(port: int, path: str) -> list[bytes]:
    """Read a page twice over one connection, and return the statuses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses = []
    for _ in range(2):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
        statuses.append(head.split()[1])
    writer.close()
    return statuses


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process hold more than a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096 if hard < 0 else min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_connections_at_once_are_served_and_none_is_cut(
    me: httpx.Client, stores: Stores, gateway: Gateway
) -> None:
    places = [httpx.URL(share(me, stores)["url"]).path, httpx.URL(me.post("/v1/me/feeds").json()["url"]).path]

    async def crowd() -> list[list[bytes]]:
        return await asyncio.gather(*(read(gateway.port, places[n % 2]) for n in range(1000)))

    assert asyncio.run(crowd()) == [[b"200", b"200"]] * 1000


def test_links_that_have_expired_are_forgotten(stores: Stores) -> None:
    shares = ShareLinks(stores.client)
    shares.add(ME, "job", lifetime=timedelta(days=-1), max_downloads=None)

    shares.add(ME, "job", lifetime=timedelta(days=1), max_downloads=None)

    assert stores.client["jobs"]["shares"].count_documents({}) == 1
