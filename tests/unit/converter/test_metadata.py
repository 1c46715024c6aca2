"""What ffmpeg wrote of a video's text is read as it was meant."""

from converter.media import Chapter
from converter.metadata import MAX_CHAPTERS, read

WRITTEN = rb""";FFMETADATA1
title=one \= two\; three\
four
ARTIST=\\ \#1
com.apple.quicktime.author=Erika
[CHAPTER]
TIMEBASE=1/1000
START=500
END=2000
title=Part
[CHAPTER]
TIMEBASE=1/0
START=1
END=2
"""


def test_tags_and_chapters_are_read() -> None:
    text = read(WRITTEN)

    assert text.tags == {"title": "one = two; three\nfour", "artist": "\\ #1"}
    assert text.chapters == (Chapter(0.5, 2.0, "Part"), Chapter(1.0, 2.0, None))
    assert not text.guessed


def test_quicktimes_keys_have_the_usual_names() -> None:
    text = read(b"com.apple.quicktime.title=Oma\ncom.apple.quicktime.creationdate=2024-05-06T07:08:09\n")

    assert text.tags == {"title": "Oma", "date": "2024-05-06T07:08:09"}


def test_a_code_page_is_guessed_and_said_to_be() -> None:
    text = read("title=Fête\n".encode("latin-1"))

    assert (text.tags, text.guessed) == ({"title": "Fête"}, True)


def test_nonsense_is_no_text() -> None:
    assert read(b"\0\xff[CHAPTER\n\\\n=\n[STREAM]\nSTART=x").chapters == ()
    assert len(read(b"[CHAPTER]\n" * 1000).chapters) == MAX_CHAPTERS
    assert read(b"[CHAPTER]\nTIMEBASE=1/1000\nSTART=x\nEND=-\n").chapters == (Chapter(0.0, 0.0, None),)
