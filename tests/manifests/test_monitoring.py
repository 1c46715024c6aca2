"""Alerts and the dashboard ask for metrics that exist, and each alert has its page."""

import json
import re
from typing import Any

import pytest
from prometheus_client import REGISTRY

import converter.worker
import gateway.app
import gateway.reconciler
import notification.notices
from tests.manifests.rendering import CLONE, MANIFESTS, Rendered

OPERATIONS = (CLONE / "docs" / "operations.md").read_text()
MODULES = (converter.worker, gateway.app, gateway.reconciler, notification.notices)
"""Where the metrics are made."""
OTHERS = re.compile(r"^(up|rabbitmq_\w+|kubelet_volume_\w+|kube_pod_\w+|process_\w+)$")
OURS = {
    sample: metric.name
    for metric in REGISTRY.collect()
    for sample in (metric.name, *(f"{metric.name}_{part}" for part in ("total", "bucket", "sum", "count")))
    if not metric.name.startswith(("python_", "process_"))
}
WORDS = {
    "sum", "rate", "increase", "by", "le", "absent", "or", "unless", "max", "and", "on", "count",
    "histogram_quantile",
}  # fmt: skip


@pytest.fixture
def rules(all_rendered: dict[str, Rendered]) -> list[dict[str, Any]]:
    [resource] = all_rendered["overlays/production"].of("PrometheusRule")
    [group] = resource["spec"]["groups"]
    return list(group["rules"])


def metrics_in(expression: str) -> set[str]:
    """The names of metrics in a query: what is neither a word of the language, a label nor a string."""
    without_labels = re.sub(r"\{[^}]*\}|\[[^\]]*\]|(by|on) ?\([^)]*\)", " ", expression)
    return set(re.findall(r"[a-z][a-z_]+", without_labels)) - WORDS


def test_an_alert_asks_for_metrics_that_exist(rules: list[dict[str, Any]]) -> None:
    asked = {name for rule in rules for name in metrics_in(rule["expr"])}

    assert {name for name in asked if not OTHERS.match(name)} <= set(OURS)


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    dashboard = json.loads((MANIFESTS / "components" / "monitoring" / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]

    asked = {name for query in queries for name in metrics_in(query)}

    assert {name for name in asked if not OTHERS.match(name)} <= set(OURS)


def test_every_metric_of_ours_is_documented_with_its_labels() -> None:
    table = OPERATIONS.split("\n## Metrics\n")[1].split("\n## ")[0]
    documented = {
        name.removesuffix("_total"): set(filter(None, labels.strip().split(", ")))
        for name, labels in re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE)
    }
    made = {
        made._name: set(made._labelnames)
        for module in MODULES
        for made in vars(module).values()
        if hasattr(made, "_labelnames")
    }

    assert documented == made


def test_every_alert_has_its_page_and_its_severity(rules: list[dict[str, Any]]) -> None:
    pages = re.findall(r"^### (\w+)$", OPERATIONS.split("\n## Alerts\n")[1], re.MULTILINE)

    assert [rule["alert"] for rule in rules] == pages
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
