"""The API's description, and whether the answers keep to it."""

import json

import httpx
import pytest
from pydantic import BaseModel

from chassis.problem import phrase
from dev import documents
from gateway import openapi
from gateway.description import schemas
from tests.integration.gateway.conftest import ROOT, Gateway, Stores

BRACES = str.maketrans("", "", "{}")
VIDEO = ("talk.mp4", b"\0 a video")


def test_the_committed_copy_is_that_of_the_code(gateway: Gateway) -> None:
    served = httpx.get(f"{gateway.url}/openapi.json").json()
    committed = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")

    assert committed == openapi.text(), "make docs"
    assert json.loads(committed) == served


def test_the_table_of_errors_is_that_of_the_code() -> None:
    committed = (ROOT / "docs/api.md").read_text(encoding="utf-8")

    assert committed == documents.api(committed), "make docs"
    assert "| 404 | `no_such_job` |" in committed


def test_no_code_and_no_phrase_depends_on_the_interpreter() -> None:
    assert [phrase(status) for status in (413, 414, 416, 422)] == [
        "Content Too Large",
        "URI Too Long",
        "Range Not Satisfiable",
        "Unprocessable Content",
    ]


def test_the_page_has_the_same_phrases(gateway: Gateway) -> None:
    page = httpx.get(f"{gateway.url}/docs").text

    assert "<code>414</code> URI Too Long" in page


def test_every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() -> None:
    text = openapi.text()
    api = json.loads(text)
    names = [operation["operationId"] for path in api["paths"].values() for operation in path.values()]

    assert len(names) == len(set(names))
    for shape in schemas.SHAPES:
        assert shape.__name__ in api["components"]["schemas"]
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.split('"', 1)[0] in api["components"]["schemas"]


def test_an_address_allows_the_methods_that_are_described(gateway: Gateway) -> None:
    paths = json.loads(openapi.text())["paths"]

    for path, operations in paths.items():
        if path.startswith("/v1/uploads"):
            continue  # there, OPTIONS tells what the protocol asks for
        allowed = httpx.options(f"{gateway.url}{path.translate(BRACES)}").headers["Allow"]
        expected = {method.upper() for method in operations} | {"OPTIONS"}
        if "GET" in expected:
            expected.add("HEAD")
        assert set(allowed.split(", ")) == expected, path


def test_every_route_is_described_but_the_description(gateway: Gateway) -> None:
    paths = httpx.get(f"{gateway.url}/openapi.json").json()["paths"]

    assert {
        "/login",
        "/upload",
        "/download",
        "/v1/jobs/{job_id}/events",
        "/v1/convert/{name}",
    } <= paths.keys()
    assert "put" in paths["/v1/me/password"]
    assert paths["/v1/jobs"]["post"]["security"] == [{"token": []}, {"password": []}, {"session": []}]


def test_the_page_needs_nothing_from_elsewhere(gateway: Gateway) -> None:
    page = httpx.get(f"{gateway.url}/docs")
    style = httpx.get(f"{gateway.url}/docs/style.css")

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<code>/v1/jobs/{job_id}/retry</code>" in page.text
    assert 'src="' not in page.text
    assert {link[0] for link in page.text.split('href="')[1:]} == {"/", "#"}
    assert page.text.count("<section ") == openapi.text().count('"operationId"')
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "shape"),
    [
        ("GET", "/v1/jobs/{queued}", schemas.Job),
        ("GET", "/v1/jobs/{done}", schemas.Job),
        ("GET", "/v1/jobs/{failed}", schemas.Job),
        ("GET", "/v1/jobs?limit=2", schemas.Page),
        ("POST", "/v1/jobs/{failed}/retry", schemas.Job),
        ("GET", "/v1/jobs/nonsense", schemas.Problem),
        ("PATCH", "/v1/jobs", schemas.Problem),
        ("GET", "/v1/limits", schemas.Limits),
        ("GET", "/v1/me/usage", schemas.Usage),
        ("GET", "/v1/admin/jobs", schemas.AnyPage),
        ("GET", "/v1/admin/jobs/{done}", schemas.AnyJob),
    ],
)
def test_answers_have_the_shape_that_is_described(
    gateway: Gateway, stores: Stores, method: str, path: str, shape: type[BaseModel]
) -> None:
    ids = {
        "queued": stores.queued().id,
        "done": stores.done("me@example.com", b"mp3").id,
        "failed": stores.failed(stores.queued()).id,
    }
    with gateway.client(scope="jobs:read jobs:write admin") as client:
        answer = client.request(method, path.format(**ids))

    shape.model_validate_json(answer.content)


def test_an_upload_has_the_shape_that_is_described(me: httpx.Client) -> None:
    schemas.Jobs.model_validate_json(me.post("/v1/jobs", files={"file": VIDEO}).content)


def test_options_and_methods_are_answered_without_a_token(gateway: Gateway) -> None:
    answer = httpx.options(f"{gateway.url}/v1/jobs")
    refused = httpx.patch(f"{gateway.url}/v1/jobs")

    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
