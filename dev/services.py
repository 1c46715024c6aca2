"""How each service is started on the native stack: as its Dockerfile says, with settings from files."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from dev.program import Program, nothing
from dev.servers import environment

CLONE = Path(__file__).resolve().parent.parent
BIN = Path(sys.prefix) / "bin"
FIRST_ADMIN = "admin@example.com"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the services find each other, their servers and their secrets."""

    folder: Path
    secrets: Path
    gateway_port: int
    auth_port: int
    mail_port: int
    admin_ports: Mapping[str, int]
    settings: Mapping[str, str]
    """Settings that every service is given besides, over the ones here."""


def services(around: Surroundings) -> list[Program]:
    """Return every process of ours; the migration runs to its end."""
    files = around.secrets
    store = {"MONGODB_URL_FILE": f"{files}/mongodb_url", "RABBITMQ_URL_FILE": f"{files}/rabbitmq_url"}
    database = {"DATABASE_URL_FILE": f"{files}/database_url"}
    admin = {"FIRST_ADMIN": FIRST_ADMIN, "FIRST_ADMIN_PASSWORD_FILE": f"{files}/first_admin_password"}
    auth = {"SIGNING_KEYS_DIR": f"{files}/signing-keys", "PORT": str(around.auth_port)}
    gateway = {"AUTH_URL": f"http://127.0.0.1:{around.auth_port}", "PORT": str(around.gateway_port)}
    scratch = around.folder / "converter" / "scratch"
    mail = {
        "SMTP_URL": f"smtp://127.0.0.1:{around.mail_port}",
        "MAIL_FROM": "mp3@example.com",
        "PUBLIC_URL": f"http://localhost:{around.gateway_port}",
    }
    return [
        _service(around, "auth-migrate", [str(BIN / "python"), "-m", "auth.migrate"], {**database, **admin}),
        _service(around, "auth", image_command("auth"), {**database, **auth}),
        _service(around, "gateway", image_command("gateway"), {**store, **gateway}),
        _service(around, "reconciler", [str(BIN / "python"), "-m", "gateway.reconciler"], store),
        _service(
            around, "converter", image_command("converter"), {**store, "SCRATCH_DIR": str(scratch)}, scratch
        ),
        _service(around, "notification", image_command("notification"), {**store, **mail}),
    ]


def image_command(service: str) -> list[str]:
    """Return the command of a service's image, with the program from this environment."""
    dockerfile = (CLONE / service / "Dockerfile").read_text()
    [command] = [line.removeprefix("CMD ") for line in dockerfile.splitlines() if line.startswith("CMD ")]
    program, *arguments = json.loads(command)
    return [str(BIN / program), *arguments]


def _service(
    around: Surroundings,
    name: str,
    command: list[str],
    settings: Mapping[str, str],
    scratch: Path | None = None,
) -> Program:
    folder = around.folder / name
    port = around.admin_ports.get(name)
    return Program(
        name=name,
        command=tuple(command),
        environment={
            **environment(folder, BIN),
            "PYTHONPATH": str(CLONE),
            "HOST": "127.0.0.1",
            "ADMIN_HOST": "127.0.0.1",
            **({} if port is None else {"ADMIN_PORT": str(port)}),
            **settings,
            **around.settings,
        },
        folder=folder,
        ports=tuple(int(number) for number in (settings.get("PORT"), port) if number is not None),
        ready=partial(_says_ready, port),
        prepare=nothing if scratch is None else partial(scratch.mkdir, parents=True, exist_ok=True),
        once=port is None,
    )


def _says_ready(port: int | None) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3) as answer:  # always http  # nosec B310
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, HTTPException):  # also what dies in the middle of its answer
        return False
