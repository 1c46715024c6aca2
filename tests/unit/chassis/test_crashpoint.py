"""Points where a process dies when it is told to, and nowhere else."""

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.crashpoint import crashpoints
from pipeline.jobs import Jobs

CLONE = Path(__file__).resolve().parents[3]
PACKAGES = ("auth", "chassis", "converter", "gateway", "notification", "pipeline")
PROGRAM = """
from chassis.crashpoint import crashpoints

@crashpoints
def store():
    print("stored", flush=True)

for _ in range(3):
    print("coming", flush=True)
    store()
print("survived", flush=True)
"""


def run(wanted: str | None) -> tuple[int, list[str]]:
    environment = {**os.environ, "PYTHONPATH": str(CLONE)}
    environment.pop("CRASHPOINT", None)
    if wanted is not None:
        environment["CRASHPOINT"] = wanted
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("before store", ["coming"]),
        ("after store", ["coming", "stored"]),
        ("before store:2", ["coming", "stored", "coming"]),
        ("after store:2", ["coming", "stored", "coming", "stored"]),
    ],
)
def test_a_process_dies_where_and_when_it_is_told_to(wanted: str, seen: list[str]) -> None:
    assert run(wanted) == (-signal.SIGKILL, seen)


@pytest.mark.parametrize("wanted", [None, "before something else", "after store:4"])
def test_it_dies_nowhere_else(wanted: str | None) -> None:
    assert run(wanted) == (0, ["coming", "stored"] * 3 + ["survived"])


def test_a_function_stays_as_it_is_where_nobody_is_told_to_die() -> None:
    def store() -> None:
        """Do nothing."""

    assert crashpoints(store) is store


def marked() -> Iterator[tuple[str, str]]:
    """The module and the name of every function with crash points."""
    for package in PACKAGES:
        for file in sorted((CLONE / package).rglob("*.py")):
            module = ".".join(file.relative_to(CLONE).with_suffix("").parts)
            for owner, function in functions(ast.parse(file.read_text())):
                if any(getattr(mark, "id", "") == "crashpoints" for mark in function.decorator_list):
                    yield module, f"{owner}{function.name}"


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield "", node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield f"{node.name}.", member


def test_every_write_of_the_job_document_has_crash_points() -> None:
    own = {name for name, member in vars(Jobs).items() if callable(member) and not name.startswith("_")}

    assert own == {name.removeprefix("Jobs.") for module, name in marked() if module == "pipeline.jobs"}


def test_the_documents_list_is_the_codes() -> None:
    document = (CLONE / "docs/reports/crash-points.md").read_text()

    listed = set(re.findall(r"^\| `([\w.]+)` \| `([\w.]+)` \|", document, re.MULTILINE))

    assert listed == set(marked())
