"""Log a browser in and out; the forms work where scripts are off."""

import base64
from http import HTTPStatus

from flask import Blueprint, Response, g, jsonify, request

from chassis.identity import Identity
from chassis.problem import Problem
from gateway import problems
from gateway.description.documented import documented
from gateway.door import audit, parameters, session
from gateway.door.access import count_login, forget_caller, identity_of_session, who_is_logged_in
from gateway.door.body import Body
from gateway.door.door import the_door

MAX_BODY_BYTES = 16 * 1024
MAX_USERNAME, MAX_PASSWORD = 254, 1024
"""What is longer is wrong without a look."""

routes = Blueprint("session", __name__, url_prefix="/session")


def describe_caller(identity: Identity) -> dict[str, object]:
    """Return what callers are told of themselves."""
    scopes, session_id = sorted(identity.scopes), identity.session_id
    return {"username": identity.username, "scopes": scopes, "session": session_id}


@routes.get("")
@documented({200: "Me", 204: "nothing"})
def show() -> Response:
    """Tell who is logged in with this browser, if anybody is."""
    identity = who_is_logged_in()
    return Response(status=HTTPStatus.NO_CONTENT) if identity is None else jsonify(describe_caller(identity))


@routes.post("")
@documented({200: "Me", 303: "nothing"}, errors=(400, 401, 403, 413, 415, 429), body="session")
def begin() -> Response:
    """Log a browser in: JSON is answered with who it is, a form with the way to the page."""
    session.require_same_origin()
    try:
        return _log_in()
    except Problem as problem:
        if request.is_json:
            raise
        return _to_the_page(f"?refused={problem.code}")


@routes.delete("")
@documented({204: "nothing"}, errors=(403,))
def end() -> Response:
    """Log this browser out; one that is logged out already stays so."""
    return _log_out(Response(status=HTTPStatus.NO_CONTENT))


@routes.post("/end")
@documented({303: "nothing"}, errors=(403,))
def end_by_form() -> Response:
    """Log this browser out and go to the page."""
    return _log_out(_to_the_page())


def _log_in() -> Response:
    count_login()
    username, password = _credentials()
    encoded = base64.b64encode(f"{username}:{password}".encode("utf-8", "replace")).decode()
    door, agent = the_door(), request.headers.get("User-Agent", "")
    secret = door.auth.begin_session(f"Basic {encoded}", agent, request.remote_addr or "", g.request_id)
    audit.record("session", name=username, status="refused" if secret is None else "begun")
    if secret is None:
        raise problems.invalid_credentials()
    identity = identity_of_session(secret)
    if identity is None:  # somebody ended it at once
        raise problems.not_authorized()
    response = jsonify(describe_caller(identity)) if request.is_json else _to_the_page()
    session.begin(response, secret)
    return response


def _credentials() -> tuple[str, str]:
    body = b"".join(Body(request, MAX_BODY_BYTES).pieces())
    found = parameters.fields(request.mimetype, body, otherwise=problems.malformed_login)
    if not {"username", "password"} <= found.keys():
        raise problems.malformed_login()
    username, password = found["username"], found["password"]
    if len(username) > MAX_USERNAME or len(password) > MAX_PASSWORD:
        raise problems.invalid_credentials()
    return username, password


def _log_out(response: Response) -> Response:
    identity = who_is_logged_in()
    if identity is not None and identity.session_id is not None:
        the_door().auth.end_session(identity.session_id, g.token, g.request_id)
        forget_caller()
        audit.record("session ended", name=identity.username)
    session.end(response)
    return response


def _to_the_page(query: str = "") -> Response:
    response = Response(status=HTTPStatus.SEE_OTHER)
    response.headers["Location"] = f"{request.root_path}/{query}"
    return response
