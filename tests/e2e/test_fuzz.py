"""The API does what its description says, whatever it is asked."""

from pathlib import Path

import httpx
import pytest

from dev.stack import Stack
from tests.e2e.conftest import wait_for
from tests.fuzz.hooks import PASSWORD, USERS
from tests.fuzz.run import fuzz


@pytest.mark.timeout(900)
def test_the_api_is_as_it_is_described(stack: Stack, tmp_path: Path) -> None:
    done = fuzz(stack, tmp_path, 6, "--max-examples", "20")

    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"✅  {phase} " in done.stdout for phase in ("Examples", "Coverage"))
    assert wait_for(lambda: any(_done(stack, name) for name in USERS)), "nothing uploaded became an MP3"


def _done(stack: Stack, name: str) -> list[object]:
    answer = httpx.get(f"{stack.gateway_url}/v1/jobs", params={"state": "done"}, auth=(name, PASSWORD))
    found: list[object] = answer.raise_for_status().json()["jobs"]
    return found
