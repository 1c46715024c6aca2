"""Names of strangers' files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.uploads import names


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("talk.mp4", "talk.mp4"),
        ("/etc/passwd", "passwd"),
        ("C:\\videos\\talk.mp4", "talk.mp4"),
        ("../../talk.mp4", "talk.mp4"),
        ("tal\r\nk\x00.mp4", "talk.mp4"),
        ("evil\u202egpj.mp4", "evilgpj.mp4"),
        ("U\u0308bung.mp4", "\u00dcbung.mp4"),
        ("  . .talk.mp4. ", "talk.mp4"),
        ("", "video"),
        ("..", "video"),
        ("\u202e", "video"),
        ("x" * 300 + ".mp4", "x" * 146 + ".mp4"),
        ("x." + "y" * 300, "x." + "y" * 132 + "y" * 16),
        ("講演.mp4", "講演.mp4"),
    ],
)
def test_a_name_is_made_fit_for_headers_and_mails(name: str, cleaned: str) -> None:
    assert names.clean(name) == cleaned


@given(st.text())
def test_any_name_becomes_one_that_is_safe_in_a_header(name: str) -> None:
    cleaned = names.clean(name)
    header = names.disposition("attachment", names.of_mp3(cleaned), "id.mp3")

    assert 1 <= len(cleaned) <= names.MAX_NAME
    assert not set(cleaned) & set("/\\\r\n\0\u202e")
    assert names.clean(cleaned) == cleaned
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


@pytest.mark.parametrize(
    ("video", "mp3"),
    [("talk.mp4", "talk.mp3"), ("talk", "talk.mp3"), ("a.b.mkv", "a.b.mp3"), (".mp4", ".mp4.mp3")],
)
def test_the_mp3_is_named_after_the_video(video: str, mp3: str) -> None:
    assert names.of_mp3(video) == mp3


def test_both_forms_of_a_name_are_sent() -> None:
    header = names.disposition("inline", 'Übung "1" 100% 講.mp3', "id.mp3")

    assert header == (
        'inline; filename="Ubung _1_ 100_ _.mp3"; '
        "filename*=UTF-8''%C3%9Cbung%20%221%22%20100%25%20%E8%AC%9B.mp3"
    )


@pytest.mark.parametrize("name", ["日本語ビデオ.mp3", "🎬.mp3", "___.mp3", "."])
def test_a_name_of_which_nothing_is_left_in_ascii_is_replaced(name: str) -> None:
    assert 'filename="id.mp3"' in names.disposition("attachment", name, "id.mp3")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("video/mp4", "video/mp4"),
        ("video/mp4; codecs=avc1", "video/mp4"),
        ("application/vnd.apple.mpegurl", "application/vnd.apple.mpegurl"),
        ("video", "application/octet-stream"),
        ("video/" + "a" * 128, "application/octet-stream"),
        ("video/m\xe9", "application/octet-stream"),
        ("", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
def test_a_media_type_is_kept_without_its_parameters_or_not_at_all(given: str | None, kept: str) -> None:
    assert names.media_type(given) == kept
