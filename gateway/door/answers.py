"""The two forms that an error comes in, and the errors behind the exceptions of others.

Under `/v1`, or when the client prefers JSON, it is RFC 9457 `application/problem+json`; on the
original routes it is the sentence as one line of plain text.
"""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from chassis import logs
from chassis.identity import KeysUnavailable
from chassis.problem import Problem
from chassis.web import prefers_json, respond
from gateway.problems import (
    bad_request,
    internal_error,
    method_not_allowed,
    no_such_queue,
    not_found,
    unavailable,
)
from pipeline.broker import BrokerUnavailable
from pipeline.dead_letters import NoSuchQueue
from pipeline.mongodb import StoreRefused, StoreUnavailable

log = logs.get(__name__)


def answer(problem: Problem) -> Response:
    """Return the problem in the form that the route and the client speak."""
    return respond(problem, in_json=request.path.startswith("/v1/") or prefers_json())


def register(app: Flask) -> None:
    """Make the application answer every exception as a problem."""

    @app.errorhandler(Problem)
    def _(problem: Problem) -> Response:
        return answer(problem)

    @app.errorhandler(StoreUnavailable)
    def _(error: StoreUnavailable) -> Response:
        log.warning("the store is unavailable", reason=str(error))
        return answer(unavailable("the file store"))

    @app.errorhandler(StoreRefused)
    def _(error: StoreRefused) -> Response:
        log.error("the store refused", reason=str(error))
        return answer(unavailable("the file store"))

    @app.errorhandler(BrokerUnavailable)
    def _(error: BrokerUnavailable) -> Response:
        log.warning("the broker is unavailable", reason=str(error))
        return answer(unavailable("the message broker"))

    @app.errorhandler(NoSuchQueue)
    def _(_error: NoSuchQueue) -> Response:
        return answer(no_such_queue())

    @app.errorhandler(KeysUnavailable)
    def _(error: KeysUnavailable) -> Response:
        log.warning("there are no keys to verify tokens with", reason=str(error))
        return answer(unavailable("the auth service"))

    @app.errorhandler(HTTPException)
    def _(error: HTTPException) -> Response:
        return answer(_of_flask(error))

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response:
        log.error("unhandled exception in the gateway", exc_info=error)
        return answer(internal_error())


def _of_flask(error: HTTPException) -> Problem:
    """Return what Flask itself refuses, before any view is asked."""
    if isinstance(error, MethodNotAllowed):
        return method_not_allowed(request.method, ", ".join(sorted(error.valid_methods or ())))
    if isinstance(error, NotFound):
        return not_found(request.path)
    return bad_request(error.description or "")
