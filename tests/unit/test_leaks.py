"""What must not stand in a log is found there, however it is written."""

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.leaks import HandedOut

PASSWORD = "correct horse, battery: staple"
HEAD, BODY, SIGNATURE = "eyJhbGciOiJFUzI1NiJ9", "eyJzdWIiOiJtZSJ9", "c2lnbmF0dXJlLW9mLWEtdG9rZW4"
ADDRESS = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not one whose logs are searched after the tests."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def told(folder: Path, line: str, handed_out: HandedOut) -> list[str]:
    log = folder / "gateway" / "gateway.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(f"started\n{line}\nstopped\n")
    return handed_out.found_in(folder)


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {HEAD}.{BODY}.{SIGNATURE}",
        '{"key": "v2m_0123456789abcdefghijABCDEFGHIJ"}',
        "signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        f"GET /s/{ADDRESS}/mp3 200",
        f'"/feeds/{ADDRESS}.xml"',
        f"Cookie: session={ADDRESS}",
        f"Authorization: Basic {base64.b64encode(b'me@example.com:secret').decode()}",
        f"-----BEGIN EC {'PRIVATE'} KEY-----",
    ],
)
def test_what_lets_somebody_in_is_known_by_its_form(folder: Path, line: str) -> None:
    [found] = told(folder, line, HandedOut())

    assert found.startswith(f"{folder / 'gateway' / 'gateway.log'}:2: ")


@pytest.mark.parametrize("line", ["GET /s/… 200", "the key 0123456789abcdef was revoked", "basic habits"])
def test_what_lets_nobody_in_is_no_leak(folder: Path, line: str) -> None:
    assert told(folder, line, HandedOut()) == []


@pytest.mark.parametrize("who", ["", "m", "me", "me@example.com"])
def test_a_password_is_found_as_it_is_in_a_url_and_in_base64(folder: Path, who: str) -> None:
    handed_out = HandedOut()
    handed_out.add("a password", PASSWORD)
    encoded = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()

    for line in (PASSWORD, quote(PASSWORD), encoded):
        assert told(folder, line, handed_out), line


def test_what_a_client_is_answered_is_searched_for(folder: Path) -> None:
    handed_out = HandedOut()
    answer = {"id": "1", "url": f"http://localhost/feeds/{ADDRESS}.xml"}
    transport = httpx.MockTransport(lambda _: httpx.Response(201, json=answer))
    with httpx.Client(transport=transport, event_hooks={"response": [handed_out.watch]}) as client:
        client.post("http://localhost/v1/me/feeds")

    assert told(folder, f"feed={ADDRESS}", handed_out)
