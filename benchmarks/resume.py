"""Upload one big file by resumable requests of several sizes, against one plain request, in the same run.

`python -m benchmarks.resume [--mib 256]` starts a MongoDB and two gateways of its own and prints MB/s, the
ratio to a plain upload, by how much the gateway's resident memory grew, and what it costs to read the
file once for its SHA-256 where the last part comes by another gateway than those before.
"""

import argparse
import http.client
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.gateways import MIB, Memory, place, token
from pipeline.files import Blobs
from pipeline.mongodb import Client

PARTS = (8, 64, None)
"""In MiB; `None` is the whole file."""


class Uploads:
    """Uploads one file through one gateway, or its end through another."""

    def __init__(self, port: int, file: Path) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._file = file
        self.size = file.stat().st_size
        self._authorization = {"Authorization": f"Bearer {token()}"}

    def plain(self) -> None:
        """Send it as the body of one request."""
        with self._file.open("rb") as body:
            self._ask("POST", "/v1/jobs?name=talk.mp4", {"Content-Length": str(self.size)}, body)

    def begin(self) -> str:
        """Begin a resumable upload and return its path."""
        return "/v1" + self._tus("POST", "/v1/uploads", {"Upload-Length": str(self.size)}).split("/v1", 1)[1]

    def parts(self, path: str, start: int, stop: int, part: int) -> None:
        """Send the bytes from `start` to `stop` in parts."""
        with self._file.open("rb") as file:
            for offset in range(start, stop, part):
                file.seek(offset)
                size = min(part, stop - offset)
                headers = {
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/offset+octet-stream",
                    "Content-Length": str(size),
                }
                self._tus("PATCH", path, headers, _read(file.read, size))

    def resumable(self, part: int | None) -> None:
        """Send it in parts of so many MiB."""
        self.parts(self.begin(), 0, self.size, self.size if part is None else part * MIB)

    def _tus(
        self, method: str, path: str, headers: dict[str, str], body: Iterator[bytes] | None = None
    ) -> str:
        return self._ask(method, path, {"Tus-Resumable": "1.0.0", **headers}, body)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: object = None) -> str:
        self._connection.request(method, path, body, {**self._authorization, **headers})  # type: ignore[arg-type]  # what it sends
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise SystemExit(f"{method} {path}: {answer.status} {text!r}")
        return answer.headers.get("Location", "")


def _read(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while size:
        piece = read(min(MIB, size))
        size -= len(piece)
        yield piece


def compare(uploads: Uploads, memory: Memory, client: Client, rounds: int) -> None:
    """Measure each way in turns and print the medians of their ratios to the plain one."""
    ways: dict[str, Callable[[], None]] = {"one plain request": uploads.plain}
    ways |= {f"PATCH of {part or 'all'} MiB": partial(uploads.resumable, part) for part in PARTS}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    growths = dict.fromkeys(ways, 0.0)
    for _ in range(rounds + 1):
        for name, upload in ways.items():
            with memory.watched() as growth:
                began = time.perf_counter()
                upload()
                rates[name].append(uploads.size / (time.perf_counter() - began) / 1e6)
                growths[name] = max(growths[name], growth())
            client.drop_database("videos")
            Blobs(client, "videos").ensure_indexes()
    plain = rates["one plain request"][1:]  # the first warms up
    for name, seen in rates.items():
        ratio = statistics.median(rate / base for rate, base in zip(seen[1:], plain, strict=True))
        rate = statistics.median(seen[1:])
        told = f"{name:>18}: {rate:4.0f} MB/s, ratio {ratio:.2f}, memory +{growths[name]:.1f} MiB"
        print(told)  # noqa: T201 - what this program is for


def reading_once(here: Uploads, there: Uploads) -> None:
    """Print how long the last part takes where the process has the hash of the rest, and where it has not."""
    for name, last in (("the same gateway", here), ("another gateway", there)):
        path = here.begin()
        here.parts(path, 0, here.size - MIB, 8 * MIB)
        began = time.perf_counter()
        last.parts(path, here.size - MIB, here.size, MIB)
        seconds = time.perf_counter() - began
        print(f"last MiB by {name}: {seconds:.2f} s, {here.size / MIB:.0f} MiB in all")  # noqa: T201 - likewise


def main() -> None:
    """Start what is needed, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=256, help="size of the file (default 256)")
    parser.add_argument("--rounds", type=int, default=3, help="after one that warms up (default 3)")
    arguments = parser.parse_args()
    with place(gateways=2) as found:
        file = found.folder / "talk.mp4"
        with file.open("wb") as out:
            out.write(b"\0\0\0 ftypisom")
            for _ in range(arguments.mib):
                out.write(os.urandom(MIB))
        here, there = (Uploads(gateway.port, file) for gateway in found.gateways)
        compare(here, found.gateways[0].memory(), found.client, arguments.rounds)
        reading_once(here, there)


if __name__ == "__main__":
    main()
