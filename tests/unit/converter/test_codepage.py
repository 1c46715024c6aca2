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
        ("我的中国心第二集", "gbk"),
        ("我的中國心第二集", "big5"),
        ("우리들의 행복한 시간", "euc_kr"),
        ("日本の音楽です", "euc_jp"),
        ("Zażółć gęślą jaźń", "cp1250"),
        ("Książka i żona", "cp1250"),
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


@pytest.mark.parametrize(("text", "page"), [("Наш выпуск", "cp1251"), ("日本の音楽です", "shift_jis")])
def test_what_was_read_as_latin_1_and_written_as_utf_8_is_read_again(text: str, page: str) -> None:
    broken = text.encode(page).decode("latin-1")

    assert decoded(broken.encode()) == (text, True)


def test_a_character_that_was_cut_in_two_is_left_out() -> None:
    assert decoded("Наш выпуск".encode()[:-1]) == ("Наш выпус", False)


def test_what_is_in_no_code_page_is_still_text() -> None:
    text, guessed = decoded(b"\x81\x8d\x8f\x90\x9d" * 3)

    assert (text.isprintable() or "\ufffd" in text, guessed) == (True, True)
