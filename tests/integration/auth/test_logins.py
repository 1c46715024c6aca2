"""Logging in, validating, logging out and changing the password, on a real database."""

import time
from collections.abc import Callable
from datetime import datetime
from statistics import median

import jwt
import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from auth.store import Users

PASSWORD = "violet-kettle-umbrella"
LogIn = Callable[..., dict[str, str]]
AddUser = Callable[..., str]


def test_a_login_answers_the_token_as_plain_text(client: FlaskClient, add_user: AddUser) -> None:
    add_user()

    response = client.post("/login", auth=("me@example.com", PASSWORD))

    assert (response.status_code, response.content_type) == (200, "text/plain; charset=utf-8")
    assert response.text.count(".") == 2
    assert response.headers["Cache-Control"] == "no-store"


def test_a_login_answers_json_to_who_prefers_it(client: FlaskClient, add_user: AddUser) -> None:
    add_user()

    response = client.post(
        "/login", auth=("me@example.com", PASSWORD), headers={"Accept": "application/json"}
    )

    assert response.json is not None
    assert set(response.json) == {"token", "expires_at"}
    claims = jwt.decode(response.json["token"], options={"verify_signature": False})
    assert datetime.fromisoformat(response.json["expires_at"]).timestamp() == claims["exp"]


def test_a_username_is_the_same_in_any_case(add_user: AddUser, log_in: LogIn) -> None:
    add_user("me@example.com")

    assert log_in("Me@EXAMPLE.com")


def test_claims_of_a_good_token_are_told(client: FlaskClient, add_user: AddUser, log_in: LogIn) -> None:
    add_user(admin=True)

    response = client.post("/validate", headers=log_in())

    assert response.status_code == 200
    assert response.json is not None
    assert {"username", "admin", "iat", "exp"} <= set(response.json)
    assert (response.json["username"], response.json["admin"]) == ("me@example.com", True)


@pytest.mark.parametrize("body", [{"data": {"scope": "jobs:read"}}, {"json": {"scope": "jobs:read"}}])
def test_a_login_may_ask_for_fewer_scopes(
    body: dict[str, dict[str, str]], client: FlaskClient, add_user: AddUser
) -> None:
    add_user()

    response = client.post("/login", auth=("me@example.com", PASSWORD), **body)  # type: ignore[arg-type]  # one of two keywords

    assert jwt.decode(response.text, options={"verify_signature": False})["scope"] == "jobs:read"


@pytest.mark.parametrize(
    ("body", "status"),
    [({"data": {"scope": "admin"}}, 400), ({"json": {"scope": 7}}, 422), ({"json": ["scope"]}, 422)],
)
def test_scopes_that_cannot_be_given_are_refused(
    body: dict[str, dict[str, str]], status: int, client: FlaskClient, add_user: AddUser
) -> None:
    add_user()

    response = client.post("/login", auth=("me@example.com", PASSWORD), **body)  # type: ignore[arg-type]  # one of two keywords

    assert response.status_code == status


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(
    client: FlaskClient, add_user: AddUser
) -> None:
    add_user()

    wrong = client.post("/login", auth=("me@example.com", "wrong"), headers={"X-Request-Id": "1"})
    unknown = client.post("/login", auth=("you@example.com", "wrong"), headers={"X-Request-Id": "1"})

    assert wrong.data == unknown.data == b"invalid credentials"
    assert (wrong.status_code, dict(wrong.headers)) == (unknown.status_code, dict(unknown.headers))


def test_a_wrong_password_and_an_unknown_user_take_the_same_time(
    client: FlaskClient, add_user: AddUser
) -> None:
    for number in range(120):
        add_user(f"user{number}@example.com")
    times: dict[str, list[float]] = {"user": [], "unknown": []}

    for number in range(120):  # the machine may be busy: a difference that is none goes away with more trials
        for kind, seen in times.items():
            headers = {"X-Forwarded-For": f"10.0.{number}.1"}
            began = time.perf_counter()
            response = client.post("/login", auth=(f"{kind}{number}@example.com", "wrong"), headers=headers)
            seen.append(time.perf_counter() - began)
            assert response.status_code == 401
        if number >= 40 and alike(times):
            break

    assert alike(times), {kind: median(seen) for kind, seen in times.items()}


def alike(times: dict[str, list[float]]) -> bool:
    wrong, unknown = median(times["user"]), median(times["unknown"])
    return abs(wrong - unknown) <= max(0.05 * wrong, 0.005)


def test_a_disabled_user_gets_in_no_more(
    client: FlaskClient, users: Users, add_user: AddUser, log_in: LogIn
) -> None:
    token = log_in(add_user())

    users.disable("me@example.com")

    assert client.post("/validate", headers=token).status_code == 403
    response = client.post("/login", auth=("me@example.com", PASSWORD))
    assert (response.status_code, response.data) == (401, b"invalid credentials")
    users.enable("me@example.com")
    assert client.post("/validate", headers=log_in()).status_code == 200
    assert client.post("/validate", headers=token).status_code == 403


def test_logging_out_refuses_every_token_of_the_user_and_no_other(
    client: FlaskClient, add_user: AddUser, log_in: LogIn
) -> None:
    add_user("you@example.com")
    mine, too, yours = log_in(add_user()), log_in(), log_in("you@example.com")

    assert client.post("/logout", headers=mine).status_code == 204

    assert [client.post("/validate", headers=token).status_code for token in (mine, too, yours)] == [
        403,
        403,
        200,
    ]
    assert client.post("/logout", headers=mine).status_code == 403
    assert client.post("/validate", headers=log_in()).status_code == 200


def test_revocations_say_since_when_tokens_are_good(
    client: FlaskClient, add_user: AddUser, log_in: LogIn
) -> None:
    add_user("you@example.com")
    token = log_in(add_user())
    client.post("/logout", headers=token)

    revocations = client.get("/revocations").json["revocations"]  # type: ignore[index]  # it is JSON

    claims = jwt.decode(token["Authorization"][7:], options={"verify_signature": False})
    assert list(revocations) == ["me@example.com"]
    assert claims["iat"] < revocations["me@example.com"] <= claims["iat"] + 20


def test_a_changed_password_is_the_only_one_that_counts(
    client: FlaskClient, add_user: AddUser, log_in: LogIn
) -> None:
    token = log_in(add_user())

    response = client.put(
        "/password", auth=("me@example.com", PASSWORD), json={"password": "another one of mine"}
    )

    assert (response.status_code, response.data) == (204, b"")
    assert client.post("/validate", headers=token).status_code == 403
    assert client.post("/login", auth=("me@example.com", PASSWORD)).status_code == 401
    assert client.post("/validate", headers=log_in(password="another one of mine")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"password": "short"}', 422, "weak_password"),
        (b'{"password": 7}', 422, "invalid_body"),
        (b'{"password": "another one of mine", "more": 1}', 422, "invalid_body"),
        (b"[]", 422, "invalid_body"),
        (b"{", 400, "malformed_body"),
        (b"\xff", 400, "malformed_body"),
        (b'{"password": "' + b"x" * 20_000 + b'"}', 413, "too_large"),
    ],
)
def test_a_password_that_cannot_be_taken_is_refused(
    body: bytes, status: int, code: str, client: FlaskClient, add_user: AddUser
) -> None:
    add_user()

    response = client.put(
        "/password", auth=("me@example.com", PASSWORD), data=body, headers={"Accept": "application/json"}
    )

    assert (response.status_code, response.json and response.json["code"]) == (status, code)
    assert client.post("/login", auth=("me@example.com", PASSWORD)).status_code == 200


def test_a_hash_of_older_parameters_is_renewed_at_the_next_login(
    client: FlaskClient, users: Users, log_in: LogIn
) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    users.add("me@example.com", old, admin=False)

    token = log_in()

    user = users.find("me@example.com")
    assert user is not None
    assert user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert client.post("/validate", headers=token).status_code == 200
    assert log_in()


def test_logins_and_refusals_are_written_down_without_secrets(
    client: FlaskClient, add_user: AddUser, log_in: LogIn
) -> None:
    add_user()

    with capture_logs() as lines:
        token = log_in()
        hops = {"X-Forwarded-For": "1.1.1.1, 10.9.8.7"}
        client.post("/login", auth=("me@example.com", "wrong-secret"), headers=hops)

    acts = [(line["event"], line["user"], line["address"]) for line in lines if "address" in line]
    assert acts == [
        ("logged in", "me@example.com", "127.0.0.1"),
        ("login refused", "me@example.com", "10.9.8.7"),
    ]
    assert not any(secret in str(lines) for secret in (PASSWORD, "wrong-secret", token["Authorization"][7:]))
