"""Rotate the signing keys: `python -m auth.keys add|list|remove`.

Add a key; auth reads it without a restart, publishes it, and signs with it 90 s later.  Remove the
old one when its last token has expired.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auth import keyring
from auth.keyring import PUBLISHED_FIRST_SECONDS, InvalidKeys, SigningKey
from auth.settings import KeySettings
from chassis.settings import InvalidSettings

NAME = "%Y%m%dT%H%M%S%f"


class StillNeeded(Exception):
    """Tokens of this key are in use, or it is the one that signs."""


def add(folder: Path) -> SigningKey:
    """Put a new key into the folder, after all others by name.

    Raises:
        InvalidKeys: the folder holds something else than keys, or cannot be written.
    """
    files = sorted(folder.glob("*.pem"), key=lambda file: file.stem)
    keys = keyring.read(folder) if files else []
    stem = datetime.now(UTC).strftime(NAME)
    if keys and keys[-1].file.stem >= stem:
        raise InvalidKeys(f"{keys[-1].file} comes after {stem}.pem by name: rename it first")
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    unfinished = folder / f"{stem}.unfinished"
    try:
        # Who may read the last key may read this one.
        unfinished.touch(mode=keys[-1].file.stat().st_mode & 0o777 if keys else 0o600)
        unfinished.write_bytes(pem)
        return keyring.load(unfinished.replace(folder / f"{stem}.pem"))
    except OSError as error:
        raise InvalidKeys(f"no key can be put into {folder}: {error}") from None


def remove(folder: Path, name: str, lifetime: timedelta, *, now: bool) -> None:
    """Take a key out of the folder; `now` does so while its tokens may still be in use.

    Raises:
        InvalidKeys: there is no such key.
        StillNeeded: it signs, or did so less than a token's lifetime ago.
    """
    keys = keyring.read(folder)
    key = _find(keys, name)
    later = keys[keys.index(key) + 1 :]
    if not later:
        raise StillNeeded(f"{name} is the last key: add another one first")
    free_at = later[0].since + PUBLISHED_FIRST_SECONDS + lifetime.total_seconds()
    if not now and time.time() < free_at:
        at = datetime.fromtimestamp(free_at, UTC).isoformat(timespec="seconds")
        raise StillNeeded(f"tokens of {name} may be in use until {at}: wait, or give --now to refuse them")
    key.file.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; return the process's exit status."""
    asked = _parser().parse_args(arguments)
    try:
        _run(asked, KeySettings.read())
    except InvalidSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (InvalidKeys, StillNeeded) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(asked: argparse.Namespace, settings: KeySettings) -> None:
    folder = settings.signing_keys_dir
    if asked.command == "add":
        key = add(folder)
        sys.stdout.write(f"{key.id}\t{key.file.name}\n")
    elif asked.command == "remove":
        remove(folder, asked.file, settings.token_lifetime, now=asked.now)
    else:
        signing = keyring.Keyring(folder).signing()
        for key in keyring.read(folder):
            since = datetime.fromtimestamp(key.since, UTC).isoformat(timespec="seconds")
            role = "signs" if key.id == signing.id else "published"
            sys.stdout.write(f"{key.id}\t{key.file.name}\t{since}\t{role}\n")


def _find(keys: Sequence[SigningKey], name: str) -> SigningKey:
    for key in keys:
        if key.file.name == name:
            return key
    raise InvalidKeys(f"there is no key {name}: python -m auth.keys list shows all keys")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth.keys", description="Rotate the signing keys.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add", help="create a key; it starts to sign after 90 s")
    commands.add_parser("list", help="print all keys: id, file, time, and whether it signs")
    command = commands.add_parser("remove", help="delete a key whose tokens have expired")
    command.add_argument("file", help="its name, as list prints it")
    command.add_argument(
        "--now", action="store_true", help="delete it immediately; its tokens are then refused"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
