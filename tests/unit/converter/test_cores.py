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
