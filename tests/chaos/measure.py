"""Measure what each process of a suite on a cluster needs: `python -m tests.chaos.measure`.

First nobody asks for anything, then as many clients upload a large video at once as a gateway takes,
and wait for their MP3s.  The figures are the kubelet's, for one pod; prints the table of
docs/operations.md.
"""

import json
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from dev.cluster import NAMESPACE
from tests.chaos.cluster import make_client_pod, remove_client_pod, start
from tests.chaos.kubectl import kubectl, say
from tests.chaos.rounds import Load

IDLE_SECONDS = 90
LOAD = Load(jobs=32, every=0.05)
VIDEO_BYTES = 64 * 2**20
EVERY_SECONDS = 3
MIB = 2**20


@dataclass
class Needs:
    """The samples of one process, over all its pods."""

    millicores: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    """MiB that the kernel cannot take back."""
    working_set: list[float] = field(default_factory=list)
    """MiB as `kubectl top` shows them: with the files that were read or written lately."""


def sample(needs: dict[str, Needs]) -> None:
    """Add what each pod needs now."""
    names = {
        pod["metadata"]["name"]: pod["metadata"]["labels"]["app.kubernetes.io/name"]
        for pod in json.loads(kubectl("get", "pods", "-o", "json"))["items"]
        if pod["status"]["phase"] == "Running"
    }
    for node in kubectl("get", "nodes", "-o", "name").split():
        path = f"/api/v1/nodes/{node.removeprefix('node/')}/proxy/stats/summary"
        pods: list[dict[str, Any]] = json.loads(kubectl("get", "--raw", path))["pods"]
        for pod in pods:
            name = names.get(pod["podRef"]["name"])
            if pod["podRef"]["namespace"] == NAMESPACE and name and pod.get("containers"):
                [container] = pod["containers"]
                needs[name].millicores.append(container["cpu"].get("usageNanoCores", 0) / 1e6)
                needs[name].rss.append(container["memory"].get("rssBytes", 0) / MIB)
                needs[name].working_set.append(container["memory"].get("workingSetBytes", 0) / MIB)


def watch(needs: dict[str, Needs], over: threading.Event) -> None:
    """Sample until it is over."""
    while not over.wait(EVERY_SECONDS):
        sample(needs)


def main() -> int:
    """Measure and print; return 0 when every job was done and nobody was ended for its memory."""
    make_client_pod(VIDEO_BYTES)
    idle: dict[str, Needs] = defaultdict(Needs)
    busy: dict[str, Needs] = defaultdict(Needs)
    deadline = time.monotonic() + IDLE_SECONDS
    time.sleep(20)  # the kubelet's own figures are of a while ago
    while time.monotonic() < deadline:
        sample(idle)
        time.sleep(EVERY_SECONDS)
    over = threading.Event()
    watcher = threading.Thread(target=watch, args=(busy, over))
    clients = start(f"measure-{token_hex(3)}@example.com", LOAD)
    watcher.start()
    output, _ = clients.communicate(timeout=1800)
    over.set()
    watcher.join()
    remove_client_pod()
    jobs = json.loads(output)["jobs"]
    done = sum(state == "done" for state in jobs.values())
    killed = out_of_memory()
    say(table(idle, busy))
    say(f"{done} of {LOAD.jobs} jobs done; ended for their memory: {', '.join(killed) or 'none'}")
    return 0 if done == LOAD.jobs and not killed else 1


def table(idle: dict[str, Needs], busy: dict[str, Needs]) -> str:
    """A row a process: the mean while idle, the highest while busy."""
    lines = [
        "| process | CPU idle | CPU busy | memory idle | memory busy | with files busy |",
        "|---|---|---|---|---|---|",
    ]
    for name, quiet in sorted(idle.items()):
        load = busy[name]
        millicores = f"{mean(quiet.millicores):.0f} m | {max(load.millicores):.0f} m"
        rss = f"{mean(quiet.rss):.0f} MiB | {max(load.rss):.0f} MiB"
        lines.append(f"| {name} | {millicores} | {rss} | {max(load.working_set):.0f} MiB |")
    return "\n".join(lines)


def mean(samples: list[float]) -> float:
    """The arithmetic one."""
    return sum(samples) / len(samples)


def out_of_memory() -> list[str]:
    """The pods whose container was ended for its memory, ever."""
    ended = "{.status.containerStatuses[0].lastState.terminated.reason}"
    path = f"-o=jsonpath={{range .items[*]}}{{.metadata.name}} {ended}{{'\\n'}}{{end}}"
    return [line.split()[0] for line in kubectl("get", "pods", path).splitlines() if "OOMKilled" in line]


if __name__ == "__main__":
    sys.exit(main())
