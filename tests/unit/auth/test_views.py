"""What auth answers, whatever it is sent and whatever its database does."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.app import build
from auth.database import DatabaseUnavailable
from auth.keyring import Keyring
from auth.logins import Logins
from auth.passwords import Busy, Passwords
from auth.tokens import Tokens

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Nobody:
    """A table without users, or what its database raises."""

    error: Exception | None = None

    def find(self, _username: str) -> None:
        if self.error:
            raise self.error

    def revocations(self) -> dict[str, int]:
        return {}

    def ended(self) -> list[str]:
        return []


class NoKeys:
    def revoked(self) -> list[str]:
        return []


class NeverThrottled:
    def check(self, _username: str, _address: str) -> None:
        pass

    def failed(self, _username: str, _address: str) -> None:
        pass


@pytest.fixture
def users() -> Nobody:
    return Nobody()


@pytest.fixture
def client(users: Nobody, write_key: Callable[..., Path], tmp_path: Path) -> FlaskClient:
    write_key("1.pem")
    tokens = Tokens(Keyring(tmp_path), issuer="iss", audience="aud", lifetime=timedelta(hours=1))
    logins: Any = Logins(users, Passwords(CHEAP), tokens, NeverThrottled(), users, NoKeys())  # type: ignore[arg-type]  # fakes
    return build(logins).test_client()


def credentials(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_a_login_without_credentials_is_refused_byte_for_byte(client: FlaskClient) -> None:
    response = client.post("/login")

    assert (response.status_code, response.data) == (401, b"missing credentials")
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.headers["WWW-Authenticate"] == 'Basic realm="video-to-mp3", charset="UTF-8"'


@pytest.mark.parametrize("name", ["me@example.com", "not an address", "", "ü@example.com"])
def test_an_unknown_user_is_refused_byte_for_byte(name: str, client: FlaskClient) -> None:
    response = client.post("/login", headers=credentials(f"{name}:secret"))

    assert (response.status_code, response.data) == (401, b"invalid credentials")
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


def test_an_error_is_a_problem_document_for_who_prefers_json(client: FlaskClient) -> None:
    response = client.post("/login", headers={"Accept": "application/json", "X-Request-Id": "abc"})

    assert response.content_type == "application/problem+json"
    assert json.loads(response.data) == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "code": "missing_credentials",
        "detail": "missing credentials",
        "hint": "Send a user name and password with HTTP basic authentication: curl -u me@example.com.",
        "request_id": "abc",
    }


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5"])
def test_what_is_no_token_of_ours_is_refused_byte_for_byte(header: str | None, client: FlaskClient) -> None:
    response = client.post("/validate", headers={"Authorization": header} if header else {})

    assert (response.status_code, response.data) == (403, b"not authorized")


@given(header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_authorization_header_gets_in_or_breaks_anything(header: str, client: FlaskClient) -> None:
    for scheme in ("Basic ", "Bearer ", "Digest ", ""):
        for method, path in (
            ("POST", "/login"),
            ("POST", "/validate"),
            ("PUT", "/password"),
            ("GET", "/users"),
        ):
            response = client.open(path, method=method, headers={"Authorization": scheme + header})

            assert response.status_code in (401, 403)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1000,
        b"[" * 16_000,
        b'{"a":' * 3000,
        b"1" * 5000,
        b"\xff",
        b'"\\ud800"',
        b'{"scope": "\\ud800"}',
    ],
)
def test_no_json_breaks_a_login(body: bytes, client: FlaskClient) -> None:
    response = client.post(
        "/login", headers=credentials("me@example.com:secret"), data=body, content_type="application/json"
    )

    assert response.status_code in (400, 401, 422)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/login"), ("PUT", "/password")], ids=["login", "password"]
)
def test_a_database_that_is_away_is_an_honest_503(
    method: str, path: str, client: FlaskClient, users: Nobody
) -> None:
    users.error = DatabaseUnavailable("gone")

    response = client.open(path, method=method, headers=credentials("me@example.com:secret"))

    assert (response.status_code, response.data) == (503, b"users cannot be looked up right now")
    assert response.headers["Retry-After"] == "5"


def test_too_many_logins_at_once_are_an_honest_503(client: FlaskClient, users: Nobody) -> None:
    users.error = Busy("too many")

    response = client.post("/login", headers=credentials("me@example.com:secret"))

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


def test_a_bug_is_told_from_everything_else_and_says_nothing(client: FlaskClient, users: Nobody) -> None:
    users.error = RuntimeError("with a secret")

    response = client.post("/login", headers=credentials("me@example.com:secret"))

    assert (response.status_code, response.data) == (500, b"auth failed to handle this request")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/login", 405)], ids=["404", "405"]
)
def test_an_unknown_route_is_one_line(method: str, path: str, status: int, client: FlaskClient) -> None:
    response = client.open(path, method=method)

    assert response.status_code == status
    assert response.content_type == "text/plain; charset=utf-8"
    assert b"\n" not in response.data


def test_keys_may_be_cached_for_as_long_as_the_gateway_keeps_them(client: FlaskClient) -> None:
    response = client.get("/.well-known/jwks.json")

    assert len(response.json["keys"]) == 1
    assert response.headers["Cache-Control"] == "public, max-age=30"


def test_a_request_id_is_echoed_or_made(client: FlaskClient) -> None:
    assert client.get("/revocations", headers={"X-Request-Id": "mine-1"}).headers["X-Request-Id"] == "mine-1"
    assert len(client.get("/revocations", headers={"X-Request-Id": "{"}).headers["X-Request-Id"]) == 32
