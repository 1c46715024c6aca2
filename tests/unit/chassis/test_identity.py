"""Which tokens are believed."""

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chassis import identity
from chassis.identity import InvalidToken, KeysUnavailable, Revocations, Verifier

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey, kid: str = "k1", **more: str) -> dict[str, Any]:
    return {
        **json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())),
        "kid": kid,
        "alg": "ES256",
        **more,
    }


class Auth:
    """Publishes keys, or is away; counts how often it is asked."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys: list[dict[str, Any]] = list(keys)
        self.revoked: dict[str, int] = {}
        self.ended: set[str] = set()
        self.revoked_keys: set[str] = set()
        self.away = False
        self.asked = 0

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.away:
            raise KeysUnavailable("away")
        return {"keys": self.keys}

    def revocations(self) -> Revocations:
        if self.away:
            raise KeysUnavailable("away")
        return Revocations(self.revoked, frozenset(self.ended), frozenset(self.revoked_keys))


def verifier(auth: Auth) -> Verifier:
    return Verifier(auth, auth.revocations, issuer="us", audience="them")


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    standard = {"sub": "me", "iss": "us", "aud": "them", "iat": now, "exp": now + 60, "jti": "j"}
    own = {"username": "me@example.com", "admin": False, "scope": "jobs:read jobs:write"}
    return {name: value for name, value in {**standard, **own, **changes}.items() if value is not ...}


def token(key: Any = KEY, algorithm: str = "ES256", kid: str | None = "k1", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm, {} if kid is None else {"kid": kid})


def test_a_good_token_says_who_and_what() -> None:
    who = verifier(Auth(public(KEY))).verify(token(admin=True, scope="a b"))

    assert (who.username, who.admin, who.scopes) == ("me@example.com", True, {"a", "b"})
    assert (who.token_id, who.issued_at) == ("j", pytest.approx(time.time(), abs=5))


def forged() -> str:
    pem = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header, body, _ = jwt.encode(claims(), "s" * 32, "HS256", {"kid": "k1"}).split(".")
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = signer.sign(f"{header}.{body}".encode(), pem)
    return f"{header}.{body}.{jwt.utils.base64url_encode(signature).decode()}"


BAD = {
    "signed by another": lambda: token(OTHER),
    "expired": lambda: token(exp=int(time.time()) - 60),
    "from the future": lambda: token(iat=int(time.time()) + 3600),
    "another issuer": lambda: token(iss="you"),
    "another audience": lambda: token(aud="you"),
    "unsigned": lambda: jwt.encode(claims(), None, "none", {"kid": "k1"}),
    "signed with the public key as a secret": forged,
    "another algorithm": lambda: token(rsa.generate_private_key(65537, 2048), "RS256"),
    "no key id": lambda: token(kid=None),
    "a key id that is a path": lambda: token(kid="../../etc/passwd"),
    "too long": lambda: token(jti="x" * 5000),
    "empty": lambda: "",
    "no token": lambda: "a.b.c",
    "beyond ASCII": lambda: "é" * 10,
    "a name that is no text": lambda: token(username=["me"]),
    "an empty name": lambda: token(username=""),
    "an admin that is no yes or no": lambda: token(admin="yes"),
    "a scope that is no text": lambda: token(scope=["admin"]),
    **{f"without {name}": (lambda name=name: token(**{name: ...})) for name in identity.CLAIMS},
}


@pytest.mark.parametrize("case", BAD)
def test_a_token_is_refused_that_is(case: str) -> None:
    with pytest.raises(InvalidToken):
        verifier(Auth(public(KEY))).verify(BAD[case]())


def test_a_key_that_is_published_later_is_fetched_when_its_first_token_comes() -> None:
    auth = Auth(public(KEY))
    own = verifier(auth)
    own._tried_at = float("-inf")
    auth.keys.append(public(OTHER, "k2"))

    assert own.verify(token(OTHER, kid="k2")).username == "me@example.com"


def test_made_up_key_ids_do_not_make_the_keys_be_fetched_each_time() -> None:
    auth = Auth(public(KEY))
    own = verifier(auth)

    for number in range(20):
        with pytest.raises(InvalidToken, match="unknown key id"):
            own.verify(token(kid=f"made up {number}"))

    assert auth.asked == 1


def test_a_withdrawn_key_is_refused_after_the_next_refresh() -> None:
    auth = Auth(public(KEY), public(OTHER, "k2"))
    own = verifier(auth)
    own.verify(token())

    auth.keys = [public(OTHER, "k2")]
    own.refresh()

    with pytest.raises(InvalidToken):
        own.verify(token())


def test_a_token_from_before_a_revocation_is_refused_and_a_later_one_is_not() -> None:
    auth = Auth(public(KEY))
    own, now = verifier(auth), int(time.time())
    auth.revoked = {"me@example.com": now - 10}
    own.refresh()

    with pytest.raises(InvalidToken, match="revoked"):
        own.verify(token(iat=now - 11))
    own.verify(token(iat=now - 10))
    own.verify(token(iat=now - 11, username="other@example.com"))


def test_a_token_of_a_session_that_was_ended_is_refused_and_no_other() -> None:
    auth = Auth(public(KEY))
    own = verifier(auth)
    assert own.verify(token(sid="s1")).session_id == "s1"
    auth.ended = {"s1"}

    own.refresh()

    with pytest.raises(InvalidToken, match="ended"):
        own.verify(token(sid="s1"))
    own.verify(token(sid="s2"))
    own.verify(token())


def test_a_token_of_a_revoked_key_is_refused_and_no_other() -> None:
    auth = Auth(public(KEY))
    own = verifier(auth)
    of_key = {name: jwt.encode(claims(key=name), KEY, "ES256", {"kid": "k1"}) for name in ("1", "2")}
    assert own.verify(of_key["1"]).key_id == "1"
    auth.revoked_keys = {"1"}

    own.refresh()

    with pytest.raises(InvalidToken, match="revoked"):
        own.verify(of_key["1"])
    own.verify(of_key["2"])
    own.verify(token())


def test_revocations_are_kept_while_auth_is_away() -> None:
    auth = Auth(public(KEY))
    own, now = verifier(auth), int(time.time())
    auth.revoked = {"me@example.com": now}
    own.refresh()
    auth.away = True

    own.refresh()

    with pytest.raises(InvalidToken, match="revoked"):
        own.verify(token(iat=now - 1))


def test_a_remembered_token_expires_and_loses_its_key_as_any_other() -> None:
    auth = Auth(public(KEY))
    own = verifier(auth)
    kept, ended = token(), token(exp=int(time.time()) - identity.LEEWAY_SECONDS + 1)

    assert {own.verify(kept).token_id, own.verify(ended).token_id, own.verify(kept).token_id} == {"j"}
    deadline = time.monotonic() + 60
    while ended in own._verified and own._verified[ended].until >= time.time():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(InvalidToken, match="expired"):
        own.verify(ended)
    with pytest.raises(InvalidToken):
        own.verify(kept[:-2])
    auth.keys = [public(OTHER, "k2")]
    own.refresh()
    with pytest.raises(InvalidToken, match="unknown key id"):
        own.verify(kept)


def test_no_more_than_so_many_tokens_are_remembered() -> None:
    own = verifier(Auth(public(KEY)))
    own.verify(token(jti="first"))
    [first] = own._verified.values()
    own._verified.update({str(number): first for number in range(identity.MAX_VERIFIED)})

    own.verify(token(jti="next"))

    assert [kept.identity.token_id for kept in own._verified.values()] == ["next"]


def test_tokens_are_verified_while_auth_is_away() -> None:
    auth = Auth(public(KEY))
    own = verifier(auth)
    own.refresh()

    auth.away = True
    own.refresh()

    assert own.verify(token()).username == "me@example.com"
    own.check()


def test_without_any_key_nothing_can_be_said() -> None:
    auth = Auth(public(KEY))
    auth.away = True
    own = verifier(auth)

    with pytest.raises(KeysUnavailable):
        own.verify(token())
    with pytest.raises(KeysUnavailable):
        own.check()
    auth.away = False
    own.check()
    assert own.verify(token()).username == "me@example.com"


@pytest.mark.parametrize("keys", [[], [{"kty": "nonsense"}], [{**public(KEY), "alg": "RS256"}]])
def test_a_key_set_without_a_key_of_ours_is_no_key_set(keys: list[dict[str, Any]]) -> None:
    with pytest.raises((KeysUnavailable, InvalidToken)):
        verifier(Auth(*keys)).verify(token())


def test_keys_are_kept_fresh_by_a_thread_of_their_own() -> None:
    asked = threading.Event()

    def fetch() -> Mapping[str, Any]:
        asked.set()
        return {"keys": [public(KEY)]}

    Verifier(fetch, Revocations, issuer="us", audience="them").keep_fresh()

    assert asked.wait(60)
