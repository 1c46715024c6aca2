"""What a user does at a gateway that may die of it: webhooks, links and feeds, made and taken away again."""

from contextlib import suppress
from typing import Any

import httpx

from tests.e2e.conftest import User

NOBODY = "http://127.0.0.1:9/"
"""Where nothing listens."""


class Errands:
    """Those of one user at one door; after a death the next one clears up what was left."""

    def __init__(self, user: User, door: str, video: bytes) -> None:
        self._user, self._door, self._video = user, door, video
        self._job_id = ""

    def webhook(self) -> None:
        """Do with a webhook whatever can be done."""
        self._ask("POST", "/v1/webhooks/callbacks/rotate")
        made = self._ask("POST", "/v1/webhooks", {"url": NOBODY})
        if made is None:
            self.forget_webhooks()
            return
        place = f"/v1/webhooks/{made['id']}"
        if (sent := self._ask("POST", f"{place}/test")) is not None:
            self._ask("POST", f"{place}/deliveries/{sent['id']}/replay")
        self._ask("POST", f"{place}/replay", {"since": "2020-01-01T00:00:00Z"})
        self._ask("PATCH", place, {"paused": True})
        self._ask("DELETE", place)

    def forget_webhooks(self) -> None:
        """Delete those that deaths left: nobody may have many, and what is due to them stays due."""
        for left in self._user.http.get("/v1/webhooks").json()["webhooks"]:
            self._user.http.delete(f"/v1/webhooks/{left['id']}")

    def link(self) -> None:
        """Share a finished job, download what the link leads to, and revoke it."""
        if not self._job_id:
            self._job_id = self._user.upload(self._video)
            self._user.outcome(self._job_id)
        made = self._ask("POST", f"/v1/jobs/{self._job_id}/shares", {})
        if made is not None:
            self._ask("GET", f"{httpx.URL(made['url']).path}/mp3")
            self._ask("DELETE", f"/v1/shares/{made['id']}")

    def feed(self) -> None:
        """Make a feed and revoke it."""
        made = self._ask("POST", "/v1/me/feeds", {})
        if made is not None:
            self._ask("DELETE", f"/v1/me/feeds/{made['id']}")
            return
        for left in self._user.http.get("/v1/me/feeds").json()["feeds"]:
            self._user.http.delete(f"/v1/me/feeds/{left['id']}")

    def _ask(self, method: str, place: str, wish: dict[str, Any] | None = None) -> Any:
        """Return what the door tells; nothing when it refuses, or dies, as it should."""
        with suppress(httpx.TransportError):
            answer = self._user.http.request(method, f"{self._door}{place}", json=wish)
            if answer.is_success and answer.headers.get("Content-Type") == "application/json":
                return answer.json()
        return None
