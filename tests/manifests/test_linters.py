"""What others' checkers say of the rendered objects, the Dockerfiles and the files in git."""

import json
import subprocess
import sys
from pathlib import Path

from tests.manifests.rendering import CLONE, MANIFESTS, TOOLS, Rendered

HERE = Path(__file__).parent
DOCKERFILES = sorted(CLONE.glob("*/Dockerfile"))
FEW = 5


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=CLONE)


def checkov(framework: str, *arguments: str | Path) -> dict[str, int]:
    """What it counts; its own network look-ups are off."""
    done = run(
        TOOLS / "bin" / "checkov", "--framework", framework, "--config-file", HERE / "checkov.yaml",
        "--skip-download", "--quiet", "--compact", "--output", "json", *arguments,
    )  # fmt: skip
    found = json.loads(done.stdout)
    failed = [f"{c['check_id']} {c['resource']}" for c in found.get("results", {}).get("failed_checks", ())]
    assert failed == []
    return dict(found.get("summary", found))


def test_checkov_finds_nothing_in_the_rendered_objects(
    all_rendered: dict[str, Rendered], tmp_path: Path
) -> None:
    for name, rendered in all_rendered.items():
        (tmp_path / f"{name.replace('/', '-')}.yaml").write_text(rendered.text)

    counted = checkov("kubernetes", "--directory", tmp_path)

    assert counted["failed"] == 0
    assert counted["passed"] > 1000


def test_checkov_notices_a_pod_that_may_become_root(
    all_rendered: dict[str, Rendered], tmp_path: Path
) -> None:
    broken = all_rendered["tests/bare"].text.replace("runAsNonRoot: true", "runAsNonRoot: false")
    (tmp_path / "broken.yaml").write_text(broken)
    found = run(
        TOOLS / "bin" / "checkov", "--framework", "kubernetes", "--skip-download", "--directory", tmp_path
    )

    assert found.returncode != 0


def test_checkov_finds_nothing_in_the_dockerfiles() -> None:
    files = [argument for file in DOCKERFILES for argument in ("--file", file)]

    counted = checkov("dockerfile", *files)

    assert counted["failed"] == 0
    assert counted["passed"] > 0


def test_checkov_finds_no_secret_in_the_manifests(manifests: Path) -> None:
    counted = checkov("secrets", "--directory", manifests)

    assert counted["failed"] == 0


def test_few_checks_are_passed_over_and_each_says_why() -> None:
    skipped = [line for line in (HERE / "checkov.yaml").read_text().splitlines() if line.startswith("- ")]

    assert len(skipped) <= FEW
    assert all(" # " in line for line in skipped)


def test_hadolint_finds_nothing_in_the_dockerfiles() -> None:
    done = run(Path(sys.executable).parent / "hadolint", *DOCKERFILES)

    assert (done.returncode, done.stdout) == (0, "")


def test_yamllint_finds_nothing() -> None:
    done = run(sys.executable, "-m", "yamllint", "--strict", "-c", HERE / "yamllint.yaml", MANIFESTS, HERE)

    assert (done.returncode, done.stdout) == (0, "")
