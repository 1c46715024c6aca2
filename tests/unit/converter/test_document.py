"""docs/conversion.md says what the code does."""

import re
from pathlib import Path

from converter import errors
from converter.errors import ConversionFailed
from pipeline.options import BITRATES, SAMPLE_RATES, Options
from tests.corpus.formats import table

DOCUMENT = Path("docs/conversion.md").read_text(encoding="utf-8")


def test_the_formats_are_those_of_the_corpus() -> None:
    assert DOCUMENT.endswith(table())


def test_every_option_is_described() -> None:
    for name in Options.model_fields:
        assert f"`{name}`" in DOCUMENT
    assert all(str(number) in DOCUMENT for number in (*BITRATES, *SAMPLE_RATES))


def test_every_error_code_is_described_with_whether_it_is_tried_again() -> None:
    source = Path(errors.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'ConversionFailed\(\s*"(\w+)"', source))

    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| ?(yes)? ?\|$", DOCUMENT, re.MULTILINE))

    assert len(codes) > 12
    assert codes <= rows.keys()
    again: list[ConversionFailed] = [errors.stalled(1), errors.crashed("x"), errors.out_of_space()]
    assert {code for code, yes in rows.items() if yes} == {
        failed.code for failed in again if failed.retryable
    }
