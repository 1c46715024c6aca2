"""kubectl, as the programs of this folder use it: what fails ends them."""

import json
import subprocess
from typing import Any

from dev.cluster import NAMESPACE

OURS = ("auth", "gateway", "reconciler", "converter", "notification")
WAIT = "--timeout=300s"


def kubectl(*arguments: str, text: str | None = None, namespace: str = NAMESPACE) -> str:
    """Run kubectl and return what it printed."""
    command = ["kubectl", "--namespace", namespace, *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def pods(name: str) -> list[str]:
    """The pods of a workload that are not on their way out."""
    listed = json.loads(kubectl("get", "pods", "-l", f"app.kubernetes.io/name={name}", "-o", "json"))["items"]
    return [str(pod["metadata"]["name"]) for pod in listed if "deletionTimestamp" not in pod["metadata"]]


def rolled_out(workload: str) -> None:
    """Return when every pod of a workload such as `deployment/auth` is new and ready."""
    kubectl("rollout", "status", workload, WAIT)


def evicted(pod: str) -> bool:
    """Ask for an eviction, as a drain does; tell whether the budget allowed it."""
    eviction: dict[str, Any] = {"apiVersion": "policy/v1", "kind": "Eviction"}
    eviction["metadata"] = {"name": pod, "namespace": NAMESPACE}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    command = ["kubectl", "create", "--raw", path, "--filename", "-"]
    asked = subprocess.run(command, input=json.dumps(eviction), capture_output=True, text=True, check=False)
    assert asked.returncode == 0 or "disruption budget" in asked.stderr, asked.stderr
    return asked.returncode == 0


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - the report
