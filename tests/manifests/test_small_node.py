"""The overlay minikube fits on the node that `make minikube` starts."""

import re

from dev.cluster import CPUS, MEMORY_GB
from tests.manifests.rendering import Rendered

OTHERS = {  # millicores and MiB that Kubernetes 1.34 and minikube's addons request for themselves
    "kube-apiserver": (250, 0),
    "kube-controller-manager": (200, 0),
    "kube-scheduler": (100, 0),
    "etcd": (100, 100),
    "coredns": (100, 70),
    "calico-node": (250, 0),
    "metrics-server": (100, 200),
    "ingress-nginx": (100, 90),
}
LEFT_TO_THE_NODE = 0.9
"""What of the memory pods may have; the rest is the system's."""


def test_everything_fits_with_the_addons_also_while_all_of_it_is_rolled(
    all_rendered: dict[str, Rendered],
) -> None:
    cpu = sum(millicores for millicores, _ in OTHERS.values())
    memory = sum(mib for _, mib in OTHERS.values())
    for workload in all_rendered["overlays/minikube"].workloads.values():
        surge = workload.object["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 0)
        pods = workload.object["spec"].get("replicas", 1) + surge
        requests = workload.container["resources"]["requests"]
        cpu += pods * millicores(requests["cpu"])
        memory += pods * mib(requests["memory"])

    assert cpu <= CPUS * 1000
    assert memory <= LEFT_TO_THE_NODE * MEMORY_GB * 1024


def millicores(quantity: str | float) -> float:
    text = str(quantity)
    return float(text[:-1]) if text.endswith("m") else 1000 * float(text)


def mib(quantity: str) -> float:
    found = re.fullmatch(r"(\d+)(Mi|Gi)", quantity)
    assert found is not None, quantity
    return int(found[1]) * {"Mi": 1, "Gi": 1024}[found[2]]
