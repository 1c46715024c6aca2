"""The text of a personal key: random, recognizable, and wrong when it is mistyped."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth import personal_key

KEY = personal_key.generate()


def test_a_key_is_recognizable_and_no_two_are_equal() -> None:
    made = {personal_key.generate() for _ in range(200)}

    assert len(made) == 200
    assert all(re.fullmatch("v2m_[0-9A-Za-z]{38}", key) for key in made)


def test_what_is_stored_is_the_sha_256() -> None:
    assert personal_key.digest(KEY) == hashlib.sha256(KEY.encode()).hexdigest()


@pytest.mark.parametrize("at", range(len(KEY)))
def test_a_mistyped_key_is_none(at: int) -> None:
    typo = "x" if KEY[at] != "x" else "y"

    assert personal_key.digest(KEY[:at] + typo + KEY[at + 1 :]) is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    for given_text in (text, f"v2m_{text}", f"{KEY}{text}" if text else "v2m_"):
        assert personal_key.digest(given_text) is None
