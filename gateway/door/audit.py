"""Write down who did what: logins, refusals, deletions and what administrators do."""

from flask import g, request

from chassis import logs

log = logs.get("audit")


def record(act: str, **details: str | int | None) -> None:
    """Write one line about what the request that is answered now does."""
    user = g.identity.username if "identity" in g else None
    log.info(act, user=user, address=request.remote_addr, path=request.path, **details)
