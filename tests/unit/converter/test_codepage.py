"""Text in old code pages becomes what its writer meant."""

import pytest

from converter.codepage import decoded


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("Наш выпуск", "cp1251"),
        ("ДДТ — Осень №1", "cp1251"),
        ("Привет, мир", "koi8_r"),
        ("Ελληνική μουσική", "cp1253"),
        ("卒業式の歌", "shift_jis"),
        ("我的家", "gbk"),
        ("Fête d'été", "latin-1"),
        ("été", "latin-1"),
        ("Zoë Müll", "cp1252"),
    ],
)
def test_a_code_page_is_guessed_and_said_to_be(text: str, page: str) -> None:
    assert decoded(text.encode(page)) == (text, True)


@pytest.mark.parametrize("text", ["", "plain", "Fête d'été", "Наш выпуск", "卒業", "Éé", "🎤"])
def test_utf_8_stays_as_it_is(text: str) -> None:
    assert decoded(text.encode()) == (text, False)


def test_what_was_read_as_latin_1_and_written_as_utf_8_is_read_again() -> None:
    broken = "Наш выпуск".encode("cp1251").decode("latin-1")

    assert decoded(broken.encode()) == ("Наш выпуск", True)


def test_a_character_that_was_cut_in_two_is_left_out() -> None:
    assert decoded("Наш выпуск".encode()[:-1]) == ("Наш выпус", False)


def test_what_is_in_no_code_page_is_still_text() -> None:
    text, guessed = decoded(b"\x81\x8d\x8f\x90\x9d" * 3)

    assert (text.isprintable() or "\ufffd" in text, guessed) == (True, True)
