"""Where an MP3 is split, and what its parts are called."""

import pytest

from converter.media import Chapter
from converter.parts import MAX_PARTS, Cut, Silence, at_chapters, at_silences, name


def chapters(*starts: float) -> list[Chapter]:
    return [Chapter(start, start + 1, f"{start:g}") for start in starts]


@pytest.mark.parametrize(
    ("starts", "cuts"),
    [
        ((0, 10, 20), [(0, "0"), (10, "10"), (20, "20")]),
        ((5, 20), [(0, None), (5, "5"), (20, "20")]),  # what comes before the first belongs to none
        ((0.5, 20), [(0, "0.5"), (20, "20")]),
        ((20, 0, 10), [(0, "0"), (10, "10"), (20, "20")]),
        ((0, 10, 10.2, 20), [(0, "0"), (10, "10"), (20, "20")]),
        ((0, 10, 29.5, 40), [(0, "0"), (10, "10")]),  # behind the end, or next to it
        ((), []),
    ],
)
def test_a_part_begins_at_each_chapter(
    starts: tuple[float, ...], cuts: list[tuple[float, str | None]]
) -> None:
    assert at_chapters(chapters(*starts), 30) == [Cut(*cut) for cut in cuts]


def test_a_part_begins_in_the_middle_of_each_silence() -> None:
    assert at_silences([Silence(10, 14), Silence(30, 32)], 60) == [Cut(0), Cut(12), Cut(31)]


def test_of_silences_that_are_near_to_each_other_the_longest_counts() -> None:
    found = at_silences([Silence(2, 5), Silence(20, 22), Silence(25, 30), Silence(55, 60)], 60)

    assert found == [Cut(0), Cut(27.5)]


def test_there_are_no_more_parts_than_anybody_wants() -> None:
    many = [Silence(number * 20, number * 20 + 2 + number % 3) for number in range(1, 1000)]

    found = at_silences(many, 30_000)

    assert len(found) == MAX_PARTS
    assert found == sorted(found, key=lambda cut: cut.start)


@pytest.mark.parametrize(
    ("number", "count", "title", "called"),
    [
        (1, 3, "Intro", "01 - Intro.mp3"),
        (7, 120, "Intro", "007 - Intro.mp3"),
        (2, 3, None, "02.mp3"),
        (2, 3, " .. ", "02.mp3"),
        (2, 3, 'AC/DC: "live"?\n\u202e', "02 - AC_DC_ _live__.mp3"),
        (2, 3, "../../etc/passwd", "02 - _.._etc_passwd.mp3"),
        (2, 3, "Anfang und Ende", "02 - Anfang und Ende.mp3"),
        (2, 3, "x" * 1000, f"02 - {'x' * 100}.mp3"),
    ],
)
def test_a_part_has_a_name_that_every_system_bears(
    number: int, count: int, title: str | None, called: str
) -> None:
    assert name(number, count, title) == called
