"""The header `Authorization` is read, whatever is in it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.authorization import basic, bearer


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_user_name_and_password_are_read(scheme: str) -> None:
    assert basic(f"{scheme} {encoded('me@example.com:pass:wörd')}") == ("me@example.com", "pass:wörd")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !",
        "Basic é",
        "Basic /w==",
        f"Basic {encoded('no colon')}",
        f"Bearer {encoded('me:pw')}",
        f"Digest {encoded('me:pw')}",
    ],
)
def test_a_garbled_header_holds_no_credentials(header: str) -> None:
    assert basic(header) is None


def test_a_token_is_read() -> None:
    assert bearer("bearer  abc ") == "abc"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc"])
def test_a_header_without_a_token_holds_none(header: str) -> None:
    assert bearer(header) is None


@given(st.text())
def test_no_header_breaks_the_reading(rest: str) -> None:
    for scheme in ("Basic ", "Bearer ", ""):
        basic(scheme + rest)
        bearer(scheme + rest)
