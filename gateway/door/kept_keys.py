"""Keep what auth published last in a file, for a process that starts while auth is away.

The file holds public keys and what was revoked, no secret; docs/decisions says why it lies where only this
process can write.
"""

import json
import os
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chassis import logs
from chassis.identity import FetchKeys, FetchRevocations, KeysUnavailable, Revocations

MAX_AGE_SECONDS = 24 * 60 * 60.0
"""How old what is kept may be: as long as auth's longest outage that anybody should sit out."""
MAX_BYTES = 4 * 1024 * 1024
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

log = logs.get(__name__)


@dataclass(slots=True)
class KeptKeys:
    """Asks auth, and answers from the file for as long as auth did not answer this process."""

    file: Path
    fetch_keys: FetchKeys
    fetch_revocations: FetchRevocations
    clock: Callable[[], float] = time.time
    _keys: Mapping[str, Any] | None = field(default=None, init=False)

    def keys(self) -> Mapping[str, Any]:
        """Return the key set that tokens are verified with.

        Raises:
            KeysUnavailable: auth does not give one, and none is kept.
        """
        try:
            self._keys = self.fetch_keys()
        except KeysUnavailable:
            if self._keys is not None:
                raise
            kept: Mapping[str, Any] = self._read()["keys"]
            return kept
        return self._keys

    def revocations(self) -> Revocations:
        """Return what is refused now; with the keys of this process it is kept from now on.

        Raises:
            KeysUnavailable: auth does not say, and nothing is kept.
        """
        try:
            found = self.fetch_revocations()
        except KeysUnavailable:
            if self._keys is not None:
                raise
            return _revocations(self._read()["revoked"])
        if self._keys is not None:
            self._write({"at": self.clock(), "keys": self._keys, "revoked": asdict(found)})
        return found

    def _read(self) -> dict[str, Any]:
        try:
            with os.fdopen(os.open(self.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                _check_owner(os.fstat(file.fileno()))
                kept: dict[str, Any] = json.loads(file.read(MAX_BYTES))
            age = self.clock() - kept["at"]
            _check_age(age)
            _revocations(kept["revoked"])
        except FileNotFoundError:
            raise KeysUnavailable("auth is away, and no keys are kept") from None
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"[:200]
            log.warning("the kept keys cannot be used", file=str(self.file), reason=reason)
            raise KeysUnavailable("auth is away, and the kept keys cannot be used") from None
        log.warning("auth is away: tokens are verified with the kept keys", age_s=round(age))
        return kept

    def _write(self, content: Mapping[str, Any]) -> None:
        """Replace the file as a whole, so that none is ever read half written."""
        new = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, default=sorted)
            new.replace(self.file)
        except OSError as error:
            log.warning("the keys cannot be kept", file=str(self.file), reason=str(error))


def _check_owner(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise ValueError("it is no file of this process's user")
    if found.st_mode & OTHERS_MAY_WRITE:
        raise ValueError("others may write it")


def _check_age(age: float) -> None:
    if not 0 <= age <= MAX_AGE_SECONDS:
        raise ValueError(f"it is {age:.0f} s old")


def _revocations(kept: Mapping[str, Any]) -> Revocations:
    """Return what `asdict` made of them and JSON of that: sets have become lists."""
    values: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in kept.items()
    }
    return Revocations(**values)
