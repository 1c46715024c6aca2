"""How soon a gateway answers after its start, and what importing it costs.

`python -m benchmarks.coldstart [--rounds 5]` starts gateways without any server behind them, and prints
medians: seconds from exec to the first answer, and CPU seconds of the import beyond a bare interpreter's.
The Python packages are those of the gateway's image: `make unit-gateway` installs them.
"""

import argparse
import os
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from dev.ports import free_ports

CLONE = Path(__file__).resolve().parent.parent
PYTHON = CLONE / ".tools/unit/gateway/bin/python"
NOBODY = "127.0.0.1:1"
SECONDS = 60.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each (default 5)")
    rounds = range(parser.parse_args().rounds)
    answers = [first_answer() for _ in rounds]
    pairs = [(cpu("pass"), cpu("import gateway.server, gateway.app")) for _ in rounds]
    imports = [whole - bare for bare, whole in pairs]
    print(  # noqa: T201 - what this program is for
        f"medians of {len(rounds)}: {statistics.median(answers):.2f} s from exec to the first answer, "
        f"{statistics.median(imports):.2f} s of CPU for the import"
    )


def environment(port: int = 8080, admin_port: int = 9000) -> dict[str, str]:
    """Return the settings of a gateway with nobody behind it."""
    return {
        "PATH": f"{PYTHON.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(CLONE),
        "MONGODB_URL": f"mongodb://{NOBODY}",
        "RABBITMQ_URL": f"amqp://nobody:x@{NOBODY}/",
        "AUTH_URL": f"http://{NOBODY}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "ADMIN_HOST": "127.0.0.1",
        "ADMIN_PORT": str(admin_port),
    }


def first_answer() -> float:
    """Return the seconds from exec to the end of the first answer."""
    port, admin_port = free_ports(2)
    command = [str(PYTHON.with_name("gunicorn")), "--config", "python:gateway.server"]
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            [*command, "gateway.app:create_app()"],
            env=environment(port, admin_port),
            stdout=log,
            stderr=log,
        )
        try:
            while not answers(port):
                if time.perf_counter() - began > SECONDS:
                    raise SystemExit(f"no answer within {SECONDS:g} s")
                time.sleep(0.005)
            return time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()


def answers(port: int) -> bool:
    """Tell whether the gateway answers a request that needs nobody."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            connection.sendall(b"GET /v1/limits HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def cpu(program: str) -> float:
    """Return the CPU seconds of a Python program, user and system together."""
    process = subprocess.Popen([PYTHON, "-c", program], env=environment())  # noqa: S603 - our own arguments
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{program!r} failed")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
