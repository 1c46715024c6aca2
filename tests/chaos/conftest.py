"""The suite behind proxies, for the tests that make its wires and its machine misbehave."""

import os
from collections.abc import Iterator

import pytest

from dev.stack import RANGE
from tests.chaos.flight import Media
from tests.chaos.wired import WiredStack
from tests.e2e.conftest import PASSWORD
from tests.leaks import handed_out

FIRST_PORT = 10_000
"""Below those that tests/e2e takes, and those that the kernel hands out."""


@pytest.fixture(scope="session")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WiredStack]:
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    stack = WiredStack(tmp_path_factory.mktemp("chaos") / "stack", measured)
    stack.up(FIRST_PORT + os.getpid() % 200 * 2 * RANGE)
    handed_out.add_files(stack.secrets)
    handed_out.add("the users' password", PASSWORD)
    yield stack
    stack.down()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Media:
    return Media(tmp_path_factory.mktemp("media"))
