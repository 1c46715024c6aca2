"""What `python -m dev.cluster secrets` makes is what the component `secret-files` reads."""

from pathlib import Path

import yaml

from dev.cluster import make_secrets
from tests.manifests.rendering import MANIFESTS

COMPONENT = MANIFESTS / "components" / "secret-files" / "kustomization.yaml"


def files_read() -> list[str]:
    generators = yaml.safe_load(COMPONENT.read_text())["secretGenerator"]
    return [entry.split("=")[-1] for generator in generators for entry in generator["files"]]


def test_every_file_that_is_read_is_made(tmp_path: Path) -> None:
    make_secrets(tmp_path / ".secrets")

    assert all((tmp_path / file).read_text().strip() for file in files_read())


def test_what_was_made_stays_as_it_is(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    make_secrets(tmp_path)

    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_only_its_owner_reads_a_secret(tmp_path: Path) -> None:
    make_secrets(tmp_path)

    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.rglob("*") if file.is_file())
