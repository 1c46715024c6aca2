"""Who may come in, how often, and how much they may keep."""

import base64
import time
from http import HTTPStatus

import httpx
import pytest

from tests.integration.gateway.conftest import SECONDS, Gateway, StartGateway, Stores, wait_until

VIDEO = ("talk.mp4", b"\0 a video")
PASSWORD = httpx.BasicAuth("me@example.com", "right")


def test_a_user_name_and_a_password_will_do_in_place_of_a_token(gateway: Gateway, stores: Stores) -> None:
    asked = len(logins(gateway))

    uploads = [httpx.post(f"{gateway.url}/upload", auth=PASSWORD, files={"f": VIDEO}).text for _ in range(5)]
    listed = httpx.get(f"{gateway.url}/v1/jobs", auth=PASSWORD).json()["jobs"]

    assert uploads == ["success!"] * 5
    assert len(listed) == stores.documents() == 5
    assert len(logins(gateway)) - asked <= 1  # the rest is remembered


def logins(gateway: Gateway) -> list[dict[str, object]]:
    return [asked for asked in gateway.auth.asked if asked["path"] == "/login"]


def test_a_remembered_login_that_was_revoked_is_asked_about_again(gateway: Gateway) -> None:
    auth = httpx.BasicAuth("changer@example.com", "right")
    before = httpx.get(f"{gateway.url}/v1/jobs", auth=auth).status_code
    asked = len(logins(gateway))
    gateway.auth.revocations["changer@example.com"] = int(time.time()) + 1

    def asked_again() -> bool:
        return (
            httpx.get(f"{gateway.url}/v1/jobs", auth=auth).status_code == 200 and len(logins(gateway)) > asked
        )

    wait_until(asked_again, 30)
    assert before == 200


@pytest.mark.parametrize(
    "given", ["Basic", "Basic x", "Basic " + base64.b64encode(b"me@example.com:wrong").decode()]
)
def test_a_wrong_password_is_not_authorized(gateway: Gateway, given: str) -> None:
    answer = httpx.get(f"{gateway.url}/v1/jobs", headers={"Authorization": given})

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authorized")


@pytest.mark.parametrize(
    ("scope", "method", "path", "missing"),
    [
        ("jobs:read", "POST", "/upload", "jobs:write"),
        ("jobs:write", "GET", "/download?fid=x", "jobs:read"),
        ("jobs:read", "DELETE", "/v1/jobs/x", "jobs:write"),
        ("", "GET", "/v1/jobs", "jobs:read"),
        ("jobs:read jobs:write", "GET", "/v1/admin/users", "admin"),
    ],
)
def test_a_token_without_the_scope_is_told_which_it_lacks(
    gateway: Gateway, scope: str, method: str, path: str, missing: str
) -> None:
    with gateway.client(scope=scope) as client:
        answer = client.request(method, path)

    assert answer.status_code == 403
    assert f"this needs a token with the scope {missing}" in answer.text
    assert f'scope="{missing}"' in answer.headers["WWW-Authenticate"]


def test_a_revoked_token_is_refused_soon(gateway: Gateway, stores: Stores) -> None:
    with gateway.client("leaver@example.com") as leaver:
        before = leaver.get("/v1/jobs").status_code
        gateway.auth.revocations["leaver@example.com"] = int(time.time()) + 1

        wait_until(lambda: leaver.get("/v1/jobs").status_code == 401, 30)

    assert before == 200
    assert stores.documents() == 0


def test_limits_and_usage_are_told(gateway: Gateway, me: httpx.Client, stores: Stores) -> None:
    me.post("/upload", files={"f": VIDEO})
    stores.done("me@example.com", b"12345")

    limits = httpx.get(f"{gateway.url}/v1/limits").json()
    usage = me.get("/v1/me/usage").json()

    assert limits["max_upload_bytes"] == 32 * 1024 * 1024
    assert limits["keep_files_seconds"] == 7 * 86_400
    assert usage == {"active_jobs": 1, "jobs_today": 2, "stored_bytes": len(VIDEO[1]) + 3 + 5}


@pytest.mark.parametrize(
    ("settings", "status", "code"),
    [
        ({"MAX_ACTIVE_JOBS": "1"}, 429, "too_many_active_jobs"),
        ({"MAX_JOBS_PER_DAY": "1"}, 429, "too_many_jobs_today"),
        ({"MAX_STORED_BYTES": "300"}, 413, "quota_full"),
    ],
)
def test_a_limit_of_a_user_is_told_and_is_the_users_own(
    start_gateway: StartGateway, stores: Stores, settings: dict[str, str], status: int, code: str
) -> None:
    gateway = start_gateway(**settings)
    with gateway.client() as me, gateway.client("other@example.com") as other:
        first = me.post("/v1/jobs?name=a", content=b"\0" * 200)
        second = me.post("/v1/jobs?name=a", content=b"\0" * 200)
        others = other.post("/v1/jobs?name=a", content=b"\0" * 200)

    assert (first.status_code, others.status_code) == (202, 202)
    assert (second.status_code, second.json()["code"]) == (status, code)
    assert stores.documents() == 2


def test_requests_are_limited_over_all_replicas_together(start_gateway: StartGateway, stores: Stores) -> None:
    one, two = start_gateway(REQUESTS_PER_MINUTE="20"), start_gateway(REQUESTS_PER_MINUTE="20")
    with one.client("often@example.com") as first, two.client("often@example.com") as second:
        first_answer = first.get("/v1/jobs")

        refused: list[httpx.Response] = []

        def both_refuse() -> bool:
            refused[:] = first.get("/v1/jobs"), second.get("/v1/jobs")
            return {answer.status_code for answer in refused} == {429}

        wait_until(both_refuse)

    assert first_answer.headers["RateLimit-Limit"] == "20"
    assert int(first_answer.headers["RateLimit-Remaining"]) == 19
    assert {answer.json()["code"] for answer in refused} == {"too_many_requests"}
    assert all(0 < int(answer.headers["Retry-After"]) <= 60 for answer in refused)
    assert stores.client["jobs"]["counters"].count_documents({"_id": {"$regex": "often"}}) >= 1


def test_logins_are_limited_by_address(start_gateway: StartGateway, stores: Stores) -> None:
    assert stores.client["jobs"]["counters"].count_documents({}) == 0  # other tests log in from here too
    gateway = start_gateway(LOGINS_PER_MINUTE="3")
    answers: list[httpx.Response] = []

    def is_refused() -> bool:
        answers.append(httpx.post(f"{gateway.url}/login", auth=("me@example.com", "wrong"), timeout=SECONDS))
        return answers[-1].status_code != HTTPStatus.UNAUTHORIZED

    wait_until(is_refused)

    assert len(answers) > 3
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_clients_address_is_the_one_before_the_trusted_proxies(start_gateway: StartGateway) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6, 7.7.7.7"}
    behind, bare = start_gateway(TRUSTED_PROXIES="1"), start_gateway()

    for gateway in (behind, bare):
        httpx.post(f"{gateway.url}/login", auth=PASSWORD, headers=forged)

    told = [asked["headers"]["X-Forwarded-For"] for asked in logins(bare)[-2:]]  # type: ignore[index]  # a dict
    assert told == ["7.7.7.7", "127.0.0.1"]


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [("POST", "/v1/logout", ("POST", "/logout")), ("PUT", "/v1/me/password", ("PUT", "/password"))],
)
def test_what_is_auths_is_passed_on_to_auth(
    gateway: Gateway, me: httpx.Client, method: str, path: str, asked: tuple[str, str]
) -> None:
    answer = me.request(method, path, json={"password": "a new one"})

    last = gateway.auth.asked[-1]
    assert answer.json() == {"path": asked[1]}
    assert (last["method"], last["path"], last["body"]) == (*asked, b'{"password":"a new one"}')
    assert last["headers"]["Authorization"] == me.headers["Authorization"]


def test_while_auth_is_away_tokens_are_good_and_logins_told_to_wait(start_gateway: StartGateway) -> None:
    gateway = start_gateway(AUTH_URL="http://127.0.0.1:9")

    login = httpx.post(f"{gateway.url}/login", auth=PASSWORD)
    with gateway.client() as me:
        without_keys = me.get("/v1/jobs")

    assert (login.status_code, without_keys.status_code) == (503, 503)
    assert login.headers["Retry-After"] == "5"


def test_every_answer_says_what_browsers_must_not_do(gateway: Gateway) -> None:
    answer = httpx.get(f"{gateway.url}/nowhere", headers={"Origin": "https://example.com"})

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_pages_of_the_origin_that_is_set_may_call(start_gateway: StartGateway) -> None:
    gateway = start_gateway(CORS_ORIGIN="https://app.example.com")

    mine = httpx.options(f"{gateway.url}/v1/jobs", headers={"Origin": "https://app.example.com"})
    other = httpx.options(f"{gateway.url}/v1/jobs", headers={"Origin": "https://evil.example.com"})

    assert mine.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Authorization" in mine.headers["Access-Control-Allow-Headers"]
    assert (other.headers["Vary"], other.headers.get("Access-Control-Allow-Origin")) == ("Origin", None)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "é"])
def test_a_request_id_that_is_none_is_replaced(gateway: Gateway, given: str) -> None:
    answer = httpx.get(f"{gateway.url}/nowhere", headers={"X-Request-Id": given.encode()})

    assert len(answer.headers["X-Request-Id"]) == 32


def test_refusals_logins_and_deletions_are_written_down(
    gateway: Gateway, me: httpx.Client, stores: Stores
) -> None:
    job = stores.done("me@example.com", b"mp3")

    me.delete(f"/v1/jobs/{job.id}", headers={"X-Request-Id": "audit-1"})
    httpx.post(f"{gateway.url}/login", auth=PASSWORD, headers={"X-Request-Id": "audit-2"})
    httpx.get(f"{gateway.url}/v1/jobs", headers={"Authorization": "Bearer x", "X-Request-Id": "audit-3"})

    written = [line for line in gateway.running.log.read_text().splitlines() if '"logger": "audit"' in line]
    assert any('"deleted"' in line and "audit-1" in line and job.id in line for line in written)
    assert any('"login"' in line and "audit-2" in line and "me@example.com" in line for line in written)
    assert any('"refused"' in line and "audit-3" in line for line in written)
    assert "right" not in gateway.running.log.read_text()
