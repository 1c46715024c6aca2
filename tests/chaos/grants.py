"""Keys, links and feeds that are made and revoked while processes die, and looked at when all is quiet."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle
from urllib.parse import urlsplit

import httpx

from tests.chaos.suite import ChaosStack
from tests.e2e.conftest import PATIENT_SECONDS, User

PAUSE_SECONDS = 1.0
TRIES = 20
"""How often something is asked for that must come true at last: a revocation."""
GATEWAYS = ("gateway", "gateway-2")
TOKEN_SECONDS = 40.0
"""How long a key is good at a gateway after it was revoked, at most, and some more on a busy machine."""


@dataclass
class Grant:
    """What was handed out; `revoked` is what its user was told."""

    kind: str
    id: str
    value: str
    """A key, or an address."""
    revoked: bool = False


class Grants:
    """Those of one user, who has one finished job; made before the trouble begins."""

    def __init__(self, stack: ChaosStack, user: User, video: bytes) -> None:
        self._stack, self._user = stack, user
        self._job_id = user.upload(video)
        user.outcome(self._job_id, PATIENT_SECONDS)
        self._kinds = cycle(("key", "link", "feed") * 2)
        self._revoke = cycle((False, False, False, True, True, True))
        self.all: list[Grant] = []
        for _ in range(6):
            self.change()

    def change(self) -> None:
        """Make one more; every second three are revoked again."""
        kind, revoke = next(self._kinds), next(self._revoke)
        place, wish = self._places(kind)
        answer = self._ask("POST", place, wish)
        if answer is None or answer.status_code != HTTPStatus.CREATED:
            return  # nobody knows it: there is nothing to hold
        made = answer.json()
        grant = Grant(kind, made["id"], made["key"] if kind == "key" else made["url"])
        if revoke:
            grant.revoked = self._gone(f"/v1/shares/{grant.id}" if kind == "link" else f"{place}/{grant.id}")
        if grant.revoked == revoke:
            self.all.append(grant)

    def broken(self) -> list[str]:
        """Return which are not good though they must be, or good though they were revoked."""
        deadline, found = time.monotonic() + TOKEN_SECONDS, self._broken()
        while found and time.monotonic() < deadline:  # a key is refused everywhere within 30 s
            time.sleep(PAUSE_SECONDS)
            found = self._broken()
        return found

    def _broken(self) -> list[str]:
        doors = [f"http://127.0.0.1:{self._stack.program(name).ports[0]}" for name in GATEWAYS]
        return [
            f"{grant.kind} {grant.id}: {'revoked' if grant.revoked else 'good'}, and answered {status}"
            for grant in self.all
            for door in doors
            if (status := self._used(door, grant)) != self._expected(grant)
        ]

    def _expected(self, grant: Grant) -> int:
        refused = HTTPStatus.UNAUTHORIZED if grant.kind == "key" else HTTPStatus.NOT_FOUND
        return refused if grant.revoked else HTTPStatus.OK

    def _used(self, door: str, grant: Grant) -> int:
        if grant.kind == "key":
            headers = {"Authorization": f"Bearer {grant.value}"}
            return httpx.get(f"{door}/v1/jobs/{self._job_id}", headers=headers, timeout=60).status_code
        path = urlsplit(grant.value).path
        whole = f"{path}/mp3" if grant.kind == "link" else f"{path.removesuffix('.xml')}/{self._job_id}.mp3"
        answers = [httpx.get(f"{door}{place}", timeout=60).status_code for place in (path, whole)]
        return answers[0] if answers[0] == answers[1] else 0

    def _places(self, kind: str) -> tuple[str, dict[str, str]]:
        if kind == "key":
            return "/v1/me/keys", {"name": "a key of the chaos"}
        return (f"/v1/jobs/{self._job_id}/shares", {}) if kind == "link" else ("/v1/me/feeds", {})

    def _gone(self, place: str) -> bool:
        """Revoke until it is said to be done, now or at an earlier try whose answer was lost."""
        for _ in range(TRIES):
            answer = self._ask("DELETE", place)
            if answer is not None and answer.status_code in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND):
                return True
            time.sleep(PAUSE_SECONDS)
        return False

    def _ask(self, method: str, place: str, wish: dict[str, str] | None = None) -> httpx.Response | None:
        try:
            return self._user.http.request(method, place, json=wish)
        except httpx.TransportError:
            return None
