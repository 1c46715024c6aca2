"""The name of a process, by which others on this machine can tell for certain that it is dead.

The kernel vouches for it: an abstract socket belongs to one process of a network namespace (unix(7)), and
is free the moment that process dies.  So work that a killed process held can be taken back at once.
"""

import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

BOOT = Path("/proc/sys/kernel/random/boot_id")
NETWORK = Path("/proc/self/ns/net")


@dataclass(frozen=True, slots=True)
class Instance:
    """`host` is the machine, or the pod; `name` is nobody else's, ever."""

    host: str
    name: str
    _socket: socket.socket

    @classmethod
    def begin(cls) -> Self:
        """Give this process a name until it is closed, or dies.

        Where the kernel does not vouch for it, its host is one that nobody else is on.
        """
        name, own = uuid4().hex, _socket()
        with suppress(OSError):
            host = f"{BOOT.read_text().strip()}.{NETWORK.stat().st_ino}"
            own.bind(_address(name))
            return cls(host, name, own)
        return cls(name, name, own)

    def knows_dead(self, name: str) -> bool:
        """Tell whether a process of this host is dead for certain."""
        with _socket() as other:
            try:
                other.bind(_address(name))
            except OSError:
                return False
        return True

    def close(self) -> None:
        """Count as dead from now on."""
        self._socket.close()


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def _address(name: str) -> str:
    return f"\0video-to-mp3.{name}"
