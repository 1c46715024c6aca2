"""Ask the auth service: log a user in, fetch the public keys."""

from collections.abc import Mapping
from typing import Any

import httpx
from flask import Request, Response

from chassis import logs
from chassis.identity import KeysUnavailable
from gateway import problems
from gateway.body import Body

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
FORWARDED = ("Authorization", "Accept", "Content-Type")
MAX_BODY_BYTES = 16 * 1024
RETURNED = ("Content-Type", "WWW-Authenticate", "Retry-After")

log = logs.get(__name__)


class AuthClient:
    """Speaks to auth over one pool of connections."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT, transport=transport)

    def login(self, request: Request, request_id: str) -> Response:
        """Pass a login on and return auth's answer as it is.

        Raises:
            Problem: auth is away.
        """
        content = b"".join(Body(request, MAX_BODY_BYTES).pieces())
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        headers |= {"X-Request-Id": request_id, "X-Forwarded-For": request.remote_addr or ""}
        try:
            answer = self._http.post("/login", headers=_encodable(headers), content=content)
        except httpx.HTTPError as error:
            log.warning("auth is away", reason=f"{type(error).__name__}: {error}")
            raise problems.unavailable("the auth service") from None
        response = Response(answer.content, answer.status_code)
        for name in RETURNED:
            if name in answer.headers:
                response.headers[name] = answer.headers[name]
        return response

    def keys(self) -> Mapping[str, Any]:
        """Return the key set that tokens are verified with (RFC 7517).

        Raises:
            KeysUnavailable: auth does not give one.
        """
        try:
            answer = self._http.get("/.well-known/jwks.json", timeout=2.0)
            keys: Mapping[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise KeysUnavailable(f"{type(error).__name__}: {error}") from None
        return keys


def _encodable(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as the bytes that the client sent: WSGI hands them over as Latin-1."""
    return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]
