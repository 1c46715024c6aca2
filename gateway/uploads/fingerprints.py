"""Tell requests apart by what they hold: the same files with the same options, or others."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.uploads.forms import Nothing, Sink
from pipeline.options import Options


@dataclass(slots=True)
class Fingerprints:
    """Takes files as an intake does, and keeps nothing but what tells them apart."""

    _digests: list[str] = field(default_factory=list)

    def open(self, filename: str, content_type: str) -> Sink:
        """Begin the next file."""
        del content_type
        return _Digest(self._digests) if filename else Nothing()

    def of(self, options: Options) -> str:
        """Return the fingerprint of the files so far, converted with these options."""
        return fingerprint_of(self._digests, options)


class _Digest:
    def __init__(self, digests: list[str]) -> None:
        self._digests = digests
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._hash.update(data)

    def close(self) -> None:
        self._digests.append(self._hash.hexdigest())


def fingerprint_of(digests: Sequence[str], options: Options) -> str:
    """Return one text for the same files with the same options, and another for any others."""
    return hashlib.sha256(json.dumps([list(digests), options.as_document()]).encode()).hexdigest()
