"""Put the gateway together: one application from settings, or from collaborators in a test."""

import re
import threading
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram
from werkzeug.middleware.proxy_fix import ProxyFix

from chassis import admin, logs, mongodb
from chassis.broker import Publisher
from chassis.counters import Counters
from chassis.dead_letters import DeadLetters
from chassis.doorbell import Publishes
from chassis.files import Blobs
from chassis.idempotency import IdempotencyKeys
from chassis.identity import Verifier
from chassis.jobs import Jobs
from gateway import answers, headers, routes
from gateway.auth_client import AuthClient
from gateway.collaborators import Collaborators, use
from gateway.limits import FreeSpace, Limits
from gateway.passwords import Passwords
from gateway.rates import Rates
from gateway.settings import Settings
from gateway.uploads import Uploads
from gateway.watch import Watch

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
    verifier = Verifier(
        auth.keys, auth.revocations, issuer=settings.token_issuer, audience=settings.token_audience
    )
    verifier.keep_fresh()
    checks = {
        "mongodb": lambda: mongodb.ping(client),
        "rabbitmq": publisher.check,
        "auth keys": verifier.check,
    }
    # Uploads are accepted while the broker is away: the reconciler rings for them.
    admin.serve(settings.admin_host, settings.admin_port, checks=checks, dispensable={"rabbitmq"})
    return build(settings, client, publisher, auth, verifier)


def build(
    settings: Settings, client: mongodb.Client, publisher: Publishes, auth: AuthClient, verifier: Verifier
) -> Flask:
    """Return the application that works with these servers."""
    app = Flask("gateway", static_folder=None)
    stopping = app.extensions["stopping"] = threading.Event()
    jobs, videos = Jobs(client, settings.timing), Blobs(client, "videos")
    limits = Limits(settings, jobs, FreeSpace(client))
    app.extensions["gateway"] = Collaborators(
        settings=settings,
        auth=auth,
        verifier=verifier,
        passwords=Passwords(),
        jobs=jobs,
        videos=videos,
        mp3s=Blobs(client, "mp3s"),
        publisher=publisher,
        uploads=Uploads(
            jobs,
            videos,
            publisher,
            IdempotencyKeys(client),
            limits,
            settings.max_upload_bytes,
            settings.uploads_at_once,
            stopping,
        ),
        watch=Watch(jobs.versions, max(1, settings.threads // 2), stopping),
        rates=Rates(Counters(client)),
        dead_letters=DeadLetters(settings.rabbitmq_url.get_secret_value()),
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # as Flask documents it
    app.before_request(_begin)
    app.after_request(_end)
    answers.register(app)
    routes.register(app)
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
    headers.add(response, use().settings)
    log.info(
        "answered",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        user=g.identity.username if "identity" in g else None,
    )
    return response
