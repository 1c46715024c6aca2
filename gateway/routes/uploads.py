"""Resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload), and the list of them."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, g, jsonify, request, url_for
from werkzeug.exceptions import MethodNotAllowed

from chassis.problem import Problem
from gateway import problems
from gateway.collaborators import use
from gateway.description.documented import documented
from gateway.door import audit, parameters
from gateway.door.access import requires
from gateway.uploads import tus_headers
from gateway.uploads.resumable import Resumable
from gateway.uploads.tus_headers import Part
from gateway.uploads.upload_view import describe
from gateway.uploads.uploads import key_of
from pipeline.job_queries import InvalidCursor, cursor
from pipeline.upload_store import Upload

routes = Blueprint("uploads", __name__, url_prefix="/v1/uploads")


@routes.after_request
def speak_tus(response: Response) -> Response:
    """Say in every answer which tus it is."""
    response.headers["Tus-Resumable"] = tus_headers.VERSION
    return response


@routes.route("", methods=["OPTIONS"])
@routes.route("/<upload_id>", methods=["OPTIONS"])
def offers(upload_id: str = "") -> Response:
    """Tell what of tus there is."""
    del upload_id
    return _nothing(HTTPStatus.NO_CONTENT, tus_headers.of_server(use().settings.max_upload_bytes))


@routes.get("")
@requires("jobs:read")
@documented({200: "UploadPage"}, errors=(422,), query=("limit", "before"))
def index() -> Response:
    """List your unfinished uploads, the newest first."""
    parameters.only("limit", "before")
    limit = parameters.number("limit", 20, 1, parameters.MAX_PAGE)
    try:
        page = _resumable().store.page(
            g.identity.username, limit=limit + 1, before=request.args.get("before")
        )
    except InvalidCursor:
        raise problems.invalid_parameter("before", "the cursor of an earlier answer's next") from None
    following = None
    if len(page) > limit:
        query = urlencode({"limit": limit, "before": cursor(page[limit - 1])})
        following = f"{url_for('uploads.index')}?{query}"
    return jsonify({"uploads": [describe(upload) for upload in page[:limit]], "next": following})


@routes.post("")
@requires("jobs:write")
@documented(
    {201: "nothing"},
    errors=(400, 409, 412, 413, 415, 422, 460, 507),
    headers=(
        "Tus-Resumable",
        "Upload-Length",
        "Upload-Defer-Length",
        "Upload-Metadata",
        "Upload-Checksum",
        "Idempotency-Key",
    ),
    body="part",
)
def create() -> Response:
    """Begin an upload, with its first bytes if there are any."""
    tus_headers.check_version(request)
    description, part = tus_headers.description(request), Part.of_creation(request)
    upload = _resumable().create(g.identity.username, description, g.request_id, key_of(request))
    # Some clients cannot resolve a relative address. A browser can, and knows better than this process
    # whether it came by https.
    location = url_for("uploads.append", upload_id=upload.id, _external="Origin" not in request.headers)
    if part is not None and upload.offset == 0:
        try:
            upload = _resumable().append(request, part, upload)
        except Problem as problem:
            problem.headers = {
                **problem.headers,
                "Location": location,
            }  # the upload is there, whatever became of its first bytes
            raise
    return _nothing(HTTPStatus.CREATED, {**_headers(upload), "Location": location})


@routes.route("/<upload_id>", methods=["HEAD"])
@requires("jobs:write", waits=True)
@documented({200: "nothing"}, errors=(404, 409, 412, 423), headers=("Tus-Resumable", "Upload-Metadata"))
def show(upload_id: str) -> Response:
    """Tell how many bytes have arrived; whoever sends still is ended."""
    tus_headers.check_version(request)
    upload = _own(upload_id)
    tus_headers.check_file(request, upload)
    upload = _resumable().settle(upload)
    return _nothing(HTTPStatus.OK, _headers(upload))


@routes.patch("/<upload_id>")
@requires("jobs:write", waits=True)
@documented(
    {204: "nothing"},
    errors=(400, 404, 409, 412, 413, 415, 423, 460, 507),
    headers=("Tus-Resumable", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Checksum"),
    body="part",
)
def append(upload_id: str) -> Response:
    """Add bytes at the offset; the last one makes the job."""
    tus_headers.check_version(request)
    part, upload = Part.of(request), _own(upload_id)
    tus_headers.check_file(request, upload)
    upload = _resumable().append(request, part, upload)
    return _nothing(HTTPStatus.NO_CONTENT, _headers(upload))


@routes.delete("/<upload_id>")
@requires("jobs:write", waits=True)
@documented({204: "nothing"}, errors=(404, 409, 412), headers=("Tus-Resumable",))
def terminate(upload_id: str) -> Response:
    """End an upload; nothing is left of it."""
    tus_headers.check_version(request)
    _resumable().terminate(_own(upload_id))
    audit.record("terminated", upload_id=upload_id)
    return _nothing(HTTPStatus.NO_CONTENT, {})


@routes.post("/<upload_id>")
def override(upload_id: str) -> Response:
    """Do what `X-HTTP-Method-Override` names, for clients that can only get and post."""
    methods = {"PATCH": append, "DELETE": terminate, "HEAD": show}
    method = request.headers.get("X-HTTP-Method-Override", "")
    if method not in methods:
        raise MethodNotAllowed([*methods, "OPTIONS"])
    return methods[method](upload_id)


def _resumable() -> Resumable:
    return use().resumable


def _own(upload_id: str) -> Upload:
    return _resumable().own(upload_id, g.identity.username)


def _headers(upload: Upload) -> dict[str, str]:
    """Return how far an upload is, and its job once it is complete."""
    headers = tus_headers.of(upload)
    if upload.state != "receiving":
        headers |= {"Location": url_for("jobs.show", job_id=upload.id), "X-Job-Id": upload.id}
    return headers


def _nothing(status: HTTPStatus, headers: dict[str, str]) -> Response:
    response = Response(status=status)
    del response.headers["Content-Type"]
    response.headers.update(headers)
    return response
