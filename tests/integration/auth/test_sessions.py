"""Sessions: begun with a password, exchanged for tokens, over by themselves or because somebody says so."""

import hashlib
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from auth.logins import Logins
from auth.sessions import IDLE, LONGEST, MOST, TOKEN_LIFETIME, SessionEnded, Sessions
from auth.store import Users
from auth.user import User

PASSWORD = "violet-kettle-umbrella"
ME = ("me@example.com", PASSWORD)
HOUR = 3600


@pytest.fixture
def me(users: Users, add_user: Callable[..., str]) -> User:
    found = users.find(add_user())
    assert found is not None
    return found


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    return Sessions(engine)


@pytest.fixture
def age(engine: Engine) -> Callable[[str, str, int], None]:
    """Moves one time of a session into the past."""

    def age(session_id: str, column: str, seconds: int) -> None:
        with engine.begin() as connection:
            connection.execute(
                text(f"UPDATE sessions SET {column} = {column} - :seconds WHERE id = :id"),  # noqa: S608 - ours
                {"seconds": seconds, "id": session_id},
            )

    return age


def bearer(client: FlaskClient, secret: str) -> dict[str, str]:
    answer = client.post("/sessions/token", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.data
    return {"Authorization": f"Bearer {answer.text}"}


def begin(client: FlaskClient, agent: str = "Firefox") -> tuple[str, str]:
    answer = client.post("/sessions", auth=ME, headers={"User-Agent": agent})
    assert answer.status_code == 201, answer.data
    return answer.json["id"], answer.json["secret"]


@pytest.mark.usefixtures("me")
def test_a_session_is_exchanged_for_tokens_that_end_soon_and_name_it(
    client: FlaskClient, logins: Logins
) -> None:
    session_id, secret = begin(client)

    claims = logins.tokens.claims(bearer(client, secret)["Authorization"].split()[1])

    assert (claims["username"], claims["sid"]) == ("me@example.com", session_id)
    assert claims["exp"] - claims["iat"] == TOKEN_LIFETIME.total_seconds()
    assert client.post("/validate", headers=bearer(client, secret)).json["sid"] == session_id


@pytest.mark.usefixtures("me")
def test_a_session_is_not_begun_with_a_wrong_password(client: FlaskClient) -> None:
    assert client.post("/sessions", auth=("me@example.com", "wrong")).data == b"invalid credentials"
    assert client.post("/sessions").data == b"missing credentials"


@pytest.mark.usefixtures("me")
def test_a_secret_is_stored_nowhere(client: FlaskClient, engine: Engine) -> None:
    session_id, secret = begin(client)

    with engine.begin() as connection:
        [row] = connection.execute(text("SELECT * FROM sessions")).all()

    assert (row.id, row.secret_hash) == (session_id, hashlib.sha256(secret.encode()).hexdigest())
    assert secret not in map(str, row)


@pytest.mark.parametrize("secret", ["", "x" * 43, "é" * 43, "x" * 5000])
def test_a_made_up_secret_is_no_session(client: FlaskClient, secret: str, engine: Engine) -> None:
    del engine
    answer = client.post("/sessions/token", headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code in (403, 404)


@pytest.mark.parametrize(("column", "limit"), [("last_used_at", IDLE), ("created_at", LONGEST)])
def test_a_session_that_is_idle_or_old_is_over(
    sessions: Sessions, me: User, age: Callable[[str, str, int], None], column: str, limit: object
) -> None:
    session_id, secret = sessions.begin(me, "", "")
    seconds = int(limit.total_seconds())  # type: ignore[attr-defined]  # a timedelta
    age(session_id, column, seconds - 60)
    assert sessions.use(secret)[0] == session_id
    age(session_id, column, 120 if column == "created_at" else seconds + 60)

    with pytest.raises(SessionEnded):
        sessions.use(secret)
    assert not sessions.is_good(session_id)
    assert sessions.of(me.id) == []


def test_a_use_is_noted_so_that_a_used_session_is_not_idle(
    sessions: Sessions, me: User, age: Callable[[str, str, int], None]
) -> None:
    session_id, secret = sessions.begin(me, "", "")
    age(session_id, "last_used_at", 11 * HOUR)
    before = sessions.of(me.id)[0].last_used_at

    sessions.use(secret)

    assert sessions.of(me.id)[0].last_used_at - before >= 11 * HOUR


@pytest.mark.parametrize("act", ["set_password", "disable", "revoke_tokens"])
def test_what_revokes_tokens_ends_sessions_and_a_new_one_is_good_at_once(
    sessions: Sessions, users: Users, me: User, act: str, password_hash: str
) -> None:
    _, secret = sessions.begin(me, "", "")
    another = users.find("me@example.com")
    assert another is not None

    getattr(users, act)("me@example.com", *([password_hash] if act == "set_password" else []))

    with pytest.raises(SessionEnded):
        sessions.use(secret)
    now = users.find("me@example.com")
    assert now is not None
    _, later = sessions.begin(now, "", "")
    if act == "disable":
        with pytest.raises(SessionEnded):
            sessions.use(later)
    else:
        assert sessions.use(later)[1].username == "me@example.com"


@pytest.mark.usefixtures("me")
def test_my_sessions_are_listed_with_what_they_are_used_by(client: FlaskClient) -> None:
    first, _ = begin(client, "Firefox" + "!" * 300)
    second, secret = begin(client, "Safari")

    listed = client.get("/sessions", headers=bearer(client, secret)).json["sessions"]

    assert {entry["id"]: entry["agent"] for entry in listed} == {
        first: ("Firefox" + "!" * 300)[:200],
        second: "Safari",
    }
    assert set(listed[0]) == {"id", "created_at", "last_used_at", "agent", "address"}


@pytest.mark.usefixtures("me")
def test_an_ended_session_is_told_of_and_neither_it_nor_its_tokens_are_good(client: FlaskClient) -> None:
    first, first_secret = begin(client)
    _, second_secret = begin(client)
    token = bearer(client, first_secret)

    ended = client.delete(f"/sessions/{first}", headers=bearer(client, second_secret))

    assert ended.status_code == 204
    assert client.get("/revocations").json["ended_sessions"] == [first]
    assert client.post("/validate", headers=token).data == b"not authorized"
    again = client.post("/sessions/token", headers={"Authorization": f"Bearer {first_secret}"})
    assert again.status_code == 404
    bearer(client, second_secret)


@pytest.mark.usefixtures("me")
def test_anothers_session_is_as_good_as_unknown(client: FlaskClient, add_user: Callable[..., str]) -> None:
    mine, secret = begin(client)
    add_user("other@example.com")
    other = client.post("/login", auth=("other@example.com", PASSWORD)).text
    headers = {"Authorization": f"Bearer {other}", "X-Request-Id": "r"}

    foreign = client.delete(f"/sessions/{mine}", headers=headers)
    unknown = client.delete(f"/sessions/{'0' * 32}", headers=headers)

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert foreign.status_code == 404
    bearer(client, secret)


def test_a_user_has_so_many_sessions_at_once_and_the_one_used_least_lately_makes_room(
    sessions: Sessions, me: User, age: Callable[[str, str, int], None]
) -> None:
    begun = [sessions.begin(me, "", "") for _ in range(MOST)]
    age(begun[7][0], "last_used_at", HOUR)

    sessions.begin(me, "", "")

    assert len(sessions.of(me.id)) == MOST
    with pytest.raises(SessionEnded):
        sessions.use(begun[7][1])
    assert sessions.ended() == [begun[7][0]]


def test_what_is_over_is_forgotten_when_another_begins(
    sessions: Sessions, me: User, age: Callable[[str, str, int], None], engine: Engine
) -> None:
    idle, _ = sessions.begin(me, "", "")
    ended, _ = sessions.begin(me, "", "")
    sessions.end(me.id, ended)
    age(idle, "last_used_at", 13 * HOUR)
    age(ended, "ended_at", HOUR)

    kept, _ = sessions.begin(me, "", "")

    with engine.begin() as connection:
        assert connection.scalars(text("SELECT id FROM sessions")).all() == [kept]
