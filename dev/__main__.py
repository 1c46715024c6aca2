"""The words of the Makefile: `python -m dev up|status|logs|down|clean|demo`.

The environment variable ENGINE says how the suite is to run, `native` or `docker`; words about a suite
that is up find out by themselves how it was started.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dev import containers
from dev.demo import CLIP, Demo, Suite
from dev.errors import CannotRun
from dev.stack import FOLDER, LAST_BASE, RANGE, Stack

OTHER = {"native": "docker", "docker": "native"}
UNPRIVILEGED = 1024
"""The first port that anybody may listen on."""


def up() -> int:
    """Start the suite, and say where it is."""
    _start()
    return status()


def demo() -> int:
    """Start the suite and convert FILE, or the bundled clip, through its door."""
    Demo(_start()).run(Path(os.environ.get("FILE") or CLIP))
    return 0


def status() -> int:
    """Print what runs; return 0 when all is well."""
    stack = Stack()
    states = stack.states()
    if states is None and containers.ENVIRONMENT.exists():
        return containers.status()
    if states is None:
        print("nothing is up: make up, or make demo")  # noqa: T201 - the answer to the operator
        return 1
    for program in stack.programs:
        state = states.get(program.name, "MISSING")
        ready = state == "DONE" if program.once else program.ready()
        ports = ", ".join(str(port) for port in program.ports)
        print(f"{program.name:14} {'ready' if ready else state.lower():10} {ports}")  # noqa: T201 - likewise
    print(f"gateway        {stack.gateway_url}")  # noqa: T201 - likewise
    print(f"mails          {FOLDER / 'mail' / 'mails' / 'new'}")  # noqa: T201 - likewise
    return 0


def logs() -> int:
    """Follow the logs until interrupted."""
    if Stack().states() is None and containers.ENVIRONMENT.exists():
        return containers.logs()
    files = sorted((FOLDER / "logs").glob("*.log"))
    if not files:
        raise CannotRun("there are no logs: make up")
    return subprocess.run(["tail", "-n", "20", "-F", *files], check=False).returncode  # noqa: S603, S607 - tail


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
    print(f"starting the suite ({engine}); ENGINE={OTHER[engine]} chooses the other way", flush=True)  # noqa: T201 - likewise
    if engine == "docker":
        containers.up()
        return containers.Suite()
    stack = Stack()
    stack.up(_port_base())
    return stack


def _port_base() -> int | None:
    given = os.environ.get("PORT_BASE", "")
    if given and not (given.isdecimal() and UNPRIVILEGED <= int(given) <= LAST_BASE):
        raise CannotRun(
            f"PORT_BASE={given} cannot be: it is the first of {RANGE} ports, {UNPRIVILEGED} to {LAST_BASE}"
        )
    return int(given) if given else None


WORDS: dict[str, Callable[[], int]] = {
    "up": up, "status": status, "logs": logs, "down": down, "clean": clean, "demo": demo
}  # fmt: skip


def main() -> int:
    """Do what the one argument says; return the process's exit status."""
    try:
        return WORDS[sys.argv[1]]()
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
