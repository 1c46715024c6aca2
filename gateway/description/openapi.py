"""Describe the API from its routes, in OpenAPI 3.1: what `/openapi.json` answers."""

import inspect
import re
from http import HTTPStatus
from typing import Any

from flask import Flask
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from chassis.problem import phrase
from gateway.description.documented import QUERY_OF_OPTIONS, Documentation
from gateway.description.schemas import SHAPES
from gateway.door.parameters import MAX_PAGE, MAX_TEXT
from gateway.door.session import COOKIE
from gateway.uploads import tus_headers
from gateway.uploads.limits import MAX_WAIT_SECONDS
from pipeline.addresses import MAX_URL
from pipeline.broker import QUEUES
from pipeline.deliveries import STATES as DELIVERY_STATES
from pipeline.job import STATES
from pipeline.job_queries import CURSOR
from pipeline.options import BITRATES, LOUDEST, MAX_TITLE, MAX_TRACK, NO, QUIETEST, SAMPLE_RATES, YES

Json = dict[str, Any]

_TIME = r"^([0-9]{1,3}:[0-5]?[0-9]:[0-5]?[0-9]|[0-5]?[0-9]:[0-5]?[0-9]|[0-9]{1,6})(\.[0-9]{1,6})?$"
_TRACK = r"^(default|0{0,7}[1-9][0-9]?|[1-9][0-9]?[+, ][1-9][0-9]?|[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)$"
_LOUDNESS = r"^(off|podcast|music|ebu|[-\u2212]([89]|[1-3][0-9])(\.[0-9]{1,2})?|-40)$"
_ONE_LINE = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_CLOCK = {"type": "string", "pattern": _TIME, "examples": ["90", "1:30", "00:01:30.5"]}
_QUALITY = {"type": "string", "pattern": f"^(auto|[vV][0-9]|({'|'.join(map(str, BITRATES))})k?)$"}
_WORD = {"type": "string", "maxLength": MAX_TEXT}
_COUNT = {"type": "string", "pattern": "^[0-9]{1,12}$"}
PARAMETERS: dict[str, tuple[str, Json]] = {
    "number": ("The part's number, from 1.", {"type": "string", "minLength": 1}),
    "job_id": ("The job's id: 32 hexadecimal characters.", {"type": "string", "minLength": 1}),
    "session_id": ("The session's id.", {"type": "string", "minLength": 1}),
    "share_id": ("The link's id, as the list tells it.", {"type": "string", "minLength": 1}),
    "feed_id": ("The feed's id, as the list tells it.", {"type": "string", "minLength": 1}),
    "episode_id": ("The job's id.", {"type": "string", "minLength": 1}),
    "token": ("What the address was given with.", {"type": "string", "minLength": 1}),
    "webhook_id": (
        "The webhook's id, or `callbacks` for what your `callback_url` options share.",
        {"type": "string", "minLength": 1},
    ),
    "delivery_id": ("The delivery's id, as the list tells it.", {"type": "string", "minLength": 1}),
    "key_id": ("The key's id, as the list tells it.", {"type": "string", "minLength": 1}),
    "queue": ("`video` or `mp3`.", {"type": "string", "enum": list(QUEUES)}),
    "username": ("The user's name, an e-mail address.", {"type": "string", "minLength": 1}),
    "name": ("The file's name.", {"type": "string"}),
    "fid": ("The job's id, as the mail tells it.", {"type": "string", "minLength": 1}),
    "ids": ("The jobs' ids, with commas between.", {"type": "string", "minLength": 1}),
    "inline": ("Play in the browser instead of saving.", {"type": "string"}),
    "state": ("Only jobs in this state.", {"type": "string", "enum": list(STATES)}),
    "status": ("Only deliveries in this state.", {"type": "string", "enum": list(DELIVERY_STATES)}),
    "q": ("Only jobs with this in the file's name.", _WORD),
    "owner": ("Only jobs of this user.", _WORD),
    "limit": ("How many at the most.", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 20}),
    "before": ("Where an earlier answer ended.", {"type": "string", "pattern": f"^{CURSOR.pattern}$"}),
    "wait": ("Seconds to wait.", {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS}),
    "quality": ("`auto`, `V0` (best) to `V9`, or a constant bitrate in kbit/s.", _QUALITY),
    "track": (
        "Which sound track: `default`, a number from 1, a language, or two (`1+2`) for left and right.",
        {"type": "string", "pattern": _TRACK, "examples": ["default", "2", "1+2", "eng"]},
    ),
    "start": ("Where to begin.", _CLOCK),
    "end": ("Where to end.", _CLOCK),
    "channels": ("", {"type": "string", "enum": ["auto", "mono", "stereo", "left", "right"]}),
    "sample_rate": ("In Hz.", {"type": "string", "enum": ["auto", *map(str, SAMPLE_RATES)]}),
    "loudness": (
        "`off`, `podcast` (-16), `music` (-14), `ebu` (-23), or a number of LUFS.",
        {"type": "string", "pattern": _LOUDNESS},
    ),
    "tags": ("Keep or strip title, artist, …", {"type": "string", "enum": ["keep", "strip"]}),
    "title": ("The MP3's title.", {"type": "string", "maxLength": MAX_TITLE, "pattern": _ONE_LINE}),
    "split": (
        "Also make one MP3 for each chapter, or for each piece between silences.",
        {"type": "string", "enum": ["off", "chapters", "silence"]},
    ),
    "callback_url": (
        "Where to tell of the outcome: https, on port 443 or 8443.",
        {"type": "string", "maxLength": MAX_URL, "pattern": "^https://[a-z0-9.-]+(:8443)?/[ -~]*$"},
    ),
    "strict": ("Fail rather than convert a part.", {"type": "string", "enum": [*YES, *NO]}),
    "Idempotency-Key": (
        "The same key makes no second job.",
        {"type": "string", "pattern": "^[!-~]{1,200}$"},
    ),
    "If-Match": (
        "Do it only if the job still has this ETag.",
        {"type": "string", "pattern": r'^(\*|"[0-9]{1,9}")$'},
    ),
    "Last-Event-ID": ("The last event that was seen.", {"type": "string", "examples": ["7"]}),
    "upload_id": (
        "The upload's id, and its job's: 32 hexadecimal characters.",
        {"type": "string", "minLength": 1},
    ),
    "Tus-Resumable": ("The version of tus.", {"type": "string", "const": tus_headers.VERSION}),
    "Upload-Length": ("How many bytes the whole file has.", _COUNT),
    "Upload-Defer-Length": ("The length is told later.", {"type": "string", "const": "1"}),
    "Upload-Offset": ("How many bytes are there already.", _COUNT),
    "Upload-Metadata": (
        "Pairs of a name and a value in Base64: `filename`, `filetype`, and every option of a conversion.",
        {
            "type": "string",
            "maxLength": tus_headers.MAX_METADATA,
            "pattern": tus_headers.METADATA,
        },
    ),
    "Upload-Checksum": (
        f"{' or '.join(tus_headers.ALGORITHMS)}, a space, and the digest of this request's bytes in Base64.",
        {"type": "string", "pattern": "^(sha1 [A-Za-z0-9+/]{27}|sha256 [A-Za-z0-9+/]{43})=$"},
    ),
    "Range": ("Which bytes.", {"type": "string", "examples": ["bytes=0-99"]}),
}
_NUMBERS: dict[str, Json] = {
    "quality": {"type": "integer", "enum": list(BITRATES)},
    "track": {"type": "integer", "minimum": 1, "maximum": MAX_TRACK},
    "start": {"type": "number", "minimum": 0, "maximum": 999_999, "multipleOf": 0.5},
    "end": {"type": "number", "exclusiveMinimum": 0, "maximum": 999_999, "multipleOf": 0.5},
    "sample_rate": {"type": "integer", "enum": list(SAMPLE_RATES)},
    "loudness": {"type": "integer", "minimum": int(QUIETEST), "maximum": int(LOUDEST)},
    "title": {"type": "number", "minimum": -1e9, "maximum": 1e9},
    "strict": {"enum": [True, False, 1, 0]},
}
"""What an option may also be where JSON can say it."""
_OPTIONS = {
    "type": "object",
    "properties": {
        name: {"anyOf": [PARAMETERS[name][1], _NUMBERS[name]]} if name in _NUMBERS else PARAMETERS[name][1]
        for name in QUERY_OF_OPTIONS
    },
    "additionalProperties": False,
}


def _schema(shape: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{shape}"}}


_TEXT = {"schema": {"type": "string"}}
_FILE = {"type": "string", "format": "binary"}
_WHOLE = {**_FILE, "minLength": 1}
_FORM: Json = {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}
_FORM_OF_FILES = {
    **_FORM,
    "properties": {**_FORM["properties"], **{name: PARAMETERS[name][1] for name in QUERY_OF_OPTIONS}},
    "additionalProperties": False,
}
BODIES: dict[str, Json] = {
    "form": {"multipart/form-data": {"schema": _FORM}},
    "files": {
        "multipart/form-data": {"schema": _FORM_OF_FILES},
        "application/octet-stream": {"schema": _WHOLE},
    },
    "file": {"application/octet-stream": {"schema": _WHOLE}},
    "part": {tus_headers.PART_TYPE: {"schema": _FILE}},
    "options": {"application/json": {"schema": _OPTIONS}},
    "session": {
        "application/x-www-form-urlencoded": _schema("SessionLogin"),
        "application/json": _schema("SessionLogin"),
    },
    "login": {"application/x-www-form-urlencoded": _schema("Login"), "application/json": _schema("Login")},
}
"""By name, those that are more than one shape in JSON."""
OPTIONAL_BODIES = ("login", "options", "part", "ShareWish", "FeedWish")
CONTENT: dict[str, Json] = {
    "text": {"text/plain": _TEXT},
    "token": {"text/plain": _TEXT, "application/json": _schema("Token")},
    "zip": {"application/zip": {"schema": _FILE}},
    "mp3": {"audio/mpeg": {"schema": _FILE}},
    "events": {"text/event-stream": {}},
    "page": {"text/html": _TEXT},
    "feed": {"application/rss+xml": _TEXT},
    "cover": {"image/jpeg": {"schema": _FILE}, "image/png": {"schema": _FILE}},
    "chapters": {"application/json+chapters": {"schema": {"type": "object"}}},
}
OF_EVERY_ROUTE = (
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
OF_GUARDED_ROUTES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


def describe(app: Flask) -> Json:
    """Return the description of an application."""
    paths: dict[str, Json] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        documentation: Documentation | None = getattr(view, "documentation", None)
        if documentation is None or rule.defaults:  # a second way to a view is told by its first
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        methods = (rule.methods or set()) - {"OPTIONS"}
        for method in sorted(methods - {"HEAD"} or methods):  # HEAD goes without saying beside GET
            paths.setdefault(path, {})[method.lower()] = _operation(rule, view, documentation)
    _, schemas = models_json_schema(
        [(shape, "validation") for shape in SHAPES], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "video-to-mp3", "version": "1", "description": "Turns videos into MP3s."},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "password": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(rule: Rule, view: Any, documentation: Documentation) -> Json:
    scope = getattr(view, "scope", None)
    operation: Json = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": (inspect.getdoc(view) or "").splitlines()[0],
        "tags": [rule.endpoint.split(".")[0]],
        "parameters": [
            *(_parameter(name, "path") for name in sorted(rule.arguments)),
            *(_parameter(name, "query") for name in documentation.query),
            *(_parameter(name, "header") for name in documentation.headers),
        ],
        "responses": _responses(documentation, guarded=scope is not None, original="/v1" not in rule.rule),
    }
    if documentation.body is not None:
        content = BODIES.get(documentation.body) or {"application/json": _schema(documentation.body)}
        operation["requestBody"] = {"content": content, "required": documentation.body not in OPTIONAL_BODIES}
    if scope is not None:
        operation["security"] = [{"token": []}, {"password": []}, {"session": []}]
        operation["description"] = f"Needs the scope `{scope}`."
    elif getattr(view, "takes_password", False):
        operation["security"] = [{"password": []}]
        operation["description"] = "Needs your user name and password."
    return operation


def _parameter(name: str, place: str) -> Json:
    description, schema = PARAMETERS[name]
    required = place == "path" or name in ("fid", "ids", "Tus-Resumable")
    return {"name": name, "in": place, "required": required, "description": description, "schema": schema}


def _responses(documentation: Documentation, *, guarded: bool, original: bool) -> Json:
    responses: Json = {}
    for status, shape in documentation.answers.items():
        responses[str(status)] = {"description": phrase(status)}
        if shape != "nothing":
            responses[str(status)]["content"] = CONTENT.get(shape) or {"application/json": _schema(shape)}
    errors = {*documentation.errors, *OF_EVERY_ROUTE, *(OF_GUARDED_ROUTES if guarded else ())}
    for error in sorted(errors):
        content = {"application/problem+json": _schema("Problem")}
        if original:
            content |= CONTENT["text"]
        responses[str(int(error))] = {"description": phrase(error), "content": content}
    return responses
