"""Run schemathesis against a suite: every check, every phase, as two users and an administrator.

Then broken bytes (`tests.fuzz.raw`) for a third of that time.

`python -m tests.fuzz.run [--seconds 600] [--seed N]` starts a suite of its own, and ends it.
"""

import argparse
import base64
import json
import random
import subprocess
import sys
import tempfile
import time
from itertools import takewhile
from pathlib import Path

import httpx

from dev.stack import Stack
from tests.fuzz import raw
from tests.fuzz.hooks import PASSWORD, USERS

FOLDER = Path(__file__).parent
CLONE = FOLDER.parents[1]
SETTINGS = {
    "LOGINS_PER_MINUTE": "1000000",
    "FAILURES_PER_ADDRESS": "1000000",
    "FAILURES_PER_ACCOUNT": "1000000",
}
"""A fuzzer guesses more passwords than a person mistypes."""


def fuzz(stack: Stack, folder: Path, seed: int, *budget: str) -> "subprocess.CompletedProcess[str]":
    """Let schemathesis try the API until its budget is spent; its report is the standard output.

    The budget is `--max-time` in seconds, or `--max-examples` of each operation, which makes the same run on
    every machine.
    """
    for name in USERS:
        stack.users("add", name, *(["--admin"] if name.startswith("boss") else []), password=PASSWORD)
    users = folder / "users.json"
    users.write_text(json.dumps({"auth": [_user(name) for name in USERS]}))
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", FOLDER / "schemathesis.toml"]
    command += ["run", f"{stack.gateway_url}/openapi.json", "--checks", "all", *budget]
    command += ["--seed", str(seed), "--no-color"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(CLONE),
        "FUZZ_USERS": str(users),
        "HOME": str(folder),
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def fuzz_bytes(stack: Stack, seconds: float, seed: int) -> list[str]:
    """Send broken bytes to the gateway for so long; return what is wrong with it, a line each."""
    tokens = [
        httpx.post(f"{stack.gateway_url}/login", auth=(name, PASSWORD)).raise_for_status().text
        for name in USERS
    ]
    until, port = time.monotonic() + seconds, httpx.URL(stack.gateway_url).port or 80
    requests = takewhile(lambda _: time.monotonic() < until, raw.Requests(seed, tokens))
    found = [str(finding) for finding in raw.fuzz(port, requests)]
    logs = [log for log in sorted(stack.folder.rglob("*.log")) if b"Traceback" in log.read_bytes()]
    return [*found, *(f"a traceback in {log.name}" for log in logs)]


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
            done = fuzz(stack, Path(folder), arguments.seed, "--max-time", str(arguments.seconds))
            sys.stdout.write(done.stdout + done.stderr)
            found = fuzz_bytes(stack, arguments.seconds / 3, arguments.seed)
        finally:
            stack.down()
    sys.stdout.writelines(f"{line}\n" for line in found)
    return done.returncode or bool(found)


if __name__ == "__main__":
    sys.exit(main())
