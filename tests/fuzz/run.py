"""Run schemathesis against a suite: every check, every phase, as two users and an administrator.

`python -m tests.fuzz.run [--seconds 600] [--seed N]` starts a suite of its own, and ends it.
"""

import argparse
import base64
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.stack import Stack
from tests.fuzz.hooks import PASSWORD, USERS

FOLDER = Path(__file__).parent
CLONE = FOLDER.parents[1]
SETTINGS = {
    "LOGINS_PER_MINUTE": "1000000",
    "FAILURES_PER_ADDRESS": "1000000",
    "FAILURES_PER_ACCOUNT": "1000000",
}
"""A fuzzer guesses more passwords than a person mistypes."""


def fuzz(stack: Stack, folder: Path, seconds: int, seed: int) -> "subprocess.CompletedProcess[str]":
    """Let schemathesis try the API for about so long; its report is the standard output."""
    for name in USERS:
        stack.users("add", name, *(["--admin"] if name.startswith("boss") else []), password=PASSWORD)
    users = folder / "users.json"
    users.write_text(json.dumps({"auth": [_user(name) for name in USERS]}))
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", FOLDER / "schemathesis.toml"]
    command += ["run", f"{stack.gateway_url}/openapi.json", "--checks", "all", "--max-time", str(seconds)]
    command += ["--seed", str(seed), "--no-color"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(CLONE),
        "FUZZ_USERS": str(users),
        "HOME": str(folder),
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds * 2 + 120,
        check=False,
    )


def _user(name: str) -> dict[str, object]:
    credentials = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
    return {
        "name": name.partition("@")[0],
        "fixedHeaders": [{"name": "Authorization", "value": f"Basic {credentials}"}],
    }


def main() -> int:
    """Start a suite, fuzz it, end it; return the exit status of schemathesis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "stack", SETTINGS)
        stack.up()
        try:
            done = fuzz(stack, Path(folder), arguments.seconds, arguments.seed)
        finally:
            stack.down()
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
