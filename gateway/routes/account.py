"""The caller's own account: limits, usage, password, logging out."""

from dataclasses import asdict

from flask import Blueprint, Response, g, jsonify, request

from gateway.collaborators import use
from gateway.description.documented import documented
from gateway.door import audit
from gateway.door.access import ask_auth_as_caller, limits_logins, requires
from gateway.door.door import the_door

routes = Blueprint("account", __name__, url_prefix="/v1")


@routes.get("/limits")
@documented({200: "Limits"})
def limits() -> Response:
    """Tell what is allowed."""
    return jsonify(use().uploads.limits.describe())


@routes.get("/me/usage")
@requires("jobs:read")
@documented({200: "Usage"})
def usage() -> Response:
    """Tell what you take up of it."""
    return jsonify(asdict(use().uploads.limits.usage(g.identity.username)))


@routes.put("/me/password")
@limits_logins
@documented({204: "nothing"}, errors=(400, 401, 413, 422, 429), body="NewPassword")
def password() -> Response:
    """Change your password; every token from before is refused within seconds."""
    response = the_door().auth.forward(request, "/password", g.request_id)
    the_door().passwords.forget(request.headers.get("Authorization", ""))
    audit.record("password", status=response.status_code)
    return response


@routes.post("/logout")
@requires("jobs:read")
@documented({204: "nothing"}, errors=(413,))
def logout() -> Response:
    """Have every token of yours refused from now on."""
    response = ask_auth_as_caller("/logout")
    the_door().passwords.forget(request.headers.get("Authorization", ""))
    audit.record("logout", status=response.status_code)
    return response
