"""The keys that tokens are signed with: a folder of PEM files, read again whenever it changes.

Every key in the folder is published, the last by name signs.  A new one is published for a while
before it signs, so that whoever verifies tokens has it by then: no token is refused on the way.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

from chassis import logs
from chassis.identity import ALGORITHM

PUBLISHED_FIRST_SECONDS = 90
"""How long a key is published before it signs: the gateway fetches keys every 30 s."""

log = logs.get(__name__)


class InvalidKeys(Exception):
    """The folder holds no key, or something that is not a private key on P-256."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the id under which its public half is published."""

    id: str
    private: EllipticCurvePrivateKey
    jwk: Mapping[str, str]
    file: Path
    since: float
    """When the file was written (epoch seconds)."""


class Keyring:
    """The keys of a folder."""

    def __init__(self, folder: Path) -> None:
        """Read the folder.

        Raises:
            InvalidKeys: saying which file is wrong and how to make a right one.
        """
        self._folder = folder
        self._reading = threading.Lock()
        self._seen = _listing(folder)
        self._keys = read(folder)

    def signing(self) -> SigningKey:
        """Return the last key that is published for long enough; the first when none is."""
        keys = self._current()
        published = [key for key in keys if key.since <= time.time() - PUBLISHED_FIRST_SECONDS]
        return published[-1] if published else keys[0]

    def jwks(self) -> dict[str, Any]:
        """Return the public halves (RFC 7517)."""
        return {"keys": [dict(key.jwk) for key in self._current()]}

    def _current(self) -> list[SigningKey]:
        with self._reading:
            listing = _listing(self._folder)
            if listing != self._seen:
                self._seen = listing
                try:
                    self._keys = read(self._folder)
                except InvalidKeys as error:
                    log.error(
                        "the keys were changed to what cannot be used; the last ones are kept",
                        reason=str(error),
                    )
            return self._keys


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pem"), key=lambda file: file.stem)


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Return what tells that the folder changed: names, times and sizes."""
    try:
        stats = [(file.name, file.stat()) for file in _files(folder)]
    except OSError:
        return []
    return [(name, stat.st_mtime_ns, stat.st_size) for name, stat in stats]


def read(folder: Path) -> list[SigningKey]:
    """Return the keys of a folder, the last by name at the end.

    Raises:
        InvalidKeys: there is none, or one that cannot be used.
    """
    keys = [load(file) for file in _files(folder)]
    if not keys:
        raise InvalidKeys(
            f"SIGNING_KEYS_DIR: there is no *.pem file in {folder}: make one with python -m auth.keys add"
        )
    return keys


def load(file: Path) -> SigningKey:
    """Return the key in a PEM file.

    Raises:
        InvalidKeys: it cannot be read, or is not a private key on P-256.
    """
    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
        since = file.stat().st_mtime
    except (OSError, ValueError, TypeError) as error:
        raise InvalidKeys(f"SIGNING_KEYS_DIR: {file} cannot be read as a PEM private key: {error}") from None
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise InvalidKeys(f"SIGNING_KEYS_DIR: {file} is no private key on the curve P-256")
    public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    key_id = thumbprint(public)
    jwk = {**public, "kid": key_id, "use": "sig", "alg": ALGORITHM}
    return SigningKey(key_id, private, jwk, file, since)


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the id of an elliptic-curve key (RFC 7638)."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
