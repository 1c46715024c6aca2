"""Put auth together: one application from settings, or from collaborators in a test."""

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

from auth import admin_views, database, problems, views
from auth.keyring import Keyring
from auth.logins import Logins
from auth.passwords import Passwords
from auth.settings import Settings
from auth.store import Users
from auth.throttle import Throttle
from auth.tokens import Tokens
from chassis import admin, logs

MAX_BODY_BYTES = 16 * 1024
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

requests_total = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram("http_request_seconds", "Seconds until the answer began.", ["method", "route"])
log = logs.get(__name__)


def create_app() -> Flask:
    """Return the application of an auth process, its admin port started."""
    settings = Settings.read()
    logs.configure("auth", settings.log_level, settings.log_format)
    engine = database.connect(settings.database_url.get_secret_value(), connections=settings.threads)
    users = Users(engine)
    tokens = Tokens(
        Keyring(settings.signing_keys_dir),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        lifetime=settings.token_lifetime,
    )
    tokens.keep_fresh()
    admin.serve(settings.admin_host, settings.admin_port, checks={"mysql": users.check})
    throttle = Throttle(
        engine,
        per_account=settings.failures_per_account,
        per_address=settings.failures_per_address,
        window=settings.failures_window,
    )
    return build(Logins(users, Passwords(), tokens, throttle))


def build(logins: Logins) -> Flask:
    """Return the application that lets users in this way."""
    app = Flask("auth", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions["auth"] = logins
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.before_request(_begin)
    app.after_request(_end)
    problems.register(app)
    app.register_blueprint(views.routes)
    app.register_blueprint(admin_views.routes)
    return app


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else "none"
    requests_total.labels(request.method, route, response.status_code).inc()
    request_seconds.labels(request.method, route).observe(seconds)
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    log.info(
        "answered",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
    )
    return response
