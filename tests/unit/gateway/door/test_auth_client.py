"""What the gateway makes of auth's answers."""

from collections.abc import Callable

import httpx
import pytest
from flask import Flask, request

from chassis.identity import KeysUnavailable, Revocations
from chassis.web import Problem
from gateway.door.auth_client import AuthClient


def client(answer: Callable[[httpx.Request], httpx.Response]) -> AuthClient:
    return AuthClient("http://auth", httpx.MockTransport(answer))


def away(asked: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=asked)


def answering(status: int, **content: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, **content)  # type: ignore[arg-type]  # httpx's own arguments


def test_right_credentials_are_worth_a_token() -> None:
    def answer(asked: httpx.Request) -> httpx.Response:
        assert (asked.method, asked.url.path) == ("POST", "/login")
        assert asked.headers["Authorization"] == "Basic abc"
        assert (asked.headers["X-Forwarded-For"], asked.headers["X-Request-Id"]) == ("1.2.3.4", "r")
        return httpx.Response(200, text="a.b.c\n")

    assert client(answer).token("Basic abc", "1.2.3.4", "r") == "a.b.c"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_wrong_credentials_are_worth_nothing(status: int) -> None:
    assert client(answering(status)).token("Basic abc", "", "r") is None


@pytest.mark.parametrize(
    ("answer", "status", "retry_after"),
    [
        (answering(429, headers={"Retry-After": "17"}), 429, "17"),
        (answering(429), 429, "5"),
        (answering(500), 503, "5"),
        (away, 503, "5"),
    ],
)
def test_when_auth_cannot_say_the_client_is_told_to_wait(
    answer: Callable[[httpx.Request], httpx.Response], status: int, retry_after: str
) -> None:
    with pytest.raises(Problem) as told:
        client(answer).token("Basic abc", "", "r")

    assert (told.value.status, told.value.headers["Retry-After"]) == (status, retry_after)


def test_keys_and_revocations_are_read() -> None:
    def answer(asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/revocations":
            return httpx.Response(
                200, json={"revocations": {"me": 7}, "ended_sessions": ["s"], "revoked_keys": ["k"]}
            )
        return httpx.Response(200, json={"keys": []})

    assert client(answer).keys() == {"keys": []}
    assert client(answer).revocations() == Revocations({"me": 7}, frozenset({"s"}), frozenset({"k"}))


@pytest.mark.parametrize(
    "answer",
    [
        away,
        answering(500),
        answering(200, text="<html>"),
        answering(200, json={"revocations": []}),
        answering(200, json={"revocations": {}, "ended_sessions": 7}),
        answering(200, json={"revocations": {}, "revoked_keys": {}}),
    ],
)
def test_what_is_no_list_of_revocations_is_none(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    with pytest.raises(KeysUnavailable):
        client(answer).revocations()


@pytest.mark.parametrize(
    ("path", "accept", "forwarded"),
    [
        ("/v1/x", None, "application/json"),
        ("/v1/x", "*/*", "application/json"),
        ("/x", None, None),
        ("/x", "text/plain", "text/plain"),
    ],
)
def test_a_request_is_passed_on_and_its_answer_back(
    path: str, accept: str | None, forwarded: str | None
) -> None:
    seen: list[httpx.Request] = []

    def answer(asked: httpx.Request) -> httpx.Response:
        seen.append(asked)
        headers = {"WWW-Authenticate": "Basic", "Set-Cookie": "no", "Server": "no"}
        return httpx.Response(418, text="teapot", headers=headers)

    headers = {"Authorization": "Basic \u00e9"} | ({} if accept is None else {"Accept": accept})
    with Flask("x").test_request_context(path, method="PATCH", data=b"body", headers=headers):
        response = client(answer).forward(request, "/users/x", "r-1")

    [asked] = seen
    assert (asked.method, asked.url.path, asked.content) == ("PATCH", "/users/x", b"body")
    assert ("authorization", "Basic \u00e9".encode("latin-1")) in [
        (n.decode().lower(), v) for n, v in asked.headers.raw
    ]
    if forwarded is not None:
        assert asked.headers["Accept"] == forwarded
    assert (response.status_code, response.get_data()) == (418, b"teapot")
    assert response.headers["WWW-Authenticate"] == "Basic"
    assert "Set-Cookie" not in response.headers
