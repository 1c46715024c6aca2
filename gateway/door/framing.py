"""What HTTP asks of every request, where gunicorn looks away (RFC 9112, sections 3.2 and 6.1)."""

import re

from flask import request

from gateway.door.malformed import malformed_request, unsupported_transfer_coding

HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]{1,255}")


def check() -> None:
    """Return when the request names its host, and its body is framed in a way that is understood.

    Raises:
        Problem: it is not so.
    """
    environ = request.environ
    if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and not HOST.fullmatch(environ.get("HTTP_HOST", "")):
        raise malformed_request("it must have one Host header with the name of this server")
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None and coding.strip().lower() != "chunked":
        raise unsupported_transfer_coding()
