"""The caller's personal keys, which auth keeps: tokens for scripts."""

from urllib.parse import quote

from flask import Blueprint, Response, g

from gateway import problems
from gateway.description.documented import documented
from gateway.door import audit
from gateway.door.access import ask_auth_as_caller, requires

routes = Blueprint("keys", __name__, url_prefix="/v1/me/keys")


@routes.get("")
@requires("jobs:read")
@documented({200: "Keys"})
def index() -> Response:
    """List your keys that are good, the newest first."""
    return _ask("/keys")


@routes.post("")
@requires("jobs:write")
@documented({201: "NewKey"}, errors=(400, 409, 413, 422), body="KeyWish")
def create() -> Response:
    """Make a key that allows no more than what you ask with; it is told in this answer only."""
    response = _ask("/keys")
    audit.record("key made", status=response.status_code)
    return response


@routes.delete("/<key_id>")
@requires("jobs:write")
@documented({204: "nothing"}, errors=(404, 413))
def revoke(key_id: str) -> Response:
    """Revoke a key; every replica refuses it within 30 seconds."""
    response = _ask(f"/keys/{quote(key_id, safe='')}")
    audit.record("key revoked", key=key_id, status=response.status_code)
    return response


def _ask(path: str) -> Response:
    if g.identity.key_id is not None:
        raise problems.login_needed()
    return ask_auth_as_caller(path)
