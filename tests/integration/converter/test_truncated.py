"""A file that was cut short or damaged is never reported as complete when it is not."""

from pathlib import Path

import pytest

from tests.corpus import damage
from tests.corpus.damage import CUTS, OTHERS, SECONDS, SEEDS, WHOLE, Damaged
from tests.corpus.ffmpeg import decoded_seconds
from tests.corpus.hostile import CONVERTED
from tests.corpus.outcome import outcome

SHORTENED_PROMISE = 440
"""A seed whose damage also shortens what the file says of its length."""
MISSABLE = 1.0
"""Seconds that may be lost before a result must say so."""
EVERYWHERE = ("mp4", "mkv")
"""Cut at all the places; the others at a few."""
PLACES = [
    (extension, place)
    for extension in (*WHOLE, *OTHERS)
    for place in range(1, CUTS + 1)
    if extension in EVERYWHERE or place % (4 if extension in WHOLE else 8) == 0
]
FLIPPED = [(list(WHOLE)[seed % len(WHOLE)], seed) for seed in (*range(SEEDS), SHORTENED_PROMISE)]
FLIPPED += [(extension, seed) for seed, extension in enumerate((*OTHERS, *OTHERS))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return damage.whole(tmp_path_factory.mktemp("whole"))


def assert_honest(damaged: Damaged, folder: Path) -> None:
    video, mp3 = folder / f"video.{damaged.extension}", folder / "out.mp3"
    video.write_bytes(damaged.content)

    came = outcome(video, mp3)

    if came.name == CONVERTED:
        left = min(decoded_seconds(video), decoded_seconds(mp3))
        assert left >= SECONDS - MISSABLE, f"{damaged.name} is called complete: {came.result}"


@pytest.mark.parametrize("extension", [*WHOLE, *OTHERS])
def test_a_whole_file_is_complete(extension: str, whole: dict[str, bytes], tmp_path: Path) -> None:
    video, mp3 = tmp_path / f"video.{extension}", tmp_path / "out.mp3"
    video.write_bytes(whole[extension])

    came = outcome(video, mp3)

    assert came.name == CONVERTED
    assert decoded_seconds(mp3) == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize(("extension", "place"), PLACES)
def test_a_cut_file_is_not_called_complete(
    extension: str, place: int, whole: dict[str, bytes], tmp_path: Path
) -> None:
    damaged = damage.cut(extension, whole[extension], place)

    assert_honest(damaged, tmp_path)


@pytest.mark.parametrize(("extension", "seed"), FLIPPED)
def test_a_file_with_flipped_bits_is_complete_or_not_called_so(
    extension: str, seed: int, whole: dict[str, bytes], tmp_path: Path
) -> None:
    damaged = damage.flipped(extension, whole[extension], seed)

    assert_honest(damaged, tmp_path)
