"""What Kustomize makes of every overlay and every combination under `manifests/tests/`."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

CLONE = Path(__file__).parents[2]
TOOLS = CLONE / ".tools"
MANIFESTS = CLONE / "manifests"
COMBINATIONS = sorted(
    str(file.parent.relative_to(MANIFESTS))
    for folder in ("overlays", "tests")
    for file in (MANIFESTS / folder).glob("*/kustomization.yaml")
)

Object = dict[str, Any]
TEMPLATED = ("Deployment", "StatefulSet", "Job")


@dataclass(frozen=True)
class Workload:
    """A Deployment, a StatefulSet or a Job."""

    object: Object

    @property
    def kind(self) -> str:
        return str(self.object["kind"])

    @property
    def name(self) -> str:
        return str(self.object["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.object["spec"]["template"]["metadata"]["labels"])

    @property
    def pod(self) -> Object:
        return dict(self.object["spec"]["template"]["spec"])

    @property
    def container(self) -> Object:
        """The only one: a pod of this suite is one process."""
        [container] = self.pod["containers"]
        return dict(container)

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", ())}


@dataclass(frozen=True)
class Rendered:
    """One combination."""

    name: str
    text: str
    features: frozenset[str]
    """The names of its components, and its own."""

    @cached_property
    def objects(self) -> list[Object]:
        return list(yaml.safe_load_all(self.text))

    @cached_property
    def workloads(self) -> dict[str, Workload]:
        return {w.name: w for w in map(Workload, self.of(*TEMPLATED))}

    def of(self, *kinds: str) -> list[Object]:
        return [item for item in self.objects if item["kind"] in kinds]

    def named(self, kind: str, name: str) -> Object:
        [found] = [item for item in self.of(kind) if item["metadata"]["name"] == name]
        return found

    def names(self, kind: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.of(kind)}


def copy_with_secrets(manifests: Path) -> None:
    """Copy the manifests, with stand-ins for the secrets that a clone has not."""
    shutil.copytree(MANIFESTS, manifests, ignore=shutil.ignore_patterns(".secrets"))
    component = manifests / "components" / "secret-files"
    for generated in yaml.safe_load((component / "kustomization.yaml").read_text())["secretGenerator"]:
        for entry in generated["files"]:
            file = component / entry.split("=")[-1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("stand-in\n")


def render(manifests: Path, name: str) -> Rendered:
    """Build one combination."""
    command = [TOOLS / "bin" / "kustomize", "build", manifests / name]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    kustomization = yaml.safe_load((manifests / name / "kustomization.yaml").read_text())
    components = {Path(path).name for path in kustomization["components"]}
    return Rendered(name, built.stdout, frozenset(components | {Path(name).name}))


def strings(item: Any) -> Iterator[str]:
    """Every string in an object."""
    if isinstance(item, str):
        yield item
    elif isinstance(item, dict):
        for value in item.values():
            yield from strings(value)
    elif isinstance(item, list):
        for value in item:
            yield from strings(value)
