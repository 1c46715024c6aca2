"""The suite in containers.

What `docker-compose.yml` wants to find is made once: secrets under `.secrets/`, and in `.env` the
names by which clones on one machine differ (project and ports).  Everything else is Compose's.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dev import mailpit
from dev.demo import USER
from dev.errors import CannotRun
from dev.ports import is_free
from dev.secret_files import keep_all
from dev.services import FIRST_ADMIN
from dev.waiting import READY_SECONDS, WORD_SECONDS, until_ready

CLONE = Path(__file__).resolve().parent.parent
SECRETS = CLONE / ".secrets"
ENVIRONMENT = CLONE / ".env"
FIRST_PORTS = {"GATEWAY_PORT": 8080, "MAIL_PORT": 8025}


def usable() -> bool:
    """Whether a container engine answers and knows Compose."""
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "version"], ["docker", "compose", "version"])
    return all(_answers(command) for command in asked)


def up() -> None:
    """Build what changed, start everything, and return when every process is ready.

    Raises:
        CannotRun: something does not start; its last words are on the terminal.
    """
    prepare()
    if _compose("up", "--build", "--detach", "--remove-orphans") != 0:
        raise CannotRun("docker compose up failed; its own words are above, and make logs has more")
    wait_until_ready(states)


def wait_until_ready(
    look: Callable[[], dict[str, str]], seconds: float = READY_SECONDS, word_seconds: float = WORD_SECONDS
) -> None:
    """Return when every container is; say now and then which are not, and what they are instead.

    Raises:
        CannotRun: some are not after `seconds`.
    """

    def missing() -> list[str]:
        return [f"{name} is {state}" for name, state in look().items() if not _settled(state)]

    until_ready(missing, seconds, word_seconds, pause=0.5)


def prepare() -> None:
    """Make secrets and ports where there are none yet.

    Raises:
        CannotRun: the engine does not answer, or a port is taken.
    """
    if not usable():
        raise CannotRun("no container engine with Compose answers: start Docker, or use ENGINE=native")
    make_secrets(SECRETS)
    (CLONE / "dev" / "rabbitmq.conf").chmod(0o644)  # the broker in the container is another user
    if not ENVIRONMENT.exists():
        project = f"video-to-mp3-{hashlib.sha256(str(CLONE).encode()).hexdigest()[:8]}"
        lines = [f"COMPOSE_PROJECT_NAME={project}"]
        lines += [f"{name}={_free_port(first)}" for name, first in FIRST_PORTS.items()]
        ENVIRONMENT.write_text("\n".join(lines) + "\n")
    elif not states():
        for name in FIRST_PORTS:
            if not is_free(port(name)):
                raise CannotRun(f"port {port(name)} is taken: free it, or change {name} in .env")


def states() -> dict[str, str]:
    """Return the state of each container by its name, such as `running (healthy)` or `exited (0)`."""
    listed = _read("ps", "--all", "--format", "json")
    # Compose 2.21 turned one list into one object a line.
    containers: list[dict[str, Any]] = (
        json.loads(listed) if listed.startswith("[") else [json.loads(line) for line in listed.splitlines()]
    )
    return {c["Name"]: f"{c['State']} ({c['Health'] or c['ExitCode']})" for c in containers}


def port(name: str) -> int:
    """Return a published port by its name in `.env`."""
    lines = dict(line.split("=", 1) for line in ENVIRONMENT.read_text().splitlines() if "=" in line)
    return int(lines.get(name, FIRST_PORTS[name]))


def status() -> int:
    """Print what runs and where it is reached; return 0 when all is well.

    Raises:
        CannotRun: nothing runs.
    """
    found = states().values()
    if not found:
        raise CannotRun("the suite is not running: make up, or make demo")
    sys.stdout.write(_read("ps", "--all", "--format", "table {{.Service}}\t{{.Status}}\t{{.Ports}}") + "\n")
    sys.stdout.write(f"\ngateway: http://localhost:{port('GATEWAY_PORT')}\n")
    sys.stdout.write(f"mails:   http://localhost:{port('MAIL_PORT')}\n")
    sys.stdout.write(f"admin:   {FIRST_ADMIN}, password in {SECRETS / 'first_admin_password'}\n")
    if (demo := SECRETS / "demo_password").exists():
        sys.stdout.write(f"user:    {USER}, password in {demo}\n")
    return 0 if all(map(_settled, found)) else 1


def users(*arguments: str, password: str = "") -> None:
    """Run auth's operators' tool, with a password on its standard input.

    Raises:
        CannotRun: the tool refused; the message has its words.
    """
    command = ["docker", "compose", "exec", "-T", "auth", "python", "-m", "auth.users", *arguments]
    done = subprocess.run(command, cwd=CLONE, input=password, capture_output=True, text=True, check=False)  # noqa: S603 - built above
    if done.returncode != 0:
        raise CannotRun(done.stderr.strip() or done.stdout.strip())


def tool(module: str, *arguments: str) -> int:
    """Run an operators' tool in the container that it belongs to, on this terminal."""
    terminal = () if sys.stdin.isatty() else ("-T",)
    return _compose("exec", *terminal, module.partition(".")[0], "python", "-m", module, *arguments)


def logs() -> int:
    """Follow the logs until interrupted."""
    return _compose("logs", "--follow", "--tail", "50")


def down() -> int:
    """Remove containers and networks; what was stored stays."""
    return _compose("down", "--remove-orphans") if ENVIRONMENT.exists() else 0


def clean() -> int:
    """Remove containers, volumes, images, secrets and ports."""
    code = _compose("down", "--volumes", "--remove-orphans", "--rmi", "local") if ENVIRONMENT.exists() else 0
    if code == 0:
        shutil.rmtree(SECRETS, ignore_errors=True)
        ENVIRONMENT.unlink(missing_ok=True)
    return code


def make_secrets(folder: Path) -> None:
    """Fill `folder` with what is missing: its owner alone enters it, any container's user reads the files."""
    keep_all(folder)
    for file in folder.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)


def _free_port(first: int) -> int:
    return next(number for number in range(first, first + 1000) if is_free(number))


def _settled(state: str) -> bool:
    return state in ("running (healthy)", "exited (0)")


def _answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0  # noqa: S603 - constants
    except subprocess.TimeoutExpired:
        return False


def _compose(*arguments: str) -> int:
    return subprocess.run(["docker", "compose", *arguments], cwd=CLONE, check=False).returncode  # noqa: S603, S607 - constants


def _read(*arguments: str) -> str:
    command = ["docker", "compose", *arguments]
    done = subprocess.run(command, cwd=CLONE, capture_output=True, text=True, check=False)  # noqa: S603 - constants
    if done.returncode != 0:
        raise CannotRun(f"docker compose {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


class Suite:
    """The running containers as the demo uses them."""

    secrets = SECRETS

    @property
    def gateway_url(self) -> str:
        """Where the gateway is reached."""
        return f"http://localhost:{port('GATEWAY_PORT')}"

    def users(self, *arguments: str, password: str = "") -> None:
        """Run auth's operators' tool, with a password on its standard input."""
        users(*arguments, password=password)

    def mails(self, to: str) -> list[str]:
        """Return the text of each mail to one address, the oldest first."""
        return mailpit.mails(f"http://localhost:{port('MAIL_PORT')}", to)
