"""The caller's own account: limits, usage, password, logging out."""

from dataclasses import asdict
from urllib.parse import quote

from flask import Blueprint, Response, g, jsonify, request

from gateway.collaborators import use
from gateway.description.documented import documented
from gateway.door import audit
from gateway.door.access import ask_auth_as_caller, forget_caller, limits_logins, requires
from gateway.door.door import the_door
from gateway.routes.session import describe_caller

routes = Blueprint("account", __name__, url_prefix="/v1")


@routes.get("/limits")
@documented({200: "Limits"})
def limits() -> Response:
    """Tell what is allowed."""
    return jsonify(use().uploads.limits.describe())


@routes.get("/me")
@requires("jobs:read")
@documented({200: "Me"})
def me() -> Response:
    """Tell who you are, and what you may do."""
    return jsonify(describe_caller(g.identity))


@routes.get("/me/sessions")
@requires("jobs:read")
@documented({200: "Sessions"})
def sessions() -> Response:
    """List the browsers that you are logged in with, the last used first."""
    return ask_auth_as_caller("/sessions")


@routes.delete("/me/sessions/<session_id>")
@requires("jobs:read")
@documented({204: "nothing"}, errors=(404, 413, 415))
def end_session(session_id: str) -> Response:
    """Log one of them out."""
    response = ask_auth_as_caller(f"/sessions/{quote(session_id, safe='')}")
    forget_caller()
    audit.record("session ended", status=response.status_code)
    return response


@routes.get("/me/usage")
@requires("jobs:read")
@documented({200: "Usage"})
def usage() -> Response:
    """Tell what you take up of it."""
    return jsonify(asdict(use().uploads.limits.usage(g.identity.username)))


@routes.put("/me/password")
@limits_logins
@documented({204: "nothing"}, errors=(400, 401, 413, 415, 422, 429), body="NewPassword")
def password() -> Response:
    """Change your password; every token from before is refused within seconds."""
    response = the_door().auth.forward(request, "/password", g.request_id)
    the_door().passwords.forget(request.headers.get("Authorization", ""))
    audit.record("password", status=response.status_code)
    return response


@routes.post("/logout")
@requires("jobs:read")
@documented({204: "nothing"}, errors=(413, 415))
def logout() -> Response:
    """Have every token of yours refused from now on, and end every session."""
    response = ask_auth_as_caller("/logout")
    forget_caller()
    audit.record("logout", status=response.status_code)
    return response
