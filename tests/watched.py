"""Clients that remember what they were handed out."""

from typing import Any

import httpx

from tests.leaks import handed_out


def watched_client(**arguments: Any) -> httpx.Client:
    """Return a client of which every answer's secrets are searched for in the logs after the tests."""
    return httpx.Client(**arguments, event_hooks={"response": [handed_out.watch]})
