"""A token says who a user is, in a form that the gateway verifies by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

import pytest

from auth.keyring import Keyring
from auth.tokens import InvalidScope, Tokens
from auth.user import User
from chassis.identity import InvalidToken, Revocations, Verifier

HOUR = timedelta(hours=1)


def user(**changes: object) -> User:
    me = User("a" * 32, "me@example.com", "hash", False, False, 0, datetime(2026, 1, 1), int(time()))  # noqa: DTZ001, FBT003 - as the database gives them
    return replace(me, **changes)  # type: ignore[arg-type]  # names and types are those of the test


@pytest.fixture
def keyring(write_key: Callable[..., Path], tmp_path: Path) -> Keyring:
    write_key("1.pem")
    return Keyring(tmp_path)


def tokens(keyring: Keyring, issuer: str = "iss", lifetime: timedelta = HOUR) -> Tokens:
    return Tokens(keyring, issuer=issuer, audience="aud", lifetime=lifetime)


def test_the_gateway_verifies_a_token_with_the_published_keys(keyring: Keyring) -> None:
    verifier = Verifier(keyring.jwks, Revocations, issuer="iss", audience="aud")

    identity = verifier.verify(tokens(keyring).issue(user()).text)

    assert (identity.username, identity.admin) == ("me@example.com", False)
    assert identity.scopes == {"jobs:read", "jobs:write"}


def test_a_token_holds_every_claim(keyring: Keyring) -> None:
    me = user(admin=True)

    token = tokens(keyring).issue(me)

    claims = tokens(keyring).claims(token.text)
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "sub": "a" * 32,
        "iss": "iss",
        "aud": "aud",
        "exp": me.read_at + 3600,
        "iat": me.read_at,
        "username": "me@example.com",
        "admin": True,
        "scope": "jobs:read jobs:write admin",
    }
    assert token.expires_at == datetime.fromtimestamp(me.read_at + 3600, UTC)


def test_a_token_can_be_good_for_less(keyring: Keyring) -> None:
    token = tokens(keyring).issue(user(admin=True), ["jobs:read", "jobs:read"])

    claims = tokens(keyring).claims(token.text)
    assert (claims["scope"], claims["admin"]) == ("jobs:read", False)


@pytest.mark.parametrize("scope", ["admin", "jobs", "jobs:read,jobs:write"])
def test_a_scope_that_is_not_the_users_is_refused(scope: str, keyring: Keyring) -> None:
    with pytest.raises(InvalidScope, match="jobs:read, jobs:write"):
        tokens(keyring).issue(user(), [scope])


def test_a_token_of_the_second_of_a_revocation_is_newer_than_it(keyring: Keyring) -> None:
    me = user()

    token = tokens(keyring).issue(replace(me, tokens_valid_from=me.read_at + 1))

    assert tokens(keyring).claims(token.text)["iat"] == me.read_at + 1


@pytest.mark.parametrize(("longest", "seconds"), [(timedelta(minutes=10), 600), (timedelta(days=1), 3600)])
def test_a_token_of_a_session_names_it_and_lives_no_longer_than_others(
    keyring: Keyring, longest: timedelta, seconds: int
) -> None:
    own = tokens(keyring)

    claims = own.claims(own.issue(user(), session=("s1", longest)).text)

    assert (claims["sid"], claims["exp"] - claims["iat"]) == ("s1", seconds)


def test_a_token_of_another_issuer_is_refused(keyring: Keyring) -> None:
    token = tokens(keyring, issuer="another").issue(user())

    with pytest.raises(InvalidToken, match="Issuer"):
        tokens(keyring).claims(token.text)


def test_an_expired_token_is_refused(keyring: Keyring) -> None:
    token = tokens(keyring).issue(user(read_at=int(time()) - 3700))

    with pytest.raises(InvalidToken, match="Expired"):
        tokens(keyring).claims(token.text)
