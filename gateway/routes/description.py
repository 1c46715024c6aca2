"""The API's description: `/openapi.json` for programs, `/docs` for people."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from markupsafe import Markup, escape

from chassis.problem import phrase
from gateway.description import openapi

Json = dict[str, Any]
ORDER = (
    "original",
    "jobs",
    "uploads",
    "events",
    "convert",
    "session",
    "account",
    "keys",
    "webhooks",
    "shares",
    "feeds",
    "admin",
)

routes = Blueprint("description", __name__, template_folder="../description/templates")


@routes.get("/openapi.json")
def description() -> Response:
    """Describe the API in OpenAPI 3.1."""
    return jsonify(openapi.describe(current_app))


@routes.get("/docs")
def docs() -> Response:
    """Describe the API on a page that needs nothing from elsewhere."""
    api = openapi.describe(current_app)
    operations = list(_operations(api))
    groups = {tag: [operation for operation in operations if tag in operation["tags"]] for tag in ORDER}
    everywhere = openapi.OF_GUARDED_ROUTES + openapi.OF_EVERY_ROUTE
    page = render_template("docs.html", api=api, groups=groups, everywhere=everywhere, host=request.url_root)
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return response


@routes.get("/docs/style.css")
def style() -> Response:
    """Give that page its looks."""
    return Response(render_template("docs.css"), mimetype="text/css")


@routes.app_template_filter()
def marked(text: str) -> Markup:
    """Show what stands in backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text or ""))))  # noqa: S704 - escaped


routes.add_app_template_filter(phrase)


def _operations(api: Json) -> Iterator[Json]:
    """Yield each operation with what the page tells of it."""
    everywhere = {str(status.value) for status in openapi.OF_GUARDED_ROUTES + openapi.OF_EVERY_ROUTE}
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            answers = {s: a for s, a in operation["responses"].items() if s not in everywhere}
            fields = dict(_fields(api, operation.get("requestBody", {"content": {}})))
            yield {**operation, "method": method.upper(), "path": path, "answers": answers, "fields": fields}


def _fields(api: Json, body: Json) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a body in JSON; options are told as parameters already."""
    for kind in body["content"].values():
        name = kind["schema"].get("$ref", "").rpartition("/")[2]
        shape = api["components"]["schemas"].get(name, {"properties": {}})
        for field, schema in shape["properties"].items():
            required = field in shape.get("required", ())
            yield field, {"required": required, "description": schema.get("description", "")}
