"""A private folder for each process's work, and the removal of those that dead processes left.

A process locks its folder for as long as it lives; the kernel gives the lock up whatever kills it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis import logs

LOCK = "lock"

log = logs.get(__name__)


class Scratch:
    """This process's folder under `root`."""

    def __init__(self, root: Path, name: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._folder = root / name
        with (root / LOCK).open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)  # nobody sweeps while a folder is made and not locked yet
            _sweep(root)
            self._folder.mkdir(mode=0o700)
            # Kept open for as long as the process lives: the lock goes with the descriptor.
            self._lock = os.open(self._folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    @property
    def free_bytes(self) -> int:
        """How much the file system can still take."""
        return shutil.disk_usage(self._folder).free

    @contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        """Make a folder that only this user can enter, and remove it with all that is in it."""
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        """Remove this process's folder."""
        shutil.rmtree(self._folder)
        os.close(self._lock)


def _sweep(root: Path) -> None:
    for folder in root.iterdir():
        try:
            lock = os.open(folder / LOCK, os.O_RDWR)
        except OSError:
            continue  # no folder of a process
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its process lives
        finally:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)
        log.info("removed files of a dead process", folder=folder.name)
