"""Personal keys at the door: in place of a token or a password, on every route, until they are revoked."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from gateway import openapi
from tests.integration.gateway.conftest import Gateway, Stores, wait_until
from tests.integration.gateway.uploads.tus import TUS, begin
from tests.watched import NO_TLS

ME = "me@example.com"
KEY, READER, GONE, OTHERS = (f"v2m_{name:x<38}" for name in ("writer", "reader", "gone", "others"))
OWNED = ("job_id", "share_id", "feed_id", "webhook_id", "delivery_id", "upload_id")
"""What a path names that is somebody's, and that the gateway keeps."""
Call = tuple[str, str, str]


def calls() -> list[Call]:
    """Every guarded operation: method, path, and the scope that it needs."""
    return [
        (method.upper(), path, operation["description"].split("`")[1])
        for path, operations in json.loads(openapi.text())["paths"].items()
        for method, operation in operations.items()
        if "scope" in operation.get("description", "")
    ]


@pytest.fixture
def keys(gateway: Gateway, stores: Stores) -> Iterator[dict[str, httpx.Client]]:
    """Clients that show a key: one that may do everything, one that may read, one that is revoked."""
    assert stores.documents() == 0
    gateway.auth.keys_of |= {KEY: (ME, "jobs:read jobs:write admin"), READER: (ME, "jobs:read")}
    gateway.auth.keys_of |= {GONE: (ME, "jobs:read jobs:write admin")}
    if GONE not in gateway.auth.revoked_keys:
        gateway.auth.revoked_keys.append(GONE)
    clients = {
        key: httpx.Client(base_url=gateway.url, headers={"Authorization": f"Bearer {key}"}, verify=NO_TLS)
        for key in (KEY, READER, GONE)
    }
    yield clients
    for client in clients.values():
        client.close()


def test_a_key_is_as_good_as_a_token_and_asked_about_once(
    gateway: Gateway, keys: dict[str, httpx.Client]
) -> None:
    asked = len(gateway.auth.asked)

    answers = [keys[KEY].get("/v1/jobs") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(gateway.auth.asked) - asked <= 1


@pytest.mark.usefixtures("keys")
def test_a_key_is_as_good_as_a_password(gateway: Gateway) -> None:
    with httpx.Client(base_url=gateway.url, auth=(ME, KEY)) as client:
        uploaded = client.post("/upload", files={"f": ("talk.mp4", b"\0 a video")})

    assert uploaded.text == "success!"


@pytest.mark.parametrize("call", calls(), ids=" ".join)
def test_a_key_without_the_scope_is_refused_on_every_route(keys: dict[str, httpx.Client], call: Call) -> None:
    method, path, scope = call
    with keys[READER].stream(method, path.replace("{", "").replace("}", "")) as answer:  # one never ends
        if scope == "jobs:read":
            assert answer.status_code not in (401, 500)
        else:
            assert answer.status_code == 403
            assert scope in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("call", calls(), ids=" ".join)
def test_a_revoked_or_made_up_key_is_refused_on_every_route(
    keys: dict[str, httpx.Client], call: Call
) -> None:
    method, path, _ = call
    for key in (GONE, f"v2m_{'madeup':x<38}", "v2m_", f"v2m_{'x' * 5000}", "v2m_é"):
        headers = {"Authorization": f"Bearer {key}".encode("latin-1")}
        answer = keys[KEY].request(method, path.replace("{", "").replace("}", ""), headers=headers)

        assert answer.status_code == 401
        assert "not authorized" in answer.text or method == "HEAD"


def owned(me: httpx.Client, stores: Stores) -> dict[str, str]:
    """The ids of one of each."""
    job = stores.done(ME, b"mp3")
    webhook = me.post("/v1/webhooks", json={"url": "https://hooks.example/"}).json()["id"]
    return {
        "job_id": job.id,
        "share_id": me.post(f"/v1/jobs/{job.id}/shares").json()["id"],
        "feed_id": me.post("/v1/me/feeds").json()["id"],
        "webhook_id": webhook,
        "delivery_id": me.post(f"/v1/webhooks/{webhook}/test").json()["id"],
        "upload_id": begin(me, 10).rpartition("/")[2],
    }


def test_anothers_key_finds_nothing_of_mine_on_any_route(
    gateway: Gateway, stores: Stores, me: httpx.Client
) -> None:
    ids, unknown = owned(me, stores), dict.fromkeys(OWNED, "0" * 32)
    before = [me.get(f"/v1/{place}").json() for place in ("jobs", "webhooks", "me/feeds")]
    gateway.auth.keys_of[OTHERS] = ("other@example.com", "jobs:read jobs:write")
    asked = [(m, p) for m, p, _ in calls() if "{" in p and "/admin/" not in p and any(n in p for n in OWNED)]
    assert {name for name in OWNED if any(name in path for _, path in asked)} == set(OWNED)

    headers = {"Authorization": f"Bearer {OTHERS}"}
    with httpx.Client(base_url=gateway.url, headers={**TUS, **headers}, timeout=60) as other:
        for method, path in asked:
            places = (path.format(**found, number=1) for found in (ids, unknown))
            mine, none = (other.request(method, place, content=b"{}").status_code for place in places)
            assert mine == none
            assert mine == (415 if (method, path) == ("PATCH", "/v1/uploads/{upload_id}") else 404)

    assert [me.get(f"/v1/{place}").json() for place in ("jobs", "webhooks", "me/feeds")] == before


def test_a_key_that_is_revoked_is_refused_within_thirty_seconds_though_it_is_remembered(
    gateway: Gateway, keys: dict[str, httpx.Client]
) -> None:
    short_lived = f"v2m_{'shortlived':x<38}"
    gateway.auth.keys_of[short_lived] = (ME, "jobs:read")
    headers = {"Authorization": f"Bearer {short_lived}"}
    assert keys[KEY].get("/v1/jobs", headers=headers).status_code == 200
    token = gateway.auth.token(ME, key=short_lived)
    gateway.auth.revoked_keys.append(short_lived)
    began = time.monotonic()

    wait_until(lambda: keys[KEY].get("/v1/jobs", headers=headers).status_code == 401, 30)

    exchanged = keys[KEY].get("/v1/jobs", headers={"Authorization": f"Bearer {token}"})
    assert exchanged.status_code == 401
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/me/keys"), ("POST", "/v1/me/keys"), ("DELETE", "/v1/me/keys/x")]
)
def test_a_key_manages_no_keys(keys: dict[str, httpx.Client], method: str, path: str) -> None:
    answer = keys[KEY].request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (403, "login_needed")


def test_keys_are_asked_of_auth_with_the_callers_token(gateway: Gateway, me: httpx.Client) -> None:
    wish = {"name": "backup", "scope": "jobs:read", "expires_in_days": 7}

    made = me.post("/v1/me/keys", json=wish)
    revoked = me.delete("/v1/me/keys/v2m_one")
    listed = me.get("/v1/me/keys")

    asked = gateway.auth.asked[-3:]
    assert [one["method"] for one in asked] == ["POST", "DELETE", "GET"]
    assert json.loads(asked[0]["body"]) == wish
    assert all(one["headers"]["Authorization"] == me.headers["Authorization"] for one in asked)
    assert [one["path"] for one in asked] == ["/keys", "/keys/v2m_one", "/keys"]
    assert (made.status_code, revoked.status_code, listed.json()) == (201, 204, {"path": "/keys"})
