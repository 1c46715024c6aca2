"""Webhooks by the API: added, listed, paused, rotated, tested, replayed, deleted by their owner alone."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gateway.description import schemas
from pipeline.deliveries import Deliveries
from pipeline.endpoints import MAX_ENDPOINTS, Endpoints
from tests.integration.gateway.conftest import Stores

URL = "https://hooks.example/mp3"
VIDEO = ("talk.mp4", b"\0\0\0 ftypisom a video")


def add(client: httpx.Client, **wish: object) -> dict[str, object]:
    answer = client.post("/v1/webhooks", json={"url": URL, **wish})
    assert answer.status_code == 201, answer.text
    schemas.NewWebhook.model_validate_json(answer.content)
    made: dict[str, object] = answer.json()
    return made


def test_a_secret_is_told_when_it_is_made_and_never_again(me: httpx.Client) -> None:
    made = add(me)

    listed = me.get("/v1/webhooks")

    schemas.Webhooks.model_validate_json(listed.content)
    assert str(made["secret"]).startswith("whsec_")
    assert [hook["id"] for hook in listed.json()["webhooks"]] == [made["id"]]
    assert "secret" not in listed.text


def test_a_rotation_tells_another_secret(me: httpx.Client, stores: Stores) -> None:
    made = add(me)

    rotated = me.post(f"/v1/webhooks/{made['id']}/rotate").json()

    found = Endpoints(stores.client).get(str(made["id"]))
    assert found is not None
    assert [one["secret"] for one in found.secrets] == [rotated["secret"], made["secret"]]
    assert rotated["secret"] != made["secret"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.example/", "https://"),
        ("https://hooks.example:22/", "port"),
        ("https://me:x@hooks.example/", "user name"),
        ("hooks", "https://"),
    ],
)
def test_a_url_that_cannot_be_sent_to_is_refused_where_it_is_given(
    me: httpx.Client, url: str, said: str
) -> None:
    added = me.post("/v1/webhooks", json={"url": url})
    uploaded = me.post("/v1/jobs", files={"file": VIDEO}, data={"callback_url": url})

    assert (added.status_code, added.json()["code"]) == (422, "invalid_url")
    assert said in added.json()["detail"]
    assert uploaded.status_code == 422
    assert me.get("/v1/webhooks").json() == {"webhooks": []}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422), (b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"url": 7}', 422), (b'{"url": ""}', 422),
        (b'{"url": "https://x.example/", "events": []}', 422), (b"\xff", 400),
        (b'{"url": "https://x.example/", "events": ["job.lost"]}', 422),
        (b'{"url": "https://x.example/", "x": 1}', 422), (b"[" * 16_000, 400), (b"x" * 17_000, 413),
        (json.dumps({"url": "https://x.example/" + "x" * 3000}).encode(), 422),
    ],
)  # fmt: skip
def test_a_wish_that_is_none_is_refused_in_words(me: httpx.Client, body: bytes, status: int) -> None:
    answer = me.post("/v1/webhooks", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert schemas.Problem.model_validate_json(answer.content).hint


def test_a_user_has_only_so_many(me: httpx.Client) -> None:
    for _ in range(MAX_ENDPOINTS):
        add(me)

    answer = me.post("/v1/webhooks", json={"url": URL})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_anothers_webhook_is_as_good_as_unknown(me: httpx.Client, other: httpx.Client) -> None:
    made = add(me)
    calls = [
        ("PATCH", "", {"paused": True}), ("DELETE", "", None), ("POST", "/rotate", None),
        ("POST", "/test", None),
        ("GET", "/deliveries", None), ("POST", "/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("POST", "/deliveries/x/replay", None),
    ]  # fmt: skip

    for method, path, body in calls:
        foreign, unknown = (
            other.request(method, f"/v1/webhooks/{name}{path}", json=body, headers={"X-Request-Id": "r"})
            for name in (made["id"], "0" * 32)
        )
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content
    assert [hook["paused"] for hook in me.get("/v1/webhooks").json()["webhooks"]] == [None]


def test_a_test_is_due_at_once_and_listed(me: httpx.Client) -> None:
    made = add(me)

    accepted = me.post(f"/v1/webhooks/{made['id']}/test")

    listed = me.get(f"/v1/webhooks/{made['id']}/deliveries?limit=1&status=pending")
    schemas.Deliveries.model_validate_json(listed.content)
    assert accepted.status_code == 202
    assert listed.json()["deliveries"] == [accepted.json()]
    assert json.loads(accepted.json()["body"])["type"] == "webhook.test"


def test_what_is_paused_is_neither_tested_nor_replayed(me: httpx.Client) -> None:
    made = add(me)
    delivery = me.post(f"/v1/webhooks/{made['id']}/test").json()
    paused = me.patch(f"/v1/webhooks/{made['id']}", json={"paused": True}).json()

    answers = [
        me.post(f"/v1/webhooks/{made['id']}/test"),
        me.post(f"/v1/webhooks/{made['id']}/deliveries/{delivery['id']}/replay"),
        me.post(f"/v1/webhooks/{made['id']}/replay", json={"since": "2026-01-01T00:00:00+01:00"}),
    ]

    assert paused["paused"]["reason"] == "asked"
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(409, "webhook_paused")] * 3
    assert me.get(f"/v1/webhooks/{made['id']}/deliveries?status=failed").json()["deliveries"] != []
    me.patch(f"/v1/webhooks/{made['id']}", json={"paused": False})
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    replayed = me.post(f"/v1/webhooks/{made['id']}/replay", json={"since": since})
    assert (replayed.status_code, replayed.json()) == (202, {"replayed": 1})


def test_a_deleted_webhook_leaves_nothing(me: httpx.Client, stores: Stores) -> None:
    made = add(me)
    me.post(f"/v1/webhooks/{made['id']}/test")

    assert me.delete(f"/v1/webhooks/{made['id']}").status_code == 204

    assert me.get("/v1/webhooks").json() == {"webhooks": []}
    assert stores.client["jobs"]["deliveries"].count_documents({}) == 0


def test_a_callback_is_kept_with_its_job_and_has_a_secret_of_the_users(
    me: httpx.Client, stores: Stores
) -> None:
    callback = "https://callback.example/x?token=y"
    [job] = me.post("/v1/jobs", files={"file": VIDEO}, data={"callback_url": callback}).json()["jobs"]

    rotated = me.post("/v1/webhooks/callbacks/rotate").json()

    stored = stores.jobs.get(job["id"])
    assert stored is not None
    assert stored.options["callback_url"] == callback
    assert (rotated["id"], rotated["url"]) == ("callbacks", None)
    assert me.get("/v1/webhooks").json() == {"webhooks": []}
    assert me.post("/v1/webhooks/callbacks/test").status_code == 404
    assert me.get("/v1/webhooks/callbacks/deliveries").json() == {"deliveries": []}


def test_what_a_deleted_job_came_to_is_told_all_the_same(me: httpx.Client, stores: Stores) -> None:
    made = add(me)
    job = stores.done("me@example.com", b"mp3")

    assert me.delete(f"/v1/jobs/{job.id}").status_code == 204

    [delivery] = me.get(f"/v1/webhooks/{made['id']}/deliveries").json()["deliveries"]
    assert (delivery["type"], delivery["state"]) == ("job.done", "pending")
    assert Deliveries(stores.client).endpoints_due() == [made["id"]]
