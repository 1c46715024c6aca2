"""The folder of signing keys: what is published, and which one signs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from auth.keyring import InvalidKeys, Keyring, load, thumbprint


def test_the_id_of_a_key_is_its_thumbprint() -> None:
    # The key is RFC 7517's, appendix A.1.
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "use": "enc",
    }

    assert thumbprint(jwk) == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


def test_every_key_is_published_and_nothing_private_is(
    write_key: Callable[..., Path], tmp_path: Path
) -> None:
    write_key("1.pem")
    write_key("2.pem")

    keys = Keyring(tmp_path).jwks()["keys"]

    assert len({key["kid"] for key in keys}) == 2
    assert all(key["alg"] == "ES256" and key["use"] == "sig" and key["crv"] == "P-256" for key in keys)
    assert not any("d" in key for key in json.loads(json.dumps(keys)))


def test_the_last_key_by_name_signs(write_key: Callable[..., Path], tmp_path: Path) -> None:
    last = write_key("2.pem")
    write_key("1.pem")

    assert Keyring(tmp_path).signing().id == load(last).id


def test_a_new_key_is_published_before_it_signs(write_key: Callable[..., Path], tmp_path: Path) -> None:
    old = write_key("1.pem")
    keyring = Keyring(tmp_path)

    new = write_key("2.pem", age=0)

    assert keyring.signing().id == load(old).id
    assert load(new).id in {key["kid"] for key in keyring.jwks()["keys"]}


def test_where_every_key_is_new_the_first_signs(write_key: Callable[..., Path], tmp_path: Path) -> None:
    first = write_key("1.pem", age=0)
    write_key("2.pem", age=0)

    assert Keyring(tmp_path).signing().id == load(first).id


def test_a_key_that_was_taken_away_is_published_no_more(
    write_key: Callable[..., Path], tmp_path: Path
) -> None:
    old = write_key("1.pem")
    new = write_key("2.pem")
    keyring = Keyring(tmp_path)

    old.unlink()

    assert [key["kid"] for key in keyring.jwks()["keys"]] == [load(new).id]


def test_a_folder_that_became_useless_leaves_the_keys_as_they_were(
    write_key: Callable[..., Path], tmp_path: Path
) -> None:
    key = load(write_key("1.pem"))
    keyring = Keyring(tmp_path)

    (tmp_path / "2.pem").write_text("half a ke")

    assert keyring.signing().id == key.id


def test_no_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidKeys, match=r"no \*\.pem file"):
        Keyring(tmp_path)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"secret",
        pem(rsa.generate_private_key(65537, 2048)),
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["empty", "no key", "RSA", "public"],
)
def test_what_is_no_private_key_on_p256_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "1.pem").write_bytes(content)

    with pytest.raises(InvalidKeys, match=r"1\.pem"):
        Keyring(tmp_path)


def test_a_key_on_another_curve_is_refused(write_key: Callable[..., Path], tmp_path: Path) -> None:
    write_key("1.pem", curve=ec.SECP384R1())

    with pytest.raises(InvalidKeys, match="P-256"):
        Keyring(tmp_path)


def test_a_file_that_leads_nowhere_leaves_the_keys_as_they_were(
    write_key: Callable[..., Path], tmp_path: Path
) -> None:
    key = load(write_key("1.pem"))
    keyring = Keyring(tmp_path)

    (tmp_path / "2.pem").symlink_to(tmp_path / "nowhere")

    assert keyring.signing().id == key.id
