"""A folder with signing keys."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

WriteKey = Callable[..., Path]


@pytest.fixture
def write_key(tmp_path: Path) -> WriteKey:
    """Write a private key into the test's folder, made so many seconds ago."""

    def write(name: str, *, age: float = 1000, curve: ec.EllipticCurve | None = None) -> Path:
        private = ec.generate_private_key(curve or ec.SECP256R1())
        file = tmp_path / name
        file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        os.utime(file, (time.time() - age,) * 2)
        return file

    return write
