"""The page at `/` and its files; without scripts, its forms do the same."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, g, render_template, request

from chassis.problem import Problem
from gateway import problems
from gateway.collaborators import use
from gateway.door.access import requires, who_is_logged_in
from gateway.page import assets
from gateway.uploads.terms import Terms
from pipeline.mongodb import StoreUnavailable

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
SHOWN = 20
"""How many jobs the page without scripts lists."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

routes = Blueprint("page", __name__, template_folder="../page/templates")


@routes.get("/")
def show() -> Response:
    """Send the page."""
    files = assets.read()
    if not files:
        abort(HTTPStatus.NOT_FOUND)
    username, jobs = _known()
    page = render_template(
        "page.html",
        modules=assets.needed_first(files),
        username=username,
        jobs=jobs,
        refused=_sentence(request.args.get("refused", "")),
        in_the_clear=not request.is_secure and request.host.rsplit(":", 1)[0] not in LOOPBACK,
    )
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CSP
    return response


@routes.post("/")
@requires("jobs:write")
def upload() -> Response:
    """Take the form of a page without scripts, and show the page again."""
    query = ""
    try:
        terms = Terms(options={}, max_files=1)
        use().uploads.receive(request, g.identity.username, g.request_id, terms)
    except Problem as problem:
        query = f"?refused={problem.code}"
    response = Response(status=HTTPStatus.SEE_OTHER)
    response.headers["Location"] = f"{request.root_path}/{query}"
    return response


@routes.get("/page/<path:path>")
def asset(path: str) -> Response:
    """Send a file of the page, compressed where that is understood."""
    found = assets.read().get(path)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    compressed = request.accept_encodings.quality("gzip") > 0
    response = Response(found.compressed if compressed else found.content, mimetype=found.media_type)
    if compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-cache"  # kept, and asked for again each time: 304
    response.set_etag(found.etag, weak=True)
    response.make_conditional(request)
    return response


def _known() -> tuple[str | None, list[object]]:
    """Return who is logged in, and their latest jobs; nobody where that cannot be told now."""
    try:
        identity = who_is_logged_in()
        if identity is None:
            return None, []
        return identity.username, list(use().jobs.page(identity.username, limit=SHOWN))
    except (Problem, StoreUnavailable):
        return None, []


def _sentence(code: str) -> str:
    """Return what the catalogue says of a code, and nothing for what is none."""
    sentences = {error.code: error.meaning for error in problems.errors}
    return sentences.get(code, "")
