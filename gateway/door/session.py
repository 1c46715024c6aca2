"""The session of a browser: its cookie, and when that counts.

A browser sends a cookie along whoever asks it to, so it counts only where the browser also says that a
page of this origin asks (https://cheatsheetseries.owasp.org/cheatsheets/
Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html#fetch-metadata-headers).
"""

import re

from flask import Response, request

from gateway import problems

COOKIE, PLAIN_COOKIE = "__Host-session", "session"
"""Over HTTPS, and over plain HTTP, where no browser takes the first."""
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST_SECONDS = 30 * 24 * 3600
"""How long a browser keeps the cookie; auth ends the session then at the latest."""
SAFE = ("GET", "HEAD", "OPTIONS")


def secret() -> str | None:
    """Return the secret of the request's session, or `None` where there is none that counts.

    Raises:
        Problem: something would change, and no page of this origin asks for it.
    """
    found = request.cookies.get(_name())
    if found is None or not SECRET.fullmatch(found):
        return None
    if request.method in SAFE:
        return None if _from_a_page_of_ours() is False else found
    require_same_origin()
    return found


def require_same_origin() -> None:
    """Return when the browser says that a page of this origin asks.

    Raises:
        Problem: it says otherwise, or nothing.
    """
    if not _from_a_page_of_ours():
        raise problems.cross_site()


def _from_a_page_of_ours() -> bool | None:
    """Return what the browser says; `None` when it says nothing, or that its user typed the address.

    Over plain HTTP there is no `Sec-Fetch-Site`, but `Origin` with whatever changes something.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return None if site == "none" else site == "same-origin"
    return None if origin is None else origin == f"{request.scheme}://{request.host}"


def begin(response: Response, secret: str) -> None:
    """Have the browser keep the secret and show it with each request."""
    response.set_cookie(
        _name(), secret, max_age=LONGEST_SECONDS, secure=request.is_secure, httponly=True, samesite="Strict"
    )


def end(response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(_name(), secure=request.is_secure, httponly=True, samesite="Strict")


def _name() -> str:
    return COOKIE if request.is_secure else PLAIN_COOKIE
