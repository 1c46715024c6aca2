"""Write down who did what to whom: logins, refusals, changes of users; never a password or a token."""

from chassis import logs

log = logs.get("audit")


def record(act: str, *, user: str | None, **details: object) -> None:
    """Write one line; the request's id is in it by itself."""
    log.info(act, user=user, **details)
