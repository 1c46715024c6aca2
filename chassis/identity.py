"""Verify tokens with the public keys that auth publishes, without asking auth for each request.

RFC 8725: algorithm, issuer and audience are pinned, every claim that is relied on is required.
The last good key set is kept, so tokens are verified while auth is away.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from chassis import logs

ALGORITHM = "ES256"
CLAIMS = ["sub", "iss", "aud", "exp", "iat", "jti", "username", "admin", "scope"]
MAX_TOKEN_BYTES = 4096
MAX_VERIFIED = 10_000
"""How many tokens are remembered; then all are forgotten and verified again."""
LEEWAY_SECONDS = 20
"""How far the clocks of two machines may stand apart."""
REFRESH_SECONDS = 10.0
"""How often keys and revocations are fetched again: what is withdrawn is refused after this."""
COOLDOWN_SECONDS = 5.0
"""The least time between two fetches, whatever key ids strangers make up."""
FIRST_COOLDOWN_SECONDS = 1.0
"""The same as long as nothing was ever fetched, so nobody can be let in."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Revocations:
    """Which tokens are refused though they have not expired."""

    good_since: Mapping[str, int] = field(default_factory=dict)
    """By user: earlier ones (seconds) are refused."""
    ended_sessions: frozenset[str] = frozenset()
    revoked_keys: frozenset[str] = frozenset()
    """The ids of personal keys."""


FetchRevocations = Callable[[], Revocations]
"""Returns what is refused now, or raises `KeysUnavailable`."""

FetchKeys = Callable[[], Mapping[str, Any]]
"""Returns auth's JWKS document, or raises `KeysUnavailable`."""


class InvalidToken(Exception):
    """The token is not one of ours, or no longer."""


class KeysUnavailable(Exception):
    """No key set has been fetched yet, so nothing can be said of any token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a valid token speaks for, and what it may do."""

    username: str
    admin: bool
    scopes: frozenset[str]
    token_id: str
    issued_at: int
    session_id: str | None = None
    """Of the browser that is logged in, where it is one that asks."""
    key_id: str | None = None
    """Of the personal key that the token was given for, where it was for one."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature and claims are good, while its key is and until it expires."""

    identity: Identity
    key_id: str
    until: float


class Verifier:
    """Verifies tokens; safe to use from many threads.

    A token that was found good is remembered, whole: a client that asks often costs one signature.
    """

    def __init__(
        self, fetch_keys: FetchKeys, fetch_revocations: FetchRevocations, *, issuer: str, audience: str
    ) -> None:
        self._fetch_keys = fetch_keys
        self._fetch_revocations = fetch_revocations
        self._revocations: Revocations | None = None
        self._asked_at = float("-inf")
        self._verified: dict[str, _Verified] = {}
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at = float("-inf")
        self._fetching = threading.Lock()

    def verify(self, token: str) -> Identity:
        """Return the identity that a token proves.

        Raises:
            InvalidToken: saying what is wrong with it (for the log, not for the stranger).
            KeysUnavailable: no keys, or no revocations, were ever fetched.
        """
        known = self._verified.get(token)
        if known is None or known.key_id not in self._keys or known.until < time.time():
            known = self._verify(token)
            if len(self._verified) >= MAX_VERIFIED:
                self._verified.clear()
            self._verified[token] = known
        identity, revocations = known.identity, self._revocations or self._first_revocations()
        if identity.issued_at < revocations.good_since.get(identity.username, 0):
            raise InvalidToken("revoked")
        if identity.session_id in revocations.ended_sessions:
            raise InvalidToken("of a session that was ended")
        if identity.key_id in revocations.revoked_keys:
            raise InvalidToken("of a key that was revoked")
        return identity

    def _verify(self, token: str) -> "_Verified":
        if len(token) > MAX_TOKEN_BYTES:
            raise InvalidToken(f"longer than {MAX_TOKEN_BYTES} characters")
        try:
            key = self._key(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": CLAIMS},
                leeway=LEEWAY_SECONDS,
            )
            return _Verified(_identity(claims), str(key.key_id), claims["exp"] + LEEWAY_SECONDS)
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidToken(f"{type(error).__name__}: {error}"[:200]) from None

    def refresh(self) -> None:
        """Fetch keys and revocations now; those before are kept when auth is away."""
        with self._fetching:
            self._refresh()
            self._refresh_revocations()

    def keep_fresh(self) -> None:
        """Refresh every `REFRESH_SECONDS` on a thread that ends with the process."""

        def poll() -> None:
            while True:
                self.refresh()
                time.sleep(REFRESH_SECONDS)

        threading.Thread(target=poll, name="keys", daemon=True).start()

    def check(self) -> None:
        """Raise `KeysUnavailable` when no key set was ever fetched."""
        if not self._keys:
            self.refresh()
        if not self._keys:
            raise KeysUnavailable("no keys fetched from auth yet")

    def _key(self, token: str) -> jwt.PyJWK:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str):
            raise InvalidToken("no key id")
        if kid not in self._keys:
            with self._fetching:
                cooldown = COOLDOWN_SECONDS if self._keys else FIRST_COOLDOWN_SECONDS
                if kid not in self._keys and time.monotonic() - self._tried_at > cooldown:
                    self._refresh()
        keys = self._keys
        if not keys:
            raise KeysUnavailable("no keys fetched from auth yet")
        if kid not in keys:
            raise InvalidToken("unknown key id")
        return keys[kid]

    def _first_revocations(self) -> Revocations:
        with self._fetching:
            if self._revocations is None and time.monotonic() - self._asked_at > FIRST_COOLDOWN_SECONDS:
                self._refresh_revocations()
            if self._revocations is None:
                raise KeysUnavailable("no revocations fetched from auth yet")
            return self._revocations

    def _refresh_revocations(self) -> None:
        self._asked_at = time.monotonic()
        try:
            self._revocations = self._fetch_revocations()
        except KeysUnavailable as error:
            log.warning("revocations not fetched, the last ones are kept", reason=str(error))

    def _refresh(self) -> None:
        self._tried_at = time.monotonic()
        try:
            fetched = jwt.PyJWKSet.from_dict(dict(self._fetch_keys()))
        except (KeysUnavailable, jwt.PyJWTError) as error:
            log.warning("keys not fetched, the last ones are kept", reason=str(error), kept=len(self._keys))
            return
        self._keys = {
            key.key_id: key for key in fetched.keys if key.key_id and key.algorithm_name == ALGORITHM
        }


def _identity(claims: Mapping[str, Any]) -> Identity:
    username, admin, scope = claims["username"], claims["admin"], claims["scope"]
    if not (isinstance(username, str) and username and isinstance(admin, bool) and isinstance(scope, str)):
        raise InvalidToken("a claim has another type than it must")
    session_id, key_id = claims.get("sid"), claims.get("key")
    if not all(given_for is None or isinstance(given_for, str) for given_for in (session_id, key_id)):
        raise InvalidToken("a claim has another type than it must")
    scopes = frozenset(scope.split())
    return Identity(username, admin, scopes, str(claims["jti"]), int(claims["iat"]), session_id, key_id)
