"""The name of a process, and whether the one that has it is dead."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from chassis.instance import Instance

HOLDS = (
    "import chassis.instance as i; one = i.Instance.begin(); print(one.host, one.name, flush=True); input()"
)


@pytest.fixture
def instance() -> Iterator[Instance]:
    with closing(Instance.begin()) as instance:
        yield instance


def test_a_process_is_dead_from_the_moment_it_is_killed(instance: Instance) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        host, name = process.stdout.readline().split()
        alive = instance.knows_dead(name)
        process.kill()
        process.wait()

    assert (host, alive) == (instance.host, False)
    assert instance.knows_dead(name)


def test_nobody_takes_a_living_process_for_dead_however_often_they_look(instance: Instance) -> None:
    with closing(Instance.begin()) as other:
        assert [other.knows_dead(instance.name) for _ in range(3)] == [False] * 3
        assert not instance.knows_dead(instance.name)
        assert instance.name != other.name
