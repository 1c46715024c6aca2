"""The two forms of an error, and what the exceptions of others become."""

import pytest
from flask import Flask, g

from chassis.identity import KeysUnavailable
from gateway import problems
from gateway.door import answers
from pipeline.broker import BrokerUnavailable
from pipeline.dead_letters import NoSuchQueue
from pipeline.mongodb import StoreRefused, StoreUnavailable


def application(error: Exception) -> Flask:
    app = Flask("x")
    answers.register(app)

    @app.before_request
    def _() -> None:
        g.request_id = "r-1"

    @app.get("/old")
    @app.get("/v1/new")
    def _() -> str:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (problems.no_such_job(), 404, "no_such_job"),
        (StoreUnavailable("secret host"), 503, "unavailable"),
        (StoreRefused("secret host"), 503, "unavailable"),
        (KeysUnavailable("secret host"), 503, "unavailable"),
        (BrokerUnavailable("secret host"), 503, "unavailable"),
        (NoSuchQueue("secret"), 404, "no_such_queue"),
        (KeyError("secret"), 500, "internal_error"),
    ],
)
def test_every_exception_is_a_problem_that_tells_no_secret(error: Exception, status: int, code: str) -> None:
    answer = application(error).test_client().get("/v1/new")

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.get_json()["code"] == code
    assert answer.get_json()["request_id"] == "r-1"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        (None, False),
        ("*/*", False),
        ("text/plain", False),
        ("application/json", True),
        ("application/problem+json", True),
        ("application/json;q=0.9, text/plain;q=0.1", True),
        ("text/html, application/json;q=0.9, */*;q=0.8", True),
        ("text/*", False),
    ],
)
def test_the_original_routes_answer_in_text_unless_json_is_preferred(
    accept: str | None, *, is_json: bool
) -> None:
    headers = {} if accept is None else {"Accept": accept}

    answer = application(problems.no_such_job()).test_client().get("/old", headers=headers)

    assert answer.is_json is is_json
    assert is_json or answer.text == "there is no such job"


def test_an_unknown_route_is_a_problem_too() -> None:
    answer = application(KeyError()).test_client().get("/v1/new/")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    assert answer.get_json()["detail"] == "there is nothing at /v1/new/"
    assert answer.get_json()["hint"].endswith("Leave out the trailing slash.")


def test_another_method_is_told_which_are_allowed() -> None:
    answer = application(KeyError()).test_client().put("/v1/new")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.get_json()["detail"] == "PUT is not allowed here; allowed: GET, HEAD, OPTIONS"
