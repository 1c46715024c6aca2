"""Ask the auth service: log users in, pass its own routes on, fetch keys and revocations."""

from collections.abc import Mapping
from typing import Any

import httpx
from flask import Request, Response

from chassis import logs
from chassis.identity import KeysUnavailable, Revocations
from gateway import problems
from gateway.door.body import Body

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
POLL_SECONDS = 2.0
FORWARDED = ("Authorization", "Accept", "Content-Type", "User-Agent")
RETURNED = ("Content-Type", "WWW-Authenticate", "Retry-After", "Location")
MAX_BODY_BYTES = 16 * 1024

log = logs.get(__name__)


class AuthClient:
    """Speaks to auth over one pool of connections."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT, transport=transport)

    def forward(self, request: Request, path: str, request_id: str, token: str | None = None) -> Response:
        """Pass a request on to `path` of auth and return auth's answer as it is.

        Auth looks at a token on some routes and at a password on others: with `token` it gets that one,
        however the caller proved who they are.

        Raises:
            Problem: auth is away.
        """
        content = b"".join(Body(request, MAX_BODY_BYTES).pieces())
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        if request.path.startswith("/v1/"):
            headers["Accept"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        headers |= {"X-Request-Id": request_id, "X-Forwarded-For": request.remote_addr or ""}
        answer = self._ask(request.method, path, headers, content)
        response = Response(answer.content, answer.status_code)
        for name in RETURNED:
            if name in answer.headers:
                response.headers[name] = answer.headers[name]
        return response

    def begin_session(self, credentials: str, agent: str, address: str, request_id: str) -> str | None:
        """Return the secret of a new session for `Basic` credentials, or `None` when they are wrong.

        Raises:
            Problem: auth is away, or refuses to look at them for now.
        """
        headers = {"User-Agent": agent, "X-Request-Id": request_id, "X-Forwarded-For": address}
        answer = self._prove("/sessions", credentials, headers)
        return None if answer is None else str(answer.json()["secret"])

    def token_of_session(self, secret: str, address: str, request_id: str) -> str | None:
        """Return a token for the secret of a session, or `None` when there is no such session.

        Raises:
            Problem: auth is away.
        """
        headers = {"X-Request-Id": request_id, "X-Forwarded-For": address}
        answer = self._prove("/sessions/token", f"Bearer {secret}", headers)
        return None if answer is None else answer.text.strip()

    def end_session(self, session_id: str, token: str, request_id: str) -> None:
        """End a session of the user of a token; one that has ended already stays so.

        Raises:
            Problem: auth is away.
        """
        headers = {"Authorization": f"Bearer {token}", "X-Request-Id": request_id}
        answer = self._ask("DELETE", f"/sessions/{session_id}", headers, b"")
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise problems.unavailable("the auth service")

    def token(self, credentials: str, address: str, request_id: str) -> str | None:
        """Return a token for the password or personal key of a request, or `None` when it is wrong.

        Raises:
            Problem: auth is away, or refuses to look at them for now.
        """
        headers = {"X-Request-Id": request_id, "X-Forwarded-For": address}
        answer = self._prove("/login", credentials, headers)
        return None if answer is None else answer.text.strip()

    def keys(self) -> Mapping[str, Any]:
        """Return the key set that tokens are verified with (RFC 7517).

        Raises:
            KeysUnavailable: auth does not give one.
        """
        return self._poll("/.well-known/jwks.json")

    def revocations(self) -> Revocations:
        """Return which tokens are refused though they have not expired.

        Raises:
            KeysUnavailable: auth does not say.
        """
        told = self._poll("/revocations")
        found = told.get("revocations")
        ended, keys = told.get("ended_sessions", []), told.get("revoked_keys", [])
        if not (isinstance(found, dict) and isinstance(ended, list) and isinstance(keys, list)):
            raise KeysUnavailable("auth's revocations are of another form")
        good_since = {str(user): int(since) for user, since in found.items()}
        return Revocations(good_since, frozenset(map(str, ended)), frozenset(map(str, keys)))

    def _prove(self, path: str, credentials: str, headers: Mapping[str, str]) -> httpx.Response | None:
        """Return auth's answer to credentials, or `None` when they are wrong."""
        answer = self._ask("POST", path, {**headers, "Authorization": credentials}, b"")
        if answer.is_success:
            return answer
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise problems.too_many_logins(answer.headers.get("Retry-After", ""))
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise problems.unavailable("the auth service")
        return None

    def _poll(self, path: str) -> Mapping[str, Any]:
        try:
            answer = self._http.get(path, timeout=POLL_SECONDS)
            found: Mapping[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise KeysUnavailable(f"{type(error).__name__}: {error}") from None
        return found

    def _ask(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> httpx.Response:
        # WSGI hands headers over as Latin-1; these are again the bytes that the client sent.
        sent = [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        try:
            return self._http.request(method, path, headers=sent, content=content)
        except httpx.HTTPError as error:
            log.warning("auth is unavailable", reason=f"{type(error).__name__}: {error}")
            raise problems.unavailable("the auth service") from None
