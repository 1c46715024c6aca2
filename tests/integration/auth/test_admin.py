"""Administrators list, add and change users; nobody else does."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

PASSWORD = "violet-kettle-umbrella"
LogIn = Callable[..., dict[str, str]]
AddUser = Callable[..., str]
ROUTES = [("GET", "/users"), ("POST", "/users"), ("PATCH", "/users/me@example.com")]


@pytest.fixture
def admin(add_user: AddUser, log_in: LogIn) -> dict[str, str]:
    return log_in(add_user("admin@example.com", admin=True))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_who_is_no_administrator_is_told_what_is_missing(
    method: str, path: str, client: FlaskClient, add_user: AddUser, log_in: LogIn
) -> None:
    token = log_in(add_user())

    response = client.open(path, method=method, headers=token, json={"admin": True})

    assert (response.status_code, response.data) == (403, b"the token lacks the scope admin")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_administrators_narrow_token_is_no_administrators(
    method: str, path: str, client: FlaskClient, add_user: AddUser
) -> None:
    auth = (add_user("admin@example.com", admin=True), PASSWORD)
    token = client.post("/login", auth=auth, data={"scope": "jobs:read jobs:write"}).text

    response = client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 403


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_token_nothing_is_told(method: str, path: str, client: FlaskClient) -> None:
    response = client.open(path, method=method)

    assert (response.status_code, response.data) == (403, b"not authorized")


def test_users_are_listed_by_name_and_without_hashes(
    client: FlaskClient, admin: dict[str, str], add_user: AddUser
) -> None:
    add_user("zoe@example.com")

    listed = client.get("/users", headers=admin).json["users"]  # type: ignore[index]  # it is JSON

    assert [user["username"] for user in listed] == ["admin@example.com", "zoe@example.com"]
    assert set(listed[0]) == {"username", "admin", "disabled", "created_at"}


def test_a_user_is_added_with_a_password_that_is_told_once(
    client: FlaskClient, admin: dict[str, str], log_in: LogIn
) -> None:
    response = client.post("/users", headers=admin, json={"username": "New@example.com"})

    assert response.status_code == 201
    assert response.json is not None
    assert (response.json["username"], response.json["admin"]) == ("new@example.com", False)
    assert log_in("new@example.com", response.json["password"])
    assert "password" not in client.get("/users", headers=admin).text


def test_a_user_is_added_with_a_given_password(
    client: FlaskClient, admin: dict[str, str], log_in: LogIn
) -> None:
    body = {"username": "new@example.com", "password": "a given password", "admin": True}

    response = client.post("/users", headers=admin, json=body)

    assert response.json is not None
    assert "password" not in response.json
    assert client.get("/users", headers=log_in("new@example.com", "a given password")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "admin@example.com"}, 409),
        ({"username": "no address"}, 422),
        ({"username": "new@example.com", "password": "short"}, 422),
        ({"username": "new@example.com", "admin": "yes"}, 422),
        ({}, 422),
    ],
)
def test_a_user_who_cannot_be_is_refused(
    body: dict[str, str], status: int, client: FlaskClient, admin: dict[str, str]
) -> None:
    assert client.post("/users", headers=admin, json=body).status_code == status


def test_a_disabled_users_tokens_are_refused(
    client: FlaskClient, admin: dict[str, str], add_user: AddUser, log_in: LogIn
) -> None:
    token = log_in(add_user())

    response = client.patch("/users/me@example.com", headers=admin, json={"disabled": True})

    assert response.json is not None
    assert response.json["disabled"] is True
    assert client.post("/validate", headers=token).status_code == 403
    client.patch("/users/me@example.com", headers=admin, json={"disabled": False})
    assert log_in()


def test_a_reset_password_is_told_once_and_is_the_only_one(
    client: FlaskClient, admin: dict[str, str], add_user: AddUser, log_in: LogIn
) -> None:
    token = log_in(add_user())

    response = client.patch("/users/me@example.com", headers=admin, json={"password": "generate"})

    assert response.json is not None
    assert response.headers["Cache-Control"] == "no-store"
    assert client.post("/validate", headers=token).status_code == 403
    assert log_in("me@example.com", response.json["password"])


def test_who_is_no_administrator_any_more_has_no_token_of_one(
    client: FlaskClient, admin: dict[str, str], add_user: AddUser, log_in: LogIn
) -> None:
    other = log_in(add_user("other@example.com", admin=True))

    client.patch("/users/other@example.com", headers=admin, json={"admin": False})

    assert client.get("/users", headers=other).status_code == 403
    assert client.get("/users", headers=log_in("other@example.com")).status_code == 403
    client.patch("/users/other@example.com", headers=admin, json={"admin": True})
    assert client.get("/users", headers=log_in("other@example.com")).status_code == 200


@pytest.mark.parametrize("name", ["nobody@example.com", "no address"])
def test_a_user_who_is_not_there_is_not_found(name: str, client: FlaskClient, admin: dict[str, str]) -> None:
    response = client.patch(f"/users/{name}", headers=admin, json={"disabled": True})

    assert (response.status_code, response.data) == (404, b"there is no such user")


def test_only_a_generated_password_can_be_given_to_another(
    client: FlaskClient, admin: dict[str, str], add_user: AddUser
) -> None:
    add_user()

    response = client.patch("/users/me@example.com", headers=admin, json={"password": "known to the admin"})

    assert response.status_code == 422


def test_a_token_is_not_good_for_who_has_the_same_name_later(
    client: FlaskClient, engine: Engine, add_user: AddUser, log_in: LogIn
) -> None:
    token = log_in(add_user())
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
    assert client.post("/validate", headers=token).status_code == 403

    add_user()

    assert client.post("/validate", headers=token).status_code == 403
