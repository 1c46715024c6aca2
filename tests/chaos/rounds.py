"""What is done to a suite while jobs run, a function a round."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dev.cluster import CLONE
from tests.chaos.kubectl import OURS, evicted, kubectl, pods, rolled_out, say

AUTOSCALERS = CLONE / "manifests" / "components" / "hpa" / "autoscalers.yaml"
SCALE_UP_SECONDS = 300
SCALE_BACK_SECONDS = 1200
IMPATIENT = [
    {"op": "replace", "path": "/spec/metrics/0/resource/target/averageUtilization", "value": 40},
    {"op": "replace", "path": "/spec/behavior/scaleDown/stabilizationWindowSeconds", "value": 60},
]


@dataclass(frozen=True)
class Load:
    """Clients of one user: one begins every so many seconds, and looks at its job so often a second."""

    jobs: int = 30
    every: float = 1
    looks: float = 1


@dataclass(frozen=True)
class Round:
    """A disturbance, and the clients that it meets."""

    disturb: Callable[[], None]
    loads: tuple[Load, ...] = (Load(),)


def delete_every_pod() -> None:
    """One after another, each replaced before the next goes."""
    for name in (*OURS, "rabbitmq"):
        for pod in pods(name):
            say(f"delete {pod}")
            kubectl("delete", "pod", pod, "--wait=false")
            rolled_out(f"{'statefulset' if name == 'rabbitmq' else 'deployment'}/{name}")


def restart_every_deployment() -> None:
    """A rollout of each, one after another."""
    for name in OURS:
        say(f"restart {name}")
        kubectl("rollout", "restart", f"deployment/{name}")
        rolled_out(f"deployment/{name}")


def scale_converters() -> None:
    """Up to four, down to one in mid-work, and to the two that the next round expects."""
    for replicas in (1, 4, 1, 2):
        say(f"scale converter to {replicas}")
        kubectl("scale", "deployment/converter", f"--replicas={replicas}")
        rolled_out("deployment/converter")
        time.sleep(5)


def kill_converters() -> None:
    """Without any grace, as when a node dies."""
    for pod in pods("converter"):
        say(f"kill {pod}")
        kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    rolled_out("deployment/converter")


def evict_every_pod() -> None:
    """By the API, as a drain does it: while one pod is away, the budget keeps the next."""
    for name in OURS:
        first, *others = pods(name)
        say(f"evict {first}")
        assert evicted(first), f"{name} has all its pods, and may not lose one"
        for pod in others:
            assert not evicted(pod), f"a second pod of {name} was evicted while the first was away"
            say(f"{pod} has to wait")
            wait_for(partial(evicted, pod), SCALE_UP_SECONDS)
            say(f"evict {pod}")
        rolled_out(f"deployment/{name}")


def autoscale_gateways() -> None:
    """The autoscaler adds gateways while clients are impatient, and takes them back afterwards.

    At less than its usual target, and sooner: a small node carries the clients too, and no trial should
    last long.
    """
    try:
        kubectl("apply", "--filename", str(AUTOSCALERS))
        kubectl("patch", "hpa/gateway", "--type=json", f"--patch={json.dumps(IMPATIENT)}")
        wait_for(lambda: replicas("gateway") > 2, SCALE_UP_SECONDS)
        say(f"{replicas('gateway')} gateways are wanted")
        wait_for(lambda: replicas("gateway") == 2, SCALE_BACK_SECONDS)
        say("and two again")
    finally:
        kubectl("delete", "--filename", str(AUTOSCALERS), "--ignore-not-found")


def replicas(name: str) -> int:
    """How many pods of a Deployment are wanted now."""
    return int(kubectl("get", f"deployment/{name}", "-o", "jsonpath={.spec.replicas}"))


def wait_for(fact: Callable[[], bool], seconds: float) -> None:
    """Return when a fact is true."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"not so after {seconds:g} s"
        time.sleep(0.5)


ROUNDS = {
    "delete": Round(delete_every_pod),
    "restart": Round(restart_every_deployment),
    "scale": Round(scale_converters),
    "kill": Round(kill_converters),
    "evict": Round(evict_every_pod),
    "autoscale": Round(autoscale_gateways, (*[Load(12, every=0.5, looks=8)] * 4, Load(30, every=9))),
}
