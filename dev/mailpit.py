"""Read what Mailpit has taken (its API, version 1)."""

from typing import Any

import httpx

MOST = 500
"""How many mails are read; unasked, Mailpit tells of 50."""


def mails(url: str, to: str) -> list[str]:
    """Return the text of each mail to one address, the oldest first."""
    api = f"{url}/api/v1"
    asked: dict[str, str | int] = {"query": f"to:{to}", "limit": MOST}
    found = httpx.get(f"{api}/search", params=asked).raise_for_status().json()["messages"]
    answers = [httpx.get(f"{api}/message/{mail['ID']}").raise_for_status() for mail in reversed(found)]
    return [_as_text(answer.json(), to) for answer in answers]


def _as_text(mail: dict[str, Any], to: str) -> str:
    head = f"From: {mail['From']['Address']}\nTo: {to}\nSubject: {mail['Subject']}"
    return f"{head}\n\n{mail['Text'].strip()}\n"
