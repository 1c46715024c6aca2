"""What is concluded from the conversions so far."""

import pytest

from pipeline.speeds import Measured, Sums, kind


def of(*measured: tuple[float, float], weight: float = 1.0) -> Sums:
    """Return the sums of conversions: megabytes, and the seconds that they took."""
    sums = Sums()
    for x, y in measured:
        sums += Sums(1, weight, weight * x, weight * y, weight * x * x, weight * x * y)
    return sums


def test_a_line_through_what_was_measured_tells_the_rest() -> None:
    assert of((10, 7), (20, 12), (30, 17)).seconds(100_000_000) == pytest.approx(52)


def test_files_of_one_size_tell_only_their_mean() -> None:
    assert of((10, 4), (10, 6), (10, 5)).seconds(1_000_000_000) == pytest.approx(5)


def test_a_larger_file_is_never_expected_to_be_faster() -> None:
    assert of((10, 9), (20, 6), (30, 3)).seconds(100_000_000) == pytest.approx(6)


def test_a_small_file_takes_no_negative_time() -> None:
    assert 0 < of((100, 10), (200, 30), (300, 50)).seconds(1_000_000) < 1


def test_newer_conversions_weigh_more() -> None:
    old, new = of((10, 100), (20, 200), (30, 300)), of((10, 10), (20, 20), (30, 30), weight=1e6)

    assert (old + new).seconds(20_000_000) == pytest.approx(20, rel=1e-3)


def test_nothing_is_said_before_three_are_done() -> None:
    assert Measured({"mp4": of((1, 1), (2, 2))}).seconds("mp4", 1) is None
    assert Measured({"mp4": of((1, 1), (2, 2)), "wav": of((3, 3))}).seconds(
        "mp4", 2_000_000
    ) == pytest.approx(2)


def test_a_kind_with_enough_of_its_own_goes_by_these() -> None:
    measured = Measured({"mp4": of((1, 1), (2, 2), (3, 3)), "wav": of((1, 50), (2, 100), (3, 150))})

    assert measured.seconds("mp4", 2_000_000) == pytest.approx(2)
    assert measured.seconds("wav", 2_000_000) == pytest.approx(100)


@pytest.mark.parametrize(
    ("filename", "options", "expected"),
    [
        ("talk.MP4", {}, "mp4"),
        ("talk", {}, "other"),
        ("talk.exotic", {"start": 0.0, "end": None}, "other"),
        ("talk.wav", {"loudness": -16.0}, "wav+loudness"),
        ("talk.mkv", {"start": 1.0, "end": 2.0, "loudness": None}, "mkv+part"),
    ],
)
def test_files_of_one_container_that_are_converted_alike_are_of_one_kind(
    filename: str, options: dict[str, object], expected: str
) -> None:
    assert kind(filename, options) == expected
