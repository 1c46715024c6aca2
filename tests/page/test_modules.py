"""The modules of the page that need no browser, by Node's own runner."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_modules_of_the_page_do_what_they_say() -> None:
    node = ROOT / ".tools" / "node" / "bin"
    environment = {**os.environ, "PATH": f"{node}:{os.environ['PATH']}", "PYTHONPATH": f"{node.parent}"}

    done = subprocess.run(
        ["npm", "test", "--silent"],
        cwd=ROOT / "gateway" / "page",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5000:]
