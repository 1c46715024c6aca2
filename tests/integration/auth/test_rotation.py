"""Keys are rotated while users log in, and no token is refused on the way."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from auth import keys
from auth.keyring import PUBLISHED_FIRST_SECONDS, Keyring
from auth.store import Users
from auth.tokens import Tokens
from chassis.identity import InvalidToken, Revocations, Verifier


def older(file: Path, seconds: float) -> None:
    """Let time pass for a file."""
    written = file.stat().st_mtime - seconds
    os.utime(file, (written, written))


def test_no_token_is_refused_from_the_old_key_to_the_new(
    users: Users, add_user: Callable[..., str], tmp_path: Path
) -> None:
    user = users.find(add_user())
    assert user is not None
    old = keys.add(tmp_path)
    keyring = Keyring(tmp_path)
    tokens = Tokens(keyring, issuer="iss", audience="aud", lifetime=timedelta(hours=1))
    gateway = Verifier(keyring.jwks, Revocations, issuer="iss", audience="aud")
    first = tokens.issue(user).text
    gateway.verify(first)

    new = keys.add(tmp_path)
    gateway.verify(tokens.issue(user).text)
    gateway.refresh()  # as it does every 30 s
    older(new.file, PUBLISHED_FIRST_SECONDS + 1)
    gateway.verify(tokens.issue(user).text)
    assert keyring.signing().id == new.id
    gateway.verify(first)

    older(new.file, 3600)
    keys.remove(tmp_path, old.file.name, timedelta(hours=1), now=False)
    gateway.refresh()
    gateway.verify(tokens.issue(user).text)
    with pytest.raises(InvalidToken, match="unknown key"):
        gateway.verify(first)


def test_a_key_that_leaked_is_refused_by_auth_itself(
    users: Users, add_user: Callable[..., str], tmp_path: Path, wait_for: Callable[..., None]
) -> None:
    user = users.find(add_user())
    assert user is not None
    old = keys.add(tmp_path)
    tokens = Tokens(Keyring(tmp_path), issuer="iss", audience="aud", lifetime=timedelta(hours=1))
    token = tokens.issue(user).text
    new = keys.add(tmp_path)
    older(new.file, time.time() - new.since + PUBLISHED_FIRST_SECONDS)
    keys.remove(tmp_path, old.file.name, timedelta(hours=1), now=True)

    tokens.keep_fresh()

    def refused() -> bool:
        try:
            tokens.claims(token)
        except InvalidToken:
            return True
        return False

    wait_for(refused)
