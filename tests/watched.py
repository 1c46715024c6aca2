"""Clients that remember what they were handed out."""

import ssl
from typing import Any

import httpx

from tests.leaks import handed_out

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What clients of plain HTTP verify with: to read the system's authorities takes each of them 20 ms."""


def watched_client(**arguments: Any) -> httpx.Client:
    """Return a client of which every answer's secrets are searched for in the logs after the tests."""
    return httpx.Client(verify=NO_TLS, **arguments, event_hooks={"response": [handed_out.watch]})
