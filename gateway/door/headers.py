"""The headers of every answer: what browsers must not do, and who may call from where."""

from flask import Response, g, request

from gateway.settings import Settings

_TUS = (
    "Tus-Resumable, Upload-Length, Upload-Offset, Upload-Defer-Length, Upload-Metadata, Upload-Checksum, "
    "Upload-Expires"
)
EXPOSED = (
    "Location, Link, ETag, Retry-After, X-Job-Id, X-Request-Id, Content-Disposition, "
    f"{_TUS}, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm"
)
ASKED = (
    "Authorization, Content-Type, Accept, Range, If-Range, If-Match, If-None-Match, Idempotency-Key, "
    f"Content-Digest, X-Request-Id, X-HTTP-Method-Override, {_TUS}"
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def add(response: Response, settings: Settings) -> None:
    """Add them; what a route has set itself stays."""
    headers = response.headers
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    headers.setdefault("Cache-Control", "no-store")
    if "rate" in g:
        headers["RateLimit-Limit"] = str(g.rate.limit)
        headers["RateLimit-Remaining"] = str(max(0, g.rate.remaining))
        headers["RateLimit-Reset"] = str(g.rate.reset_seconds)
    if settings.cors_origin is not None:
        _allow(response, settings.cors_origin)


def _allow(response: Response, origin: str) -> None:
    """Let the pages of one origin call (https://fetch.spec.whatwg.org/#http-cors-protocol)."""
    response.headers["Vary"] = "Origin"
    if request.headers.get("Origin") != origin:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Headers"] = ASKED
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Max-Age"] = "600"
