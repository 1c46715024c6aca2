"""Resumable uploads at a gateway that may die of them, as a client of tus makes them."""

from http import HTTPStatus
from typing import Any

import httpx

from tests.chaos.stage import Stage
from tests.e2e.conftest import User

TUS = {"Tus-Resumable": "1.0.0"}


class Parts:
    """Those of one user at one door."""

    def __init__(self, user: User, door: str, video: bytes, stage: Stage) -> None:
        self._user, self._door, self._video, self._stage = user, door, video, stage

    def _begun(self, *, deferred: bool = False) -> str:
        """Begin a resumable upload at the door and return its path; nothing if the process died."""
        size = {"Upload-Defer-Length": "1"} if deferred else {"Upload-Length": str(len(self._video))}
        answer = self._ask("/v1/uploads", headers={**TUS, **size})
        return "" if answer is None else httpx.URL(answer.headers.get("Location", "")).path

    def _part(self, path: str, offset: int, **headers: str) -> None:
        part = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        self._ask(path, method="PATCH", headers={**part, **headers}, content=self._video[offset:])

    def upload(self, *, deferred: bool = False) -> None:
        """Upload by a client that goes on at the other gateway, as one of tus does."""
        if not (path := self._begun(deferred=deferred)):
            return
        length = {"Upload-Length": str(len(self._video))} if deferred else {}
        self._part(path, 0, **length)
        other = self._user.stack.gateway_url
        head = self._user.http.head(f"{other}{path}", headers=TUS)
        if head.status_code == HTTPStatus.OK and "X-Job-Id" not in head.headers:
            offset = int(head.headers["Upload-Offset"])
            part = {
                **TUS,
                **length,
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(offset),
            }
            content = self._video[offset:]
            self._user.http.patch(f"{other}{path}", headers=part, content=content).raise_for_status()

    def send_what_does_not_fit(self) -> None:
        """Send a part for another offset than the upload has."""
        if path := self._begun():
            self._part(path, 1)
            self._user.http.delete(f"{self._user.stack.gateway_url}{path}", headers=TUS)

    def take_over(self) -> None:
        """Ask for an upload whose holder is no more."""
        if path := self._begun():
            self._stage.held(path[-32:])
            self._ask(path, method="HEAD", headers=TUS)
            self._user.http.delete(f"{self._user.stack.gateway_url}{path}", headers=TUS)

    def end(self) -> None:
        """Begin an upload and give it up."""
        if path := self._begun():
            self._ask(path, method="DELETE", headers=TUS)

    def _ask(self, path: str, *, method: str = "POST", **arguments: Any) -> httpx.Response | None:
        try:
            return self._user.http.request(method, f"{self._door}{path}", **arguments)
        except httpx.TransportError:  # it died, as it should
            return None
