"""The headers of tus 1.0.0 (https://tus.io/protocols/resumable-upload), read and written."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from flask import Request
from werkzeug.http import http_date

from gateway import problems
from gateway.uploads import names, tus_problems
from pipeline.options import InvalidOption, Options
from pipeline.upload_store import Description, Upload

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum"
ALGORITHMS = ("sha1", "sha256")
PART_TYPE = "application/offset+octet-stream"
MAX_METADATA = 4096
MAX_DIGITS = 18
KEY = r"[!-+\--~]+"
"""Printable ASCII without space and comma."""
BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
METADATA = f"^(?:{KEY}(?: {BASE64})?(?:,{KEY}(?: {BASE64})?)*)?$"
"""How metadata are written; spaces about the commas are taken too."""
_KEY = re.compile(KEY)


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request must hash to."""

    algorithm: str
    digest: bytes

    def begin(self) -> "hashlib._Hash":
        """Return a hash to feed the bytes to."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def fits(self, running: "hashlib._Hash") -> bool:
        """Tell whether these were the bytes."""
        return hmac.compare_digest(running.digest(), self.digest)


@dataclass(frozen=True, slots=True)
class Part:
    """What a request says of the bytes that it brings."""

    offset: int
    size: int | None
    """`None` where the body comes in chunks and tells its end itself."""
    length: int | None
    """Of the whole upload, where the request declares it."""
    checksum: Checksum | None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read the headers of a `PATCH`.

        Raises:
            Problem: naming the first that is wrong.
        """
        if request.mimetype != PART_TYPE:
            raise tus_problems.wrong_content_type(PART_TYPE)
        offset = _number(request, "Upload-Offset")
        if offset is None:
            raise tus_problems.malformed_header(
                "Upload-Offset", "the number of bytes that have already arrived"
            )
        return cls(offset, request.content_length, _number(request, "Upload-Length"), _checksum(request))

    @classmethod
    def of_creation(cls, request: Request) -> Self | None:
        """Return the first bytes of an upload that its creation brings, or `None`."""
        if not request.content_length and "Transfer-Encoding" not in request.headers:
            return None
        if request.mimetype != PART_TYPE:
            raise tus_problems.wrong_content_type(PART_TYPE)
        return cls(0, request.content_length, None, _checksum(request))


def check_version(request: Request) -> None:
    """Return when the request speaks our tus.

    Raises:
        Problem: it speaks another, or does not say which.
    """
    if request.headers.get("Tus-Resumable") != VERSION:
        raise tus_problems.unsupported_version(VERSION)


def check_file(request: Request, upload: Upload) -> None:
    """Return when a request that goes on with an upload means the same file, if it says which.

    Raises:
        Problem: its metadata are not those that the upload began with.
    """
    if request.headers.get("Upload-Metadata", upload.metadata) != upload.metadata:
        raise tus_problems.another_file()


def description(request: Request) -> Description:
    """Return what the creation of an upload says of the file.

    Raises:
        Problem: naming the first header that is wrong, or the first option.
    """
    if "Upload-Concat" in request.headers:
        raise tus_problems.not_offered("concatenation")
    length = _number(request, "Upload-Length")
    deferred = request.headers.get("Upload-Defer-Length")
    if (length is None) != (deferred == "1") or deferred not in (None, "1"):
        allowed = "a number of bytes, or Upload-Defer-Length must be 1"
        raise tus_problems.malformed_header("Upload-Length", allowed)
    text = request.headers.get("Upload-Metadata", "")
    metadata = _metadata(text)
    given = {name: value for name, value in metadata.items() if name in Options.model_fields}
    try:
        options = Options.parse(given).as_document()
    except InvalidOption as error:
        raise problems.invalid_option(str(error)) from None
    return Description(
        length=length,
        filename=names.clean(metadata.get("filename", "")),
        content_type=names.media_type(metadata.get("filetype")),
        options=options,
        metadata=text,
    )


def of(upload: Upload) -> dict[str, str]:
    """Return the headers that tell how far an upload is."""
    headers = {"Upload-Offset": str(upload.offset), "Upload-Expires": http_date(upload.expires_at)}
    if upload.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(upload.length)
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return headers


def of_server(max_bytes: int) -> dict[str, str]:
    """Return the headers that tell what is offered."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def _number(request: Request, name: str) -> int | None:
    given = request.headers.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS):
        raise tus_problems.malformed_header(name, "a number of bytes")
    return int(given)


def _metadata(text: str) -> Mapping[str, str]:
    allowed = "pairs of a name and a value in Base64, with commas between them"
    if len(text) > MAX_METADATA:
        raise tus_problems.malformed_header("Upload-Metadata", f"at most {MAX_METADATA} characters long")
    found: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        name, _, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(name) or name in found:
            raise tus_problems.malformed_header("Upload-Metadata", allowed)
        try:
            found[name] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError:
            raise tus_problems.malformed_header(
                "Upload-Metadata", f"{allowed}: {name[:50]} has none"
            ) from None
    return found


def _checksum(request: Request) -> Checksum | None:
    given = request.headers.get("Upload-Checksum")
    if given is None:
        return None
    algorithm, _, value = given.partition(" ")
    allowed = f"one of {', '.join(ALGORITHMS)}, a space and the digest in Base64"
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except binascii.Error:
        raise tus_problems.malformed_header("Upload-Checksum", allowed) from None
    if (
        algorithm not in ALGORITHMS
        or len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size
    ):
        raise tus_problems.malformed_header("Upload-Checksum", allowed)
    return Checksum(algorithm, digest)
