"""A service under gunicorn that is told to stop while its worker is made."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

SECONDS = 60.0
SLOW_TO_FORK = """
import pathlib, time
from {service}.server import *
def post_fork(server, worker):
    pathlib.Path("forked").touch()
    time.sleep(1)
"""


def status_after_a_signal(service: str, environment: Mapping[str, str], folder: Path) -> int:
    """Start a service, send SIGTERM before its worker handles signals, and return its exit status."""
    slow, forked = folder / "slow.py", folder / "forked"
    slow.write_text(SLOW_TO_FORK.format(service=service))
    gunicorn = Path(sys.executable).with_name("gunicorn")
    process = subprocess.Popen(
        [gunicorn, "--config", slow, f"{service}.app:create_app()"],
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + SECONDS
        while not forked.exists():
            assert time.monotonic() < deadline, "no worker was made"
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        return process.wait(SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
