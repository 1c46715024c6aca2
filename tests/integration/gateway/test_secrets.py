"""No key, token, secret or secret address stands in a gateway's log, whatever is done with it."""

import base64
import socket

import httpx

from tests.integration.gateway.conftest import SmallAuth, StartGateway, Stores, wait_until

ME = "me@example.com"


def made(client: httpx.Client, stores: Stores, auth: SmallAuth) -> dict[str, str]:
    """Everything that lets somebody in, by what it is."""
    job = stores.done(ME, b"mp3" * 1000)
    key = client.post("/v1/me/keys", json={"name": "x", "scope": "jobs:read"}).json()["key"]
    share = client.post(f"/v1/jobs/{job.id}/shares").json()["url"].rpartition("/")[2]
    feed = client.post("/v1/me/feeds").json()["url"].rpartition("/")[2].removesuffix(".xml")
    hook = client.post("/v1/webhooks", json={"url": "https://hooks.example/"}).json()["secret"]
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return {
        "key": key,
        "share": share,
        "feed": feed,
        "webhook": hook,
        "token": token,
        "other": auth.token("o"),
    }


def test_what_lets_somebody_in_is_in_no_log(start_gateway: StartGateway, stores: Stores) -> None:
    gateway = start_gateway(LOG_LEVEL="debug", LOG_FORMAT="json")
    with gateway.client() as client:
        secrets = made(client, stores, gateway.auth)
        for secret in secrets.values():
            for place in (
                f"/s/{secret}",
                f"/s/{secret}/mp3",
                f"/feeds/{secret}.xml",
                f"/feeds/{secret}/x.mp3",
            ):
                for method in ("GET", "HEAD", "POST", "PROPFIND"):
                    client.request(method, place, headers={"Referer": f"{gateway.url}{place}"})
            for given in (f"Bearer {secret}", f"bearer  {secret}x", secret):
                client.get("/v1/jobs", headers={"Authorization": given})
            client.get("/v1/jobs", auth=(ME, secret))
            raw(gateway.port, f"GET /s/{secret} HTTP/9.9\r\n\r\n")
            raw(gateway.port, f"GET /feeds/{secret}.xml\r\nAuthorization: Bearer {secret}\r\n\r\n")
        client.get(f"/v1/jobs?q={secrets['key']}")
        client.delete(f"/v1/me/keys/{secrets['key']}")

    log = gateway.running.log
    wait_until(lambda: log.read_text().count('"path": "/v1/jobs"') > len(secrets))
    text = log.read_text()
    assert '"/s/…"' in text
    for name, secret in secrets.items():
        assert secret not in text, name
        assert base64.b64encode(f"{ME}:{secret}".encode()).decode() not in text, name


def raw(port: int, text: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
