"""Try every connection between the pods of a suite on a cluster: `python -m tests.chaos.reach`.

From each process of ours, from a stranger in the namespace and from one outside, to each port of each
pod and to the cluster's API.  Exits 1 when anything is open or closed that docs/operations.md does not
say so of.
"""

import json
import subprocess
import sys
from typing import Any

from dev.cluster import NAMESPACE
from tests.chaos.kubectl import OURS, WAIT, kubectl
from tests.manifests.test_network import documented

TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def open_(target):
    try:
        socket.create_connection((target[1], target[2]), 2).close()
        return True
    except OSError:
        return False
targets = json.load(sys.stdin)
with ThreadPoolExecutor(40) as pool:
    print(json.dumps([target[0] for target, is_open in zip(targets, pool.map(open_, targets)) if is_open]))
"""
STRANGERS = {
    "stranger inside": NAMESPACE,
    "namespace ingress-nginx": "ingress-nginx",
    "stranger outside": "default",
}
FEATURES = frozenset({"network-policies", "datastores", "ingress-nginx", "secret-files", "minikube"})
Target = tuple[str, str, int]
"""What it is called, its address, its port."""


def main() -> int:
    """Print every connection that is open; return 0 when they are the documented ones."""
    targets = [*find_targets(), ("cluster API", "kubernetes.default.svc", 443)]
    names = {name.rsplit(":", 1)[0] for name, _, _ in targets}
    print(f"tried from each: {', '.join(sorted(f'{name} ({at})' for name, at, _ in targets))}")  # noqa: T201 - the report
    make_strangers()
    found = {source: try_from(f"deployment/{source}", NAMESPACE, targets) for source in OURS}
    for who, namespace in STRANGERS.items():
        elsewhere = (
            {"cluster API"} if namespace != NAMESPACE else set()
        )  # what others may do is not ours to say
        found[who] = try_from("pod/stranger", namespace, targets) - elsewhere
    for namespace in STRANGERS.values():
        kubectl("delete", "pod", "stranger", "--wait=false", namespace=namespace)
    edges = documented(FEATURES)
    wrong = 0
    for source, reached in found.items():
        said = sorted(f"{to}:{port}" for who, to, port in edges if who == source and to in names)
        own = [f"{source}:{port}" for name, _, port in targets if name.startswith(f"{source}:")]
        said_and_own = set(said) | (set(own) & reached)  # a pod reaches itself
        verdict = "as documented" if reached == said_and_own else f"NOT as documented: {said}"
        wrong += reached != said_and_own
        print(f"{source:24} {len(targets)} tried, open: {sorted(reached - set(own))}, {verdict}")  # noqa: T201 - the report
    return 1 if wrong else 0


def find_targets() -> list[Target]:
    """Every port of every pod, by address."""
    pods: list[dict[str, Any]] = json.loads(kubectl("get", "pods", "-o", "json"))["items"]
    return [
        (
            f"{pod['metadata']['labels']['app.kubernetes.io/name']}:{port['containerPort']}",
            address,
            port["containerPort"],
        )
        for pod in pods
        if (address := pod["status"].get("podIP")) and "app.kubernetes.io/name" in pod["metadata"]["labels"]
        for port in pod["spec"]["containers"][0].get("ports", ())
    ]


def make_strangers() -> None:
    """Start a pod that is none of ours in each namespace."""
    image = kubectl("get", "deployment/gateway", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    container = {
        "name": "stranger", "image": image, "command": ["sleep", "600"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }  # fmt: skip
    pod = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": pod, "terminationGracePeriodSeconds": 0}
    for namespace in STRANGERS.values():
        subprocess.run(["kubectl", "create", "namespace", namespace], capture_output=True, check=False)
        kubectl("delete", "pod", "stranger", "--ignore-not-found", "--now", namespace=namespace)
        overrides = ("--overrides", json.dumps({"spec": spec}))
        kubectl("run", "stranger", "--image", image, *overrides, namespace=namespace)
        kubectl("wait", "--for=condition=Ready", "pod/stranger", WAIT, namespace=namespace)


def try_from(pod: str, namespace: str, targets: list[Target]) -> set[str]:
    """Return the names of what a pod can connect to."""
    exec_ = ("exec", "-i", pod, "--", "python", "-c", TRY)
    return set(json.loads(kubectl(*exec_, text=json.dumps(targets), namespace=namespace)))


if __name__ == "__main__":
    sys.exit(main())
