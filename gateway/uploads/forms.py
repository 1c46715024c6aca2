"""Read a multipart form piece by piece: fields into a dictionary, files to whoever takes them.

Werkzeug's `MultipartDecoder` finds the boundaries; its own form parser would put every file into a
temporary file, and a body that is only called a form into memory.
"""

import re
from collections.abc import Callable
from typing import Protocol

from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData, State

from gateway.door.body import Body
from gateway.uploads import problems as upload_problems

MAX_PARTS = 100
MAX_FIELDS_BYTES = 64 * 1024
MAX_BOUNDARY = 70
"""RFC 2046, section 5.1.1."""
MAX_HEADER_BYTES = 8 * 1024
"""How much may stand before a part's content, and after the last part."""
WINDOWS_PATH = re.compile(rb'filename="(?:[A-Za-z]:\\|\\\\)(?:[^"\r\n]*\\)?([^"\\\r\n]+)"')
"""A whole path as old Windows programs send it, without doubling its backslashes."""


class Sink(Protocol):
    """Takes one file."""

    def write(self, data: bytes) -> object:
        """Take the next bytes."""

    def close(self) -> None:
        """The file is complete."""


class Nothing:
    """What a browser sends for a file field that was left empty: no name and no bytes."""

    def write(self, data: bytes) -> None:
        """Refuse bytes: a file that has some has a name."""
        if data:
            raise upload_problems.malformed_upload("a file has no name")

    def close(self) -> None:
        """Take the end of nothing."""


OpenFile = Callable[[str, str], Sink]
"""Called with a file's name and content type when its first byte is about to come."""


def read_files(request: Request, body: Body, open_file: OpenFile, name: str | None) -> dict[str, str]:
    """Hand the files of a request over and return the fields beside them.

    `name` is that of the file where the whole body is one; with `None` only forms hold files.

    Raises:
        Problem: the body is not the form that its headers announce.
    """
    if request.mimetype == "multipart/form-data":
        return read_form(request, body, open_file)
    if name is not None:
        sink: Sink | None = None
        for piece in body.pieces():
            sink = sink or open_file(name, request.mimetype)
            sink.write(piece)
        if sink is not None:
            sink.close()
    return {}


def read_form(request: Request, body: Body, open_file: OpenFile) -> dict[str, str]:
    """Read a whole form, hand its files over and return its fields.

    Raises:
        Problem: the body is not the form that its headers announce.
    """
    reader = _Reader(_decoder(request), open_file)
    for piece in body.pieces():
        reader.feed(piece)
    reader.feed(None)
    return reader.fields


def _decoder(request: Request) -> "_Decoder":
    boundary = request.mimetype_params.get("boundary", "")
    if not (0 < len(boundary) <= MAX_BOUNDARY and boundary.isascii()):
        raise upload_problems.malformed_upload(
            f"its Content-Type names no boundary of 1 to {MAX_BOUNDARY} ASCII characters"
        )
    return _Decoder(boundary.encode("ascii"), max_parts=MAX_PARTS)


class _Decoder(MultipartDecoder):
    """Werkzeug's, for the headers of old programs too, and with words for what it does not understand."""

    def reason(self, *, nothing: bool) -> str:
        """Return why decoding cannot go on."""
        if nothing:
            return "its body is empty"
        if self.state is State.PREAMBLE:
            return "its body does not contain the boundary that its Content-Type names"
        if self.state is State.PART and not self.complete:
            return "a part has no Content-Disposition header"
        return "it ends before its last boundary"

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        if len(data) > MAX_HEADER_BYTES:
            raise upload_problems.malformed_upload("a part's header is too long")
        text = WINDOWS_PATH.sub(rb'filename="\1"', bytes(data))
        try:
            text.decode()
        except UnicodeDecodeError:  # what browsers, too, call Latin-1
            text = text.decode("cp1252", "replace").encode()
        return super()._parse_headers(text)


class _Reader:
    def __init__(self, decoder: _Decoder, open_file: OpenFile) -> None:
        self.fields: dict[str, str] = {}
        self._decoder = decoder
        self._open_file = open_file
        self._sink: Sink | None = None
        self._field = ""
        self._value = bytearray()
        self._fields_bytes = 0
        self._nothing = True

    def feed(self, piece: bytes | None) -> None:
        """Take the next piece of the body; `None` says that there is no more."""
        self._nothing = self._nothing and not piece
        try:
            self._decoder.receive_data(piece)
            while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
                self._take(event)
        except RequestEntityTooLarge:
            raise upload_problems.malformed_upload(f"it has more than {MAX_PARTS} parts") from None
        except ValueError:
            raise upload_problems.malformed_upload(self._decoder.reason(nothing=self._nothing)) from None
        if len(self._decoder.buffer) > MAX_HEADER_BYTES:
            raise upload_problems.malformed_upload("a part's header is too long")

    def _take(self, event: object) -> None:
        if isinstance(event, File):
            self._sink = self._open_file(event.filename, event.headers.get("Content-Type", ""))
        elif isinstance(event, Field):
            self._sink = None
            self._field = event.name or ""
            self._fields_bytes += len(self._field)
            self._value = bytearray()
        elif isinstance(event, Data):
            self._store(event)

    def _store(self, data: Data) -> None:
        if self._sink is not None:
            self._sink.write(data.data)
            if not data.more_data:
                self._sink.close()
            return
        self._fields_bytes += len(data.data)
        if self._fields_bytes > MAX_FIELDS_BYTES:
            raise upload_problems.malformed_upload(f"its fields are longer than {MAX_FIELDS_BYTES} bytes")
        self._value += data.data
        if not data.more_data:
            self.fields[self._field] = self._value.decode("utf-8", "replace")
