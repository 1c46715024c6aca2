"""Put the gateway together: one application from settings, or from collaborators in a test."""

import re
import threading
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

from chassis import admin, logs, mongodb
from chassis.broker import Publisher
from chassis.files import Blobs
from chassis.identity import Verifier
from chassis.jobs import Jobs
from gateway import problems, views
from gateway.login import AuthClient
from gateway.settings import Settings
from gateway.uploads import Uploads

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

requests_total = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram("http_request_seconds", "Seconds until the answer began.", ["method", "route"])
log = logs.get(__name__)


def create_app() -> Flask:
    """Return the application of a gateway process, its admin port and connections started."""
    settings = Settings.read()
    logs.configure("gateway", settings.log_level, settings.log_format)
    client = mongodb.connect(settings.mongodb_url.get_secret_value())
    publisher = Publisher(settings.rabbitmq_url.get_secret_value(), "gateway")
    auth = AuthClient(str(settings.auth_url))
    verifier = Verifier(auth.keys, issuer=settings.token_issuer, audience=settings.token_audience)
    verifier.keep_fresh()
    jobs, videos = Jobs(client), Blobs(client, "videos")
    checks = {
        "mongodb": lambda: mongodb.ping(client),
        "rabbitmq": publisher.check,
        "auth keys": verifier.check,
    }
    admin.serve(settings.admin_host, settings.admin_port, checks=checks)
    uploads = Uploads(jobs, videos, publisher, settings.max_upload_bytes, settings.uploads_at_once)
    return build(views.Collaborators(auth, verifier, jobs, Blobs(client, "mp3s"), uploads))


def build(collaborators: views.Collaborators) -> Flask:
    """Return the application that works with these collaborators."""
    app = Flask("gateway", static_folder=None)
    app.extensions["stopping"] = threading.Event()
    app.extensions["gateway"] = collaborators
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.before_request(_begin)
    app.after_request(_end)
    problems.register(app)
    app.register_blueprint(views.routes)
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
        user=g.identity.username if "identity" in g else None,
    )
    return response
