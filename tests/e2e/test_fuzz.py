"""The API does what its description says, whatever it is asked."""

from pathlib import Path

import httpx

from dev.stack import Stack
from tests.fuzz.hooks import PASSWORD, USERS
from tests.fuzz.run import fuzz


def test_the_api_is_as_it_is_described(stack: Stack, tmp_path: Path) -> None:
    done = fuzz(stack, tmp_path, seconds=60, seed=6)

    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"✅  {phase} " in done.stdout for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"))
    jobs = httpx.get(f"{stack.gateway_url}/v1/admin/jobs", auth=(USERS[2], PASSWORD)).json()["jobs"]
    assert {job["owner"] for job in jobs} <= set(USERS)
    assert "done" in {job["state"] for job in jobs}
