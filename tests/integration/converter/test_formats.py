"""What people have becomes the MP3 that was promised."""

from pathlib import Path

import pytest

from tests.corpus.ffmpeg import measure
from tests.corpus.formats import FORMATS, Format, table
from tests.corpus.hostile import CONVERTED
from tests.corpus.outcome import outcome
from tests.corpus.player import played


@pytest.mark.parametrize("case", FORMATS, ids=lambda case: case.name)
def test_a_file_that_people_have_becomes_an_mp3_of_the_same_sound(case: Format, tmp_path: Path) -> None:
    file, mp3 = case.make(tmp_path), tmp_path / "out.mp3"
    source = measure(file, case.track)

    came = outcome(file, mp3)

    assert came.name == CONVERTED, came.message or came.result
    heard = measure(mp3)
    assert heard.seconds == pytest.approx(case.seconds, abs=0.1)
    assert heard.lufs == pytest.approx(source.lufs, abs=0.5)
    samples, rate = played(mp3)
    assert len(samples) / rate == pytest.approx(case.seconds, abs=0.1)
    assert (heard.channels, heard.rate) == (samples.shape[1], rate) == (case.channels, case.mp3_rate)


def test_the_table_has_a_line_for_each_format() -> None:
    lines = table().splitlines()

    assert len(lines) == 2 + len(FORMATS)
    assert all(case.codec in line for case, line in zip(FORMATS, lines[2:], strict=True))
