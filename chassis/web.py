"""What the services that speak HTTP share: errors as values, request ids, a line and metrics for each answer.

The only module here that imports Flask; the workers' images have neither.
"""

import json
import re
import time
from collections.abc import Callable, Collection
from http import HTTPStatus
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

from chassis import logs
from chassis.problem import Problem, phrase

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

requests_total = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram("http_request_seconds", "Seconds until the answer began.", ["method", "route"])
log = logs.get(__name__)


def respond(problem: Problem, *, in_json: bool) -> Response:
    """Return a problem as `application/problem+json`, or as its detail in one line of plain text."""
    if in_json:
        body, mimetype = json.dumps(problem.as_document(g.request_id)) + "\n", "application/problem+json"
    else:
        body, mimetype = problem.detail, "text/plain"
    response = Response(body, f"{problem.status.value} {phrase(problem.status)}", mimetype=mimetype)
    response.headers.update(problem.headers)
    return response


def prefers_json() -> bool:
    """Tell whether the client would rather have JSON, be it an error's own kind, than plain text."""
    accepted = request.accept_mimetypes
    in_json = max(accepted.quality("application/json"), accepted.quality("application/problem+json"))
    return in_json > accepted.quality("text/plain")


def observe(app: Flask, who: Callable[[], str | None] = lambda: None, polled: Collection[str] = ()) -> None:
    """Give every request an id, that of its sender if it has one, and every answer a line and its metrics.

    Args:
        app: the application; `g.request_id` is there for its views.
        who: returns the name of the user whom the request that is answered now speaks for.
        polled: routes that other services ask every few seconds; only their failures have a line.
    """

    @app.before_request
    def _() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def _(response: Response) -> Response:
        seconds = time.perf_counter() - g.began
        route = request.url_rule.rule if request.url_rule else "none"
        requests_total.labels(request.method, route, response.status_code).inc()
        request_seconds.labels(request.method, route).observe(seconds)
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        user = who()
        write = log.debug if route in polled and response.status_code < HTTPStatus.BAD_REQUEST else log.info
        write(
            "answered",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            **({} if user is None else {"user": user}),
        )
        return response
