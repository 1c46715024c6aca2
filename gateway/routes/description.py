"""The API's description: `/openapi.json` for programs, `/docs` for people."""

from flask import Blueprint, Response, current_app, jsonify, render_template

from gateway import openapi

routes = Blueprint("description", __name__)


@routes.get("/openapi.json")
def description() -> Response:
    """Describe the API in OpenAPI 3.1."""
    return jsonify(openapi.describe(current_app))


@routes.get("/docs")
def docs() -> Response:
    """Describe the API on a page that needs nothing from elsewhere."""
    response = Response(render_template("docs.html", api=openapi.describe(current_app)), mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return response


@routes.get("/docs/style.css")
def style() -> Response:
    """Give that page its looks."""
    return Response(render_template("docs.css"), mimetype="text/css")
