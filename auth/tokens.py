"""Issue tokens, and tell what is in those that are ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt

from auth.keyring import Keyring
from auth.personal_key import PersonalKey
from auth.user import User
from chassis.identity import ALGORITHM, Revocations, Verifier

SCOPES = ("jobs:read", "jobs:write")
ADMIN_SCOPE = "admin"


class InvalidScope(Exception):
    """A scope was asked for that there is not, or that the user may not have."""


@dataclass(frozen=True, slots=True)
class Token:
    """A signed token and its end."""

    text: str
    expires_at: datetime


class Tokens:
    """Signs with the keyring's newest key; what it issued it verifies as the gateway does."""

    def __init__(self, keyring: Keyring, *, issuer: str, audience: str, lifetime: timedelta) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        # Revocations are looked up by the one who asks for the claims: the users are at hand here.
        self._verifier = Verifier(keyring.jwks, Revocations, issuer=issuer, audience=audience)

    def issue(
        self,
        user: User,
        scopes: Iterable[str] | None = None,
        *,
        session: tuple[str, timedelta] | None = None,
        key: PersonalKey | None = None,
    ) -> Token:
        """Return a token for a user (RFC 7519), with every scope they may have or with fewer.

        With the id of a session it ends with that, and after so long at the latest; with a personal key
        it ends with that, and allows no more.

        Raises:
            InvalidScope: one of those asked for is not theirs.
        """
        theirs: tuple[str, ...] = (*SCOPES, ADMIN_SCOPE) if user.admin else SCOPES
        if key is not None:
            theirs = tuple(scope for scope in theirs if scope in key.scopes)
        granted = theirs if scopes is None else tuple(dict.fromkeys(scopes))
        if not set(granted) <= set(theirs):
            raise InvalidScope(f"you may request the scopes {', '.join(theirs)}")
        # A revocation is valid from the next second on; see `Users.set_password`.
        issued_at = max(user.read_at, user.tokens_valid_from)
        given_for = {} if session is None else {"sid": session[0]}
        lifetime = self._lifetime if session is None else min(self._lifetime, session[1])
        expires_at = issued_at + int(lifetime.total_seconds())
        if key is not None:
            given_for = {"key": key.id}
            expires_at = min(expires_at, int(key.expires_at.timestamp()))
        signing = self._keyring.signing()
        claims = {
            "sub": user.id,
            "iss": self._issuer,
            "aud": self._audience,
            "exp": expires_at,
            "iat": issued_at,
            "jti": uuid4().hex,
            "username": user.username,
            "admin": ADMIN_SCOPE in granted,
            "scope": " ".join(granted),
            **given_for,
        }
        text = jwt.encode(claims, signing.private, algorithm=ALGORITHM, headers={"kid": signing.id})
        return Token(text, datetime.fromtimestamp(expires_at, UTC))

    def claims(self, token: str) -> dict[str, Any]:
        """Return what a valid token says.

        Raises:
            InvalidToken: it is not one of ours, or has expired.
        """
        self._verifier.verify(token)
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return claims

    def keep_fresh(self) -> None:
        """Forget keys that were taken from the folder, on a thread that ends with the process."""
        self._verifier.keep_fresh()

    def jwks(self) -> dict[str, Any]:
        """Return the keys that tokens are verified with (RFC 7517)."""
        return self._keyring.jwks()
