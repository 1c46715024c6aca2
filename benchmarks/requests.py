"""How many requests for one job two gateways answer a second, tokens verified, and how long the slowest take.

`python -m benchmarks.requests [--seconds 10] [--clients 16]` starts a MongoDB and two gateways of its own.
"""

import argparse
import socket
import statistics
import time
from multiprocessing import Pool

from benchmarks.gateways import OWNER, place, token
from pipeline.jobs import Jobs


def ask(port: int, path: str, seconds: float) -> list[float]:
    """Ask again and again over one connection; return how long each answer took."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n\r\n".encode()
    times: list[float] = []
    deadline = time.perf_counter() + seconds
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        connection.makefile("rb") as answers,
    ):
        while (began := time.perf_counter()) < deadline:
            connection.sendall(request)
            if b" 200 " not in answers.readline():
                raise SystemExit("the gateway refused")
            length = 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answers.read(length)
            times.append(time.perf_counter() - began)
    return times


def main() -> None:
    """Start what is needed, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    arguments = parser.parse_args()
    with place(gateways=2) as there:
        jobs = Jobs(there.client)
        job = jobs.begin_upload(
            OWNER, filename="talk.mp4", content_type="video/mp4", options={}, request_id="r"
        )
        ports = [gateway.port for gateway in there.gateways]
        doors = [(ports[client % 2], f"/v1/jobs/{job.id}") for client in range(arguments.clients)]
        with Pool(arguments.clients) as pool:
            pool.starmap(ask, [(*door, 2.0) for door in doors])  # warms up
            taken = pool.starmap(ask, [(*door, arguments.seconds) for door in doors])
        times = [each for client in taken for each in client]
        median, p99 = statistics.median(times) * 1000, statistics.quantiles(times, n=100)[98] * 1000
        rate = len(times) / arguments.seconds
        print(f"{rate:.0f} requests/s, median {median:.1f} ms, p99 {p99:.1f} ms")  # noqa: T201 - what this is for


if __name__ == "__main__":
    main()
