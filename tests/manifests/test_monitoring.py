"""Alerts and the dashboard ask for metrics that exist, and each alert has its page."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.manifests.rendering import CLONE, MANIFESTS, Rendered

OPERATIONS = (CLONE / "docs" / "operations.md").read_text()
COLLECT = """
import importlib, json, pkgutil, sys
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
package, *not_imported = sys.argv[1:]
for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
    if module.name.split(".")[-1] not in not_imported:
        importlib.import_module(module.name)
made = [metric for metric in REGISTRY._collector_to_names if isinstance(metric, MetricWrapperBase)]
print(json.dumps({metric._name: metric._labelnames for metric in made}))
"""
NOT_IMPORTED = ("server", "__main__", "env")
"""Modules that do something when they are imported: gunicorn's, a process's start, Alembic's."""
OTHERS = re.compile(r"^(up|rabbitmq_\w+|kubelet_volume_\w+|kube_pod_\w+|process_\w+)$")
WORDS = {
    "sum", "rate", "increase", "by", "le", "absent", "or", "unless", "max", "and", "on", "count",
    "histogram_quantile",
}  # fmt: skip


@pytest.fixture(scope="module")
def ours() -> dict[str, set[str]]:
    """The names of our metrics, and the labels of each; services are processes, and may share a name."""
    found: dict[str, set[str]] = {}
    for package in ("auth", "converter", "gateway", "notification"):
        command = [sys.executable, "-c", COLLECT, package, *NOT_IMPORTED]
        answer = subprocess.run(command, cwd=CLONE, capture_output=True, text=True, check=True).stdout
        for name, labels in json.loads(answer).items():
            assert found.setdefault(name, set(labels)) == set(labels)
    return found


def base(sample: str) -> str:
    """The name of the metric that a sample belongs to."""
    return re.sub(r"_(total|bucket|sum|count)$", "", sample)


@pytest.fixture
def rules(all_rendered: dict[str, Rendered]) -> list[dict[str, Any]]:
    [resource] = all_rendered["overlays/production"].of("PrometheusRule")
    [group] = resource["spec"]["groups"]
    return list(group["rules"])


def metrics_in(expression: str) -> set[str]:
    """The names of metrics in a query: what is neither a word of the language, a label nor a string."""
    without_labels = re.sub(r"\{[^}]*\}|\[[^\]]*\]|(by|on) ?\([^)]*\)", " ", expression)
    return set(re.findall(r"[a-z][a-z_]+", without_labels)) - WORDS


def test_an_alert_asks_for_metrics_that_exist(rules: list[dict[str, Any]], ours: dict[str, set[str]]) -> None:
    asked = {name for rule in rules for name in metrics_in(rule["expr"])}

    assert {base(name) for name in asked if not OTHERS.match(name)} <= set(ours)


def test_the_dashboard_asks_for_metrics_that_exist(ours: dict[str, set[str]]) -> None:
    dashboard = json.loads((MANIFESTS / "components" / "monitoring" / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]

    asked = {name for query in queries for name in metrics_in(query)}

    assert {base(name) for name in asked if not OTHERS.match(name)} <= set(ours)


def test_every_metric_of_ours_is_documented_with_its_labels(ours: dict[str, set[str]]) -> None:
    table = OPERATIONS.split("\n## Metrics\n")[1].split("\n## ")[0]
    documented = {
        base(name): set(filter(None, labels.strip().split(", ")))
        for name, labels in re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE)
    }

    assert documented == ours


def test_every_alert_has_its_page_and_its_severity(rules: list[dict[str, Any]]) -> None:
    pages = re.findall(r"^### (\w+)$", OPERATIONS.split("\n## Alerts\n")[1], re.MULTILINE)

    assert [rule["alert"] for rule in rules] == pages
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
