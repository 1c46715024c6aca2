"""The words of the Makefile: `python -m dev up|status|logs|users|doctor|down|clean|demo`.

The environment variable ENGINE says how the suite is to run, `native` or `docker`; words about a suite
that is up find out by themselves how it was started.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dev import containers
from dev.demo import CLIP, USER, Demo, Suite
from dev.errors import CannotRun
from dev.services import FIRST_ADMIN
from dev.stack import FOLDER, LAST_BASE, RANGE, Stack

OTHER = {"native": "docker", "docker": "native"}
UNPRIVILEGED = 1024
"""The first port that anybody may listen on."""


def up() -> int:
    """Start the suite and print its addresses."""
    _start()
    return status()


def demo() -> int:
    """Start the suite and convert FILE, or the bundled clip, through its door."""
    video = Path(os.environ.get("FILE") or CLIP).expanduser()
    if not video.is_file():
        raise CannotRun(f"there is no file {video}: choose a video with make demo FILE=talk.mp4")
    Demo(_start()).run(video)
    return 0


def status() -> int:
    """Print what runs; return 0 when all is well."""
    stack = Stack()
    states = stack.states()
    if states is None and containers.ENVIRONMENT.exists():
        return containers.status()
    if states is None:
        print("the suite is not running: make up, or make demo")  # noqa: T201 - the answer to the operator
        return 1
    for program in stack.programs:
        state = states.get(program.name, "MISSING")
        ready = state == "DONE" if program.once else program.ready()
        ports = ", ".join(str(port) for port in program.ports)
        print(f"{program.name:14} {'ready' if ready else state.lower():10} {ports}")  # noqa: T201 - likewise
    secrets = stack.secrets
    print(f"\ngateway        {stack.gateway_url}, API at {stack.gateway_url}/docs")  # noqa: T201 - likewise
    print(f"mails          {FOLDER / 'mail' / 'mails' / 'new'}")  # noqa: T201 - likewise
    print(f"admin          {FIRST_ADMIN}, password in {secrets / 'first_admin_password'}")  # noqa: T201 - likewise
    if (demo := secrets / "demo_password").exists():
        print(f"user           {USER}, password in {demo}")  # noqa: T201 - likewise
    return 0


def logs() -> int:
    """Follow the logs until interrupted."""
    if Stack().states() is None and containers.ENVIRONMENT.exists():
        return containers.logs()
    files = sorted((FOLDER / "logs").glob("*.log"))
    if not files:
        raise CannotRun("there are no logs yet: make up")
    return subprocess.run(["tail", "-n", "20", "-F", *files], check=False).returncode  # noqa: S603, S607 - tail


def users() -> int:
    """Run auth's operators' tool with the rest of the command line."""
    return _tool("auth.users")


def doctor() -> int:
    """Check every server that the suite needs; return 0 when all is well."""
    return _tool("gateway.doctor")


def _tool(module: str) -> int:
    stack = Stack()
    if stack.states() is not None:
        return stack.tool(module, *sys.argv[2:]).returncode
    if containers.ENVIRONMENT.exists():
        return containers.tool(module, *sys.argv[2:])
    raise CannotRun("the suite is not running: make up, or make demo")


def down() -> int:
    """End the suite, however it was started; what was stored stays."""
    Stack().down()
    return containers.down()


def clean() -> int:
    """End the suite and remove all that it stored."""
    Stack().clean()
    return containers.clean()


def _start() -> Suite:
    engine = os.environ.get("ENGINE", "")
    if engine not in OTHER:
        raise CannotRun(f"ENGINE={engine} is neither native nor docker")
    stack = Stack()
    base = _port_base()
    is_up = engine == "native" and stack.states() is not None
    doing = "the suite is running" if is_up else "starting the suite"
    print(f"{doing} ({engine}); ENGINE={OTHER[engine]} selects the other engine", flush=True)  # noqa: T201 - likewise
    if engine == "docker":
        containers.up()
        return containers.Suite()
    stack.up(base)
    return stack


def _port_base() -> int | None:
    given = os.environ.get("PORT_BASE", "")
    if given and not (given.isdecimal() and UNPRIVILEGED <= int(given) <= LAST_BASE):
        raise CannotRun(
            f"PORT_BASE={given} is not allowed: use {UNPRIVILEGED} to {LAST_BASE}, the first of {RANGE} ports"
        )
    return int(given) if given else None


WORDS: dict[str, Callable[[], int]] = {
    "up": up, "status": status, "logs": logs, "users": users, "doctor": doctor,
    "down": down, "clean": clean, "demo": demo,
}  # fmt: skip


def main() -> int:
    """Do what the first argument says; return the process's exit status."""
    try:
        return WORDS[sys.argv[1]]()
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:  # a folder that may not be written to, a full disk
        sys.stderr.write(f"{error.filename or 'the machine'}: {error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
