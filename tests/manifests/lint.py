"""What takes minutes to build or seconds to run, so that `make test` leaves it out: `make lint-manifests`.

kubeconform and kube-score look at every rendered combination; promtool checks the alerts and plays
`alerts_test.yaml` through them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

from tests.manifests.rendering import COMBINATIONS, TOOLS, Rendered, copy_with_secrets, render
from tests.manifests.test_schemas import is_custom

HERE = Path(__file__).parent
SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / "v1.37.0-local-strict"
PASSED_OVER = (
    "container-image-pull-policy",  # a tag of ours names one content for good
    "container-security-context-user-group-id",  # wants ids above 10000: the datastores' images have theirs
    "pod-networkpolicy",  # the combinations without policies are judged too
    "statefulset-has-host-podantiaffinity",  # the datastores here are one pod each
    "deployment-replicas",  # the autoscalers count, and what is harmless as one is one
)


def main() -> int:
    """Run every checker; return 0 when all are content."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_with_secrets(folder / "manifests")
        copy_schemas(folder / "schemas")
        rendered = [render(folder / "manifests", combination) for combination in COMBINATIONS]
        codes = [_kubernetes(combination, folder / "schemas") for combination in rendered]
        [production] = [r for r in rendered if r.name == "overlays/production"]
        codes.append(_alerts(production, folder))
    return max(codes)


def copy_schemas(folder: Path) -> None:
    """Copy the schemas of kubernetes-validate as kubeconform reads them: by files, not by paths of a site."""
    folder.mkdir()
    for file in SCHEMAS.iterdir():
        text = file.read_text().replace('"/api/_definitions.json', f'"file://{folder}/_definitions.json')
        (folder / file.name).write_text(text)


def _kubernetes(combination: Rendered, schemas: Path) -> int:
    print(f"== {combination.name}", flush=True)  # noqa: T201 - the heading of what the checkers print
    place = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    custom = ",".join({item["kind"] for item in combination.objects if is_custom(item)})
    conform = ["kubeconform", "-strict", "-summary", "-skip", custom, "-schema-location", place]
    ignored = [part for test in PASSED_OVER for part in ("--ignore-test", test)]
    score = ["kube-score", "score", "--output-format", "ci", *ignored, "-"]
    return max(_run(conform, combination.text), _run(score, combination.text))


def _alerts(production: Rendered, folder: Path) -> int:
    [rule] = production.of("PrometheusRule")
    (folder / "alerts.yaml").write_text(yaml.safe_dump(rule["spec"]))
    (folder / "alerts_test.yaml").write_text((HERE / "alerts_test.yaml").read_text())
    checked = _run(["promtool", "check", "rules", str(folder / "alerts.yaml")])
    return max(checked, _run(["promtool", "test", "rules", str(folder / "alerts_test.yaml")]))


def _run(command: list[str], text: str = "") -> int:
    program, *arguments = command
    done = subprocess.run([TOOLS / "bin" / program, *arguments], input=text, text=True, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
