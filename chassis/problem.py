"""Errors that are answers: declared once, with their status and code, in the catalogue of their service."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import wraps
from http import HTTPStatus
from typing import NamedTuple, ParamSpec

P = ParamSpec("P")


class Added(IntEnum):
    """Statuses that a protocol on HTTP adds to HTTP's own."""

    CHECKSUM_MISMATCH = 460
    """https://tus.io/protocols/resumable-upload#checksum."""


CHECKSUM_MISMATCH = Added.CHECKSUM_MISMATCH
Status = HTTPStatus | Added
PHRASES: Mapping[int, str] = {
    CHECKSUM_MISMATCH: "Checksum Mismatch",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Range Not Satisfiable",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}
"""RFC 9110's names, where Python's differ from one version to the next."""


def phrase(status: int) -> str:
    """Return the name of an HTTP status (RFC 9110, section 15), the same on every interpreter."""
    return PHRASES.get(status) or HTTPStatus(status).phrase


class Problem(Exception):
    """An answer other than success; carries its HTTP status."""

    def __init__(self, status: Status, code: str, detail: str, hint: str, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = headers

    def as_document(self, request_id: str) -> dict[str, str | int]:
        """Return the problem details of RFC 9457."""
        return {
            "type": "about:blank",
            "title": phrase(self.status),
            "status": self.status.value,
            "code": self.code,
            "detail": self.detail,
            "hint": self.hint,
            "request_id": request_id,
        }


class Words(NamedTuple):
    """What a client is told: what is wrong, what to do about it, and the headers that go with it."""

    detail: str
    hint: str
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Kind:
    """One error that a service can answer with."""

    status: Status
    code: str
    meaning: str
    """One sentence, for the documentation."""


class Catalogue:
    """Every error of one service; its documentation is made from this."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def __iter__(self) -> Iterator[Kind]:
        """Yield each kind, by status and then by code."""
        return iter(sorted(self._kinds.values(), key=lambda kind: (kind.status, kind.code)))

    def problem(
        self, status: Status, code: str | None = None
    ) -> Callable[[Callable[P, Words]], Callable[P, Problem]]:
        """Declare an error by the function that words it; its name is the code unless one is given."""

        def declare(words: Callable[P, Words]) -> Callable[P, Problem]:
            name = code or words.__name__
            meaning = (words.__doc__ or "").splitlines()[0]
            self._kinds.setdefault(name, Kind(status, name, meaning))

            @wraps(words)
            def make(*args: P.args, **kwargs: P.kwargs) -> Problem:
                return Problem(status, name, *words(*args, **kwargs))

            return make

        return declare
