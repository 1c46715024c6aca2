"""Ports of loopback for servers that are started later, and perhaps more than once.

A port that is found free by binding it and letting go is anybody's again: another run may be given
it, or the kernel takes it for the near end of a connection.  So ports come in blocks from outside
the kernel's own range, and a process holds each of its blocks by a name in the abstract namespace of
Unix sockets (unix(7)), which the kernel gives up when the process ends, however it ends.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dev.errors import CannotRun

FIRST, END = 10_240, 65_536
BLOCK = 32
KERNELS_OWN = Path("/proc/sys/net/ipv4/ip_local_port_range")


def hold(name: str) -> socket.socket | None:
    """Return what holds a name for as long as it is open, or `None` if another process holds it."""
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(f"\0video-to-mp3/{name}")
    except OSError:
        holder.close()
        return None
    return holder


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Ports:
    """Hands out ports, each only once; they are nobody else's until this process ends."""

    def __init__(self) -> None:
        self._left: Iterator[int] = iter(())

    def take(self) -> int:
        """Return the next port.

        Raises:
            CannotRun: other processes hold all of them.
        """
        while True:
            for port in self._left:
                if is_free(port):
                    return port
            self._left = iter(self._next_block())

    def _next_block(self) -> range:
        for block in _blocks():
            if (holder := hold(f"ports/{block.start}")) is not None:
                holder.detach()  # it stays open
                return block
        raise CannotRun("other runs of tests hold every port of this machine: end some of them")


def _blocks() -> list[range]:
    """Return the blocks that the kernel takes no port from; where it takes from all, all."""
    kernels = range(0)
    with suppress(OSError, ValueError):
        first, last = map(int, KERNELS_OWN.read_text().split())
        kernels = range(first, last + 1)
    blocks = [range(start, start + BLOCK) for start in range(FIRST, END, BLOCK)]
    return [block for block in blocks if block.start not in kernels and block[-1] not in kernels] or blocks


_ports = Ports()


def free_ports(count: int) -> tuple[int, ...]:
    """Return ports that nobody listens on, and that no other run is given while this process lives."""
    return tuple(_ports.take() for _ in range(count))
