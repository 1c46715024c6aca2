"""Personal keys: made by their user, no more than their user, gone when revoked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from auth import users as tool
from auth.key_store import MAX_KEYS, PersonalKeys
from auth.personal_key import TooManyKeys
from auth.store import Users

PASSWORD = "violet-kettle-umbrella"
LogIn = Callable[..., dict[str, str]]
AddUser = Callable[..., str]
ME, OTHER = "me@example.com", "other@example.com"


@pytest.fixture
def me(add_user: AddUser, log_in: LogIn) -> dict[str, str]:
    return log_in(add_user(ME))


@pytest.fixture
def make(client: FlaskClient, me: dict[str, str]) -> Callable[..., Any]:
    def make(**asked: object) -> Any:
        response = client.post("/keys", headers=me, json={"name": "backup", **asked})
        assert response.status_code == 201, response.text
        return response.json

    return make


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def test_a_key_is_told_once_and_only_its_digest_is_stored(
    client: FlaskClient, me: dict[str, str], make: Callable[..., Any], engine: Engine
) -> None:
    made = make(scope="jobs:read")

    listed = client.get("/keys", headers=me)
    with engine.begin() as connection:
        stored = connection.execute(text("SELECT * FROM personal_keys")).all()

    assert (made["scope"], made["last_used_at"]) == ("jobs:read", None)
    assert listed.json == {"keys": [{name: value for name, value in made.items() if name != "key"}]}
    assert made["key"] not in repr(stored)
    assert made["key"].startswith(made["start"])


def test_a_key_is_worth_a_token_as_bearer_and_as_password(
    client: FlaskClient, make: Callable[..., Any]
) -> None:
    key = make(scope="jobs:read")

    tokens = [
        client.post("/login", headers=bearer(key["key"])).text,
        client.post("/login", auth=("Me@Example.com", key["key"])).text,
    ]

    for token in tokens:
        told = claims(token)
        assert (told["username"], told["scope"], told["key"]) == (ME, "jobs:read", key["id"])
        assert client.post("/validate", headers=bearer(token)).status_code == 200


def test_a_key_allows_both_scopes_by_default_and_never_admin(
    client: FlaskClient, add_user: AddUser, log_in: LogIn
) -> None:
    admin = log_in(add_user("admin@example.com", admin=True))

    made = client.post("/keys", headers=admin, json={"name": "x"}).json
    asked_for = client.post("/keys", headers=admin, json={"name": "x", "scope": "admin"}).json

    assert made is not None
    assert asked_for is not None
    assert (made["scope"], asked_for["scope"]) == ("jobs:read jobs:write", "admin")


@pytest.mark.parametrize("scope", ["admin", "jobs:read admin", "", "everything"])
def test_a_key_allows_no_more_than_its_user(client: FlaskClient, me: dict[str, str], scope: str) -> None:
    response = client.post("/keys", headers=me, json={"name": "x", "scope": scope})

    assert (response.status_code, client.get("/keys", headers=me).json) == (400, {"keys": []})


def test_a_key_allows_no_more_than_the_token_that_made_it(client: FlaskClient, add_user: AddUser) -> None:
    narrow = client.post("/login", auth=(add_user(ME), PASSWORD), data={"scope": "jobs:read"}).text

    made = client.post("/keys", headers=bearer(narrow), json={"name": "x"}).json
    refused = client.post("/keys", headers=bearer(narrow), json={"name": "x", "scope": "jobs:write"})

    assert made is not None
    assert (made["scope"], refused.status_code) == ("jobs:read", 400)


def test_who_is_no_administrator_any_more_has_no_key_of_one(
    client: FlaskClient, add_user: AddUser, log_in: LogIn, users: Users
) -> None:
    admin = log_in(add_user("admin@example.com", admin=True))
    key = client.post("/keys", headers=admin, json={"name": "x", "scope": "admin jobs:read"}).json["key"]  # type: ignore[index]  # it is JSON
    before = client.post("/login", headers=bearer(key)).text
    users.set_admin("admin@example.com", admin=False)

    after = client.post("/login", headers=bearer(key)).text

    assert "admin" in claims(before)["scope"]
    assert claims(after)["scope"] == "jobs:read"
    assert claims(after)["admin"] is False


def test_a_key_makes_lists_and_revokes_no_keys(client: FlaskClient, make: Callable[..., Any]) -> None:
    key = make()
    token = bearer(client.post("/login", headers=bearer(key["key"])).text)

    answers = [
        client.get("/keys", headers=token),
        client.post("/keys", headers=token, json={"name": "x"}),
        client.delete(f"/keys/{key['id']}", headers=token),
    ]

    assert [(answer.status_code, answer.text) for answer in answers] == [
        (403, "a personal key cannot manage keys")
    ] * 3


def test_a_key_is_no_old_password(client: FlaskClient, make: Callable[..., Any]) -> None:
    response = client.put("/password", auth=(ME, make()["key"]), json={"password": "another-long-one-x"})

    assert response.status_code == 401


def test_a_revoked_key_and_its_tokens_are_refused_and_listed_as_revoked(
    client: FlaskClient, me: dict[str, str], make: Callable[..., Any]
) -> None:
    key, kept = make(), make()
    token, others = (client.post("/login", headers=bearer(one["key"])).text for one in (key, kept))

    revoked = client.delete(f"/keys/{key['id']}", headers=me)

    assert revoked.status_code == 204
    assert client.post("/login", headers=bearer(key["key"])).status_code == 401
    assert client.post("/login", auth=(ME, key["key"])).status_code == 401
    assert client.post("/validate", headers=bearer(token)).status_code == 403
    assert client.post("/validate", headers=bearer(others)).status_code == 200
    assert client.get("/revocations").json["revoked_keys"] == [key["id"]]  # type: ignore[index]  # it is JSON
    assert client.delete(f"/keys/{key['id']}", headers=me).status_code == 404


@pytest.mark.parametrize(
    "path", ["/keys/%C2%B5", "/keys/%F1%A0%B9%AB", "/sessions/%C2%B5%21", "/keys/" + "k" * 300]
)
def test_an_id_that_no_key_and_no_session_can_have_is_unknown(
    path: str, client: FlaskClient, me: dict[str, str]
) -> None:
    response = client.delete(path, headers=me)

    assert response.status_code == 404


def test_anothers_key_is_as_good_as_unknown(
    client: FlaskClient, make: Callable[..., Any], add_user: AddUser, log_in: LogIn
) -> None:
    key, other = make(), log_in(add_user(OTHER))

    foreign = client.delete(f"/keys/{key['id']}", headers=other)
    unknown = client.delete(f"/keys/{'0' * 32}", headers=other)

    assert (
        (foreign.status_code, foreign.data)
        == (unknown.status_code, unknown.data)
        == (404, b"there is no such key")
    )
    assert client.get("/keys", headers=other).json == {"keys": []}
    assert client.post("/login", auth=(OTHER, key["key"])).status_code == 401
    assert client.post("/login", headers=bearer(key["key"])).status_code == 200


def test_an_expired_key_is_refused_and_a_token_ends_with_its_key(
    client: FlaskClient, make: Callable[..., Any], engine: Engine
) -> None:
    key = make()
    with engine.begin() as connection:
        connection.execute(text("UPDATE personal_keys SET expires_at = UNIX_TIMESTAMP() + 100"))
    token = claims(client.post("/login", headers=bearer(key["key"])).text)
    with engine.begin() as connection:
        connection.execute(text("UPDATE personal_keys SET expires_at = UNIX_TIMESTAMP()"))

    refused = client.post("/login", headers=bearer(key["key"]))

    assert token["exp"] - token["iat"] <= 100
    assert (refused.status_code, refused.data) == (401, b"invalid credentials")


def test_a_disabled_users_key_is_refused(client: FlaskClient, make: Callable[..., Any], users: Users) -> None:
    key = make()["key"]
    users.disable(ME)

    assert client.post("/login", headers=bearer(key)).status_code == 401


def test_a_key_survives_a_logout_and_a_new_password(
    client: FlaskClient, me: dict[str, str], make: Callable[..., Any]
) -> None:
    key = make()["key"]
    client.put("/password", auth=(ME, PASSWORD), json={"password": "another long password"})

    token = client.post("/login", headers=bearer(key)).text

    assert client.post("/validate", headers=me).status_code == 403
    assert client.post("/validate", headers=bearer(token)).status_code == 200


def test_the_last_use_is_written_at_most_once_an_hour(
    client: FlaskClient, me: dict[str, str], make: Callable[..., Any], engine: Engine
) -> None:
    key = make()["key"]

    def use(age: int) -> int:
        with engine.begin() as connection:
            change = text("UPDATE personal_keys SET last_used_at = UNIX_TIMESTAMP() - :age")
            connection.execute(change, {"age": age})
            before = connection.scalar(text("SELECT last_used_at FROM personal_keys"))
        client.post("/login", headers=bearer(key))
        with engine.begin() as connection:
            return int(connection.scalar(text("SELECT last_used_at FROM personal_keys")) - before)

    assert use(3500) == 0
    assert use(3700) >= 3600
    assert client.get("/keys", headers=me).json["keys"][0]["last_used_at"] is not None  # type: ignore[index]  # it is JSON


def test_guessing_keys_is_slowed_down_and_locks_nobody_else_out(
    client: FlaskClient, make: Callable[..., Any], me: dict[str, str]
) -> None:
    gone, good = make(), make()
    client.delete(f"/keys/{gone['id']}", headers=me)

    guesses = [client.post("/login", headers=bearer(gone["key"])).status_code for _ in range(4)]

    assert guesses == [401, 401, 401, 429]
    assert client.post("/login", headers=bearer(good["key"])).status_code == 200


def test_a_user_has_only_so_many_keys_and_old_ones_do_not_count(
    users: Users, add_user: AddUser, engine: Engine
) -> None:
    user, keys = users.find(add_user(ME)), PersonalKeys(engine)
    assert user is not None
    for number in range(MAX_KEYS):
        keys.add(user, name=str(number), scopes={"jobs:read"}, lifetime=timedelta(days=1))
    with pytest.raises(TooManyKeys):
        keys.add(user, name="x", scopes={"jobs:read"}, lifetime=timedelta(days=1))

    keys.revoke(user, keys.all(user)[0].id)

    keys.add(user, name="x", scopes={"jobs:read"}, lifetime=timedelta(days=1))
    with engine.begin() as connection:
        connection.execute(text("UPDATE personal_keys SET expires_at = 1"))
    keys.add(user, name="x", scopes={"jobs:read"}, lifetime=timedelta(days=1))
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM personal_keys")) == 1


def test_keys_are_used_and_revoked_by_many_at_once(
    client: FlaskClient, me: dict[str, str], make: Callable[..., Any]
) -> None:
    keys = [make() for _ in range(8)]

    def use(key: Any) -> int:
        return client.application.test_client().post("/login", headers=bearer(key["key"])).status_code

    def revoke(key: Any) -> int:
        own = client.application.test_client()
        return own.delete(f"/keys/{key['id']}", headers=me).status_code

    with ThreadPoolExecutor(8) as pool:
        used = list(pool.map(use, keys * 4))
        revoked = sorted(pool.map(revoke, keys * 2))

    assert set(used) == {200}
    assert revoked == [204] * 8 + [404] * 8


def test_operators_see_and_revoke_a_users_keys(
    make: Callable[..., Any],
    client: FlaskClient,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    key = make(name="nightly backup")
    capsys.readouterr()

    assert tool.main(["keys", ME]) == 0
    listed = capsys.readouterr().out
    assert tool.main(["revoke", ME, key["id"]]) == 0
    assert tool.main(["revoke", ME, key["id"]]) == 1
    assert tool.main(["keys", "nobody@example.com"]) == 1

    assert listed.startswith(f"{key['id']}\t{key['start']}\tjobs:read jobs:write\tuntil ")
    assert listed.endswith("used never\tnightly backup\n")
    assert key["key"] not in listed
    assert client.post("/login", headers=bearer(key["key"])).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "x", "expires_in_days": 0},
        {"name": "x", "expires_in_days": 366},
        {"name": "x", "expires_in_days": "7"},
        {"name": "x", "scope": "x" * 101},
        {"name": "x", "scope": ["jobs:read"]},
        {"name": "x", "more": 1},
    ],
)
def test_a_wish_that_is_none_is_refused_in_words(
    client: FlaskClient, me: dict[str, str], body: dict[str, object]
) -> None:
    response = client.post("/keys", headers=me, json=body)

    assert response.status_code == 422
    assert response.text


def test_a_name_may_be_of_any_letters(make: Callable[..., Any]) -> None:
    assert make(name="Küche 🎧")["name"] == "Küche 🎧"


@pytest.mark.parametrize(("method", "path"), [("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/x")])
def test_without_a_token_nothing_is_told(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method)

    assert (response.status_code, response.data) == (403, b"not authorized")
