"""What administrators may: list, add and change users."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec

from flask import Blueprint, Response, g, jsonify, request

from auth import audit, authorization, bodies, password_rules, passwords, problems
from auth.tokens import ADMIN_SCOPE
from auth.user import InvalidUsername, NoSuchUser, User, canonical
from auth.views import logins

P = ParamSpec("P")
routes = Blueprint("admin", __name__)


def requires_admin(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let only tokens with the scope `admin` through; `g.admin` is the name of who has it."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        claims = logins().validate(authorization.bearer(request.headers.get("Authorization", "")) or "")
        if ADMIN_SCOPE not in str(claims["scope"]).split():
            raise problems.missing_scope(ADMIN_SCOPE)
        g.admin = claims["username"]
        return view(*args, **kwargs)

    return guarded


@routes.get("/users")
@requires_admin
def users() -> Response:
    """List every user, by name."""
    return jsonify(users=[_describe(user) for user in logins().users.all()])


@routes.post("/users")
@requires_admin
def add_user() -> Response:
    """Add a user; a password that is not given is made, and told in this answer only."""
    asked = bodies.read(bodies.NewUser)
    username = canonical(asked.username)
    password = passwords.generate() if asked.password is None else asked.password
    password_rules.check(password, username)
    logins().users.add(username, logins().passwords.hash(password), admin=asked.admin)
    audit.record("user added", user=g.admin, name=username, admin=asked.admin)
    told = {"password": password} if asked.password is None else {}
    response = jsonify({**_describe(_found(username)), **told})
    response.status_code = HTTPStatus.CREATED
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.patch("/users/<username>")
@requires_admin
def change_user(username: str) -> Response:
    """Disable or enable a user, make or unmake an administrator, or give a new password."""
    asked = bodies.read(bodies.UserChange)
    name = _found(username).username
    told = _apply(asked, name)
    audit.record("user changed", user=g.admin, name=name, **asked.model_dump(exclude_none=True))
    response = jsonify({**_describe(_found(name)), **told})
    response.headers["Cache-Control"] = "no-store"
    return response


def _apply(asked: bodies.UserChange, name: str) -> dict[str, Any]:
    """Change a user; return what the answer has to tell besides."""
    store = logins().users
    if asked.disabled is not None:
        (store.disable if asked.disabled else store.enable)(name)
    if asked.admin is not None:
        store.set_admin(name, admin=asked.admin)
    if asked.password is None:
        return {}
    password = passwords.generate()
    store.set_password(name, logins().passwords.hash(password))
    return {"password": password}


def _found(username: str) -> User:
    try:
        user = logins().users.find(canonical(username))
    except InvalidUsername:
        user = None
    if user is None:
        raise NoSuchUser("there is no such user")
    return user


def _describe(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "admin": user.admin,
        "disabled": user.disabled,
        "created_at": user.created_at.isoformat() + "+00:00",
    }
