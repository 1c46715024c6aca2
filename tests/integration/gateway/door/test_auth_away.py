"""A gateway that starts while auth is away."""

from pathlib import Path

import httpx

from tests.integration.gateway.conftest import StartGateway, Stores, wait_until

NOBODY = "http://127.0.0.1:1"


def status(url: str, token: str) -> int:
    return httpx.get(f"{url}/v1/jobs", headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code


def test_tokens_are_verified_from_the_first_request_on_and_revoked_ones_stay_refused(
    start_gateway: StartGateway, stores: Stores, tmp_path: Path
) -> None:
    file = str(tmp_path / "keys.json")
    before = start_gateway(KEPT_KEYS=file)
    auth = before.auth
    good, revoked = auth.token("me@example.com"), auth.token("gone@example.com", iat=1000)
    ended = auth.token("me@example.com", sid="over")
    auth.revocations["gone@example.com"] = 2000
    auth.ended.add("over")
    try:
        wait_until(lambda: "over" in (Path(file).read_text() if Path(file).exists() else ""), 30)
        before.running.stop()

        after = start_gateway(KEPT_KEYS=file, AUTH_URL=NOBODY)

        assert [status(after.url, token) for token in (good, revoked, ended, f"{good}x")] == [
            200, 401, 401, 401,
        ]  # fmt: skip
    finally:
        auth.revocations.clear()
        auth.ended.clear()
    assert stores.documents() == 0


def test_without_kept_keys_nobody_is_let_in(start_gateway: StartGateway, stores: Stores) -> None:
    gateway = start_gateway(AUTH_URL=NOBODY)

    assert status(gateway.url, gateway.auth.token("me@example.com")) == 503
    assert stores.documents() == 0
