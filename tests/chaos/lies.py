"""Run a process on a machine that tells the wrong time, or that its disk is full."""

import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


def build(folder: Path) -> Path:
    """Compile what is preloaded and return its path."""
    built = folder / "lies.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", built, SOURCE, "-ldl", "-lm"], check=True)
    return built


def clock(built: Path, seconds: float) -> dict[str, str]:
    """Return the environment of a process whose clock is ahead by `seconds`."""
    return {"LD_PRELOAD": str(built), "CLOCK_OFFSET": str(seconds)}


def disk(built: Path, mark: Path) -> dict[str, str]:
    """Return the environment of a process whose disk is full for as long as the file `mark` exists."""
    return {"LD_PRELOAD": str(built), "FULL_DISK": str(mark)}
