"""Secrets that are made when they are first needed, and kept in files that only their owner reads."""

import secrets
import subprocess
from pathlib import Path


def keep(file: Path, value: str = "") -> str:
    """Return what a secret's file holds; where there is none it is made, of `value` or at random."""
    if not file.exists():
        _write(file, value or secrets.token_hex(24))
    return file.read_text().strip()


def keep_signing_key(folder: Path) -> None:
    """Have a key in `folder` that auth can sign tokens with: EC P-256, PEM."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(folder.glob("*.pem")):
        command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        key = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - constant
        _write(folder / "1.pem", key)


def keep_all(folder: Path) -> None:
    """Have every secret of a suite whose servers are found by their names, as in containers."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = ("mysql_password", "mongodb_password", "rabbitmq_password")
    mysql, mongodb, rabbitmq = (keep(folder / name) for name in names)
    keep(folder / "mysql_root_password")
    keep(folder / "first_admin_password")
    keep(folder / "database_url", f"mysql://auth:{mysql}@mysql:3306/auth")
    keep(folder / "mongodb_url", f"mongodb://root:{mongodb}@mongodb:27017/")
    keep(folder / "rabbitmq_url", f"amqp://app:{rabbitmq}@rabbitmq:5672/")
    keep(folder / "rabbitmq_user", f"default_user = app\ndefault_pass = {rabbitmq}")
    keep(folder / "smtp_url", "smtp://mailpit:1025")
    keep_signing_key(folder / "signing-keys")


def _write(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(f"{text.strip()}\n")
