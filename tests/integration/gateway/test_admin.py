"""What administrators may, and nobody else."""

from collections.abc import Iterator

import httpx
import pytest

from pipeline import broker
from tests.integration.gateway.conftest import Gateway, StartGateway, Stores, some, wait_until


@pytest.fixture
def admin(gateway: Gateway) -> Iterator[httpx.Client]:
    with gateway.client("admin@example.com", "jobs:read jobs:write admin") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "/v1/admin/users", "/users"),
        ("POST", "/v1/admin/users", "/users"),
        ("PATCH", "/v1/admin/users/me@example.com", "/users/me@example.com"),
    ],
)
def test_users_are_auths(gateway: Gateway, admin: httpx.Client, method: str, path: str, asked: str) -> None:
    answer = admin.request(method, path, json={"disabled": True})

    last = gateway.auth.asked[-1]
    assert (answer.status_code, last["method"], last["path"]) == (200, method, asked)
    assert last["body"] == b'{"disabled":true}'
    assert last["headers"]["Accept"] == "application/json"


def test_a_password_will_do_where_auth_itself_wants_a_token(gateway: Gateway) -> None:
    password = httpx.BasicAuth("boss@example.com", "right")

    answer = httpx.get(f"{gateway.url}/v1/admin/users", auth=password)

    assert answer.status_code == 200
    assert gateway.auth.asked[-1]["headers"]["Authorization"].startswith("Bearer ey")


def test_a_token_that_auth_refuses_already_is_refused(gateway: Gateway, admin: httpx.Client) -> None:
    gateway.auth.refuses = True
    try:
        answer = admin.get("/v1/admin/users")
    finally:
        gateway.auth.refuses = False

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authorized")


ROUTES = [
    ("GET", "/v1/admin/users"),
    ("POST", "/v1/admin/users"),
    ("PATCH", "/v1/admin/users/x"),
    ("GET", "/v1/admin/jobs"),
    ("GET", "/v1/admin/jobs/x"),
    ("POST", "/v1/admin/jobs/x/requeue"),
    ("POST", "/v1/admin/jobs/x/fail"),
    ("GET", "/v1/admin/dead-letters/video"),
    ("POST", "/v1/admin/dead-letters/video/replay"),
    ("DELETE", "/v1/admin/dead-letters/video"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_else_may(gateway: Gateway, me: httpx.Client, method: str, path: str) -> None:
    assert me.request(method, path).status_code == 403
    assert httpx.request(method, gateway.url + path).status_code == 401


def test_anybodys_jobs_are_listed_and_narrowed(admin: httpx.Client, stores: Stores) -> None:
    mine, others = stores.queued("a@example.com"), stores.done("b@example.com", b"mp3", "Holiday.mp4")

    def ids(**query: str) -> list[str]:
        return [job["id"] for job in admin.get("/v1/admin/jobs", params=query).json()["jobs"]]

    newest = admin.get("/v1/admin/jobs?limit=1").json()
    assert ids() == [others.id, mine.id]
    assert ids(owner="a@example.com") == ids(state="queued") == ids(before=newest["before"]) == [mine.id]
    assert ids(q="holiday") == [others.id]
    assert newest["jobs"][0]["owner"] == "b@example.com"
    assert admin.get("/v1/admin/jobs?before=x").status_code == 422


def test_what_ffmpeg_said_is_for_administrators_only(
    admin: httpx.Client, gateway: Gateway, stores: Stores
) -> None:
    job = stores.failed(stores.queued())

    with gateway.client(job.owner) as owner:
        places = (f"/v1/jobs/{job.id}", "/v1/jobs", f"/v1/jobs/{job.id}/events")
        told = [owner.get(place).text for place in places]
    shown = admin.get(f"/v1/admin/jobs/{job.id}").json()
    listed = admin.get("/v1/admin/jobs").json()["jobs"]

    assert all("It is silent." in text and "matches no streams" not in text for text in told)
    assert all('"log"' not in text for text in told)
    assert shown["log"] == listed[0]["log"] == ["Stream map '' matches no streams."]
    assert "log" not in shown["error"]


def test_a_job_is_requeued_once_it_is_over(admin: httpx.Client, stores: Stores) -> None:
    job = stores.failed(stores.queued())

    again = admin.post(f"/v1/admin/jobs/{job.id}/requeue")
    refused = admin.post(f"/v1/admin/jobs/{job.id}/requeue")

    assert (again.status_code, again.json()["state"]) == (200, "queued")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


def test_a_job_under_way_is_ended_and_its_owner_is_owed_a_mail(admin: httpx.Client, stores: Stores) -> None:
    job = some(stores.jobs.claim(stores.queued().id, "converter"))

    failed = admin.post(f"/v1/admin/jobs/{job.id}/fail").json()
    refused = admin.post(f"/v1/admin/jobs/{job.id}/fail")

    assert (failed["state"], failed["error"]["code"]) == ("failed", "given_up")
    assert failed["notice"] == {"state": "pending", "tries": 0}
    assert not stores.jobs.renew(job.claimed)
    assert refused.status_code == 409


def test_an_unknown_job_is_unknown_to_administrators_too(admin: httpx.Client) -> None:
    assert admin.get("/v1/admin/jobs/x").status_code == 404


def test_dead_letters_are_shown_replayed_and_dropped(start_gateway: StartGateway, rabbitmq_url: str) -> None:
    broker.declare(rabbitmq_url)
    with broker.opened(rabbitmq_url, "test") as channel:
        for name in ("video", "video.dlq"):
            channel.queue_purge(name)
        for body in (b"no JSON", b"\xff"):
            channel.basic_publish("", "video.dlq", body)
    gateway = start_gateway(RABBITMQ_URL=rabbitmq_url)
    place = "/v1/admin/dead-letters/video"

    with gateway.client(scope="admin") as admin:
        wait_until(lambda: len(admin.get(place).json()["dead_letters"]) == 2)
        shown = admin.get(place).json()["dead_letters"]
        replayed = admin.post(f"{place}/replay").json()
        dropped = admin.delete(place).json()
        unknown = admin.get("/v1/admin/dead-letters/other")

    assert shown == [{"body": "no JSON", "reason": "unknown"}, {"body": "\ufffd", "reason": "unknown"}]
    assert (replayed, dropped) == ({"replayed": 2}, {"dropped": 0})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_queue")
    wait_until(lambda: broker.depth(rabbitmq_url, "video") == 2)
    with broker.opened(rabbitmq_url, "test") as channel:
        channel.queue_purge("video")


def test_dead_letters_of_a_broker_that_is_away_are_not_known(admin: httpx.Client) -> None:
    assert admin.get("/v1/admin/dead-letters/video").status_code == 503
