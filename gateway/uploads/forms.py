"""Read a multipart form piece by piece: fields into a dictionary, files to whoever takes them.

Werkzeug's `MultipartDecoder` finds the boundaries; its own form parser would put every file into a
temporary file, and a body that is only called a form into memory.
"""

from collections.abc import Callable
from typing import Protocol

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from gateway.door.body import Body
from gateway.uploads import problems as upload_problems

MAX_PARTS = 100
MAX_FIELDS_BYTES = 64 * 1024
MAX_HEADER_BYTES = 64 * 1024
"""How much may stand before a part's content, and after the last part."""


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
            sink = sink or open_file(name, request.mimetype or "application/octet-stream")
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


def _decoder(request: Request) -> MultipartDecoder:
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary or not boundary.isascii():
        raise upload_problems.malformed_upload("its Content-Type names no boundary")
    return MultipartDecoder(boundary.encode("ascii"), max_parts=MAX_PARTS)


class _Reader:
    def __init__(self, decoder: MultipartDecoder, open_file: OpenFile) -> None:
        self.fields: dict[str, str] = {}
        self._decoder = decoder
        self._open_file = open_file
        self._sink: Sink | None = None
        self._field = ""
        self._value = bytearray()
        self._fields_bytes = 0

    def feed(self, piece: bytes | None) -> None:
        """Take the next piece of the body; `None` says that there is no more."""
        try:
            self._decoder.receive_data(piece)
            while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
                self._take(event)
        except RequestEntityTooLarge:
            raise upload_problems.malformed_upload(f"it has more than {MAX_PARTS} parts") from None
        except ValueError as error:
            raise upload_problems.malformed_upload(str(error)) from None
        if len(self._decoder.buffer) > MAX_HEADER_BYTES:
            raise upload_problems.malformed_upload("a part's header is too long")

    def _take(self, event: object) -> None:
        if isinstance(event, File):
            content_type = event.headers.get("Content-Type", "application/octet-stream")
            self._sink = self._open_file(event.filename, content_type)
        elif isinstance(event, Field):
            self._sink = None
            self._field = event.name or ""
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
