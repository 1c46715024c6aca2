"""How many processors a container lets us use."""

import os
from pathlib import Path

import pytest

from converter.encoding import cores

HERE = min(len(os.sched_getaffinity(0)), cores.MOST)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "max 100000"}, HERE),
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, HERE),
        ({"cpu/cpu.cfs_quota_us": "150000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({}, HERE),
    ],
    ids=[
        "no limit",
        "one",
        "half of one",
        "version 1 without a limit",
        "version 1, one and a half",
        "no groups",
    ],
)
def test_a_limit_of_the_control_group_counts(files: dict[str, str], expected: int, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")

    assert cores.available(tmp_path) == expected


@pytest.mark.parametrize(
    ("quota", "asked", "expected"),
    [("100000", None, 1), ("100000", 8, 1), ("max", 1, 1), ("max", 2, min(2, HERE))],
    ids=["few processors", "more than there are", "turned off", "as asked"],
)
def test_nobody_gets_more_encoders_than_processors(
    quota: str, asked: int | None, expected: int, tmp_path: Path
) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota} 100000\n")

    assert cores.encoders(asked, tmp_path) == expected


@pytest.mark.parametrize(("processors", "expected"), [(2, 1), (3, 1), (4, 4), (8, 8)])
def test_without_a_wish_several_encoders_begin_where_they_pay(
    processors: int, expected: int, tmp_path: Path
) -> None:
    (tmp_path / "cpu.max").write_text(f"{processors * 100_000} 100000\n")

    came = cores.encoders(None, tmp_path)

    assert came == (expected if processors <= HERE else (HERE if HERE >= cores.LEAST else 1))
