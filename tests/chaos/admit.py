"""Ask a cluster whether it would admit every pod of every combination: `python -m tests.chaos.admit`.

The namespace of the suite that is up enforces Pod Security "restricted"; nothing is stored.  A pod that
must be refused is asked for too, as the proof that the cluster does enforce it.  Exits 1 when one is
answered otherwise.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.cluster import NAMESPACE
from tests.chaos.kubectl import say
from tests.manifests.rendering import COMBINATIONS, Object, Workload, copy_with_secrets, render


def main() -> int:
    """Print a line a combination; return 0 when all is as it should be."""
    refused = []
    with tempfile.TemporaryDirectory() as folder:
        manifests = Path(folder) / "manifests"
        copy_with_secrets(manifests)
        for combination in COMBINATIONS:
            workloads = render(manifests, combination).workloads.values()
            answers = {workload.name: refusal(pod_of(workload)) for workload in workloads}
            words = [f"{name}: {answer}" for name, answer in answers.items() if answer]
            admitted = [name for name, answer in answers.items() if not answer]
            say(f"{combination}: admitted {', '.join(admitted)}; refused {'; '.join(words) or 'none'}")
            refused += words
    proof = refusal(as_root(pod_of(next(iter(workloads)))))
    say(f"as root: {proof or 'ADMITTED'}")
    return 1 if refused or "PodSecurity" not in proof else 0


def pod_of(workload: Workload) -> Object:
    """The pod that a workload's controller would make."""
    claims = workload.object["spec"].get("volumeClaimTemplates", ())
    claimed = [{"name": claim["metadata"]["name"], "emptyDir": {}} for claim in claims]
    metadata = {"name": f"{workload.name}-asked-for", "namespace": NAMESPACE, "labels": workload.labels}
    spec = {**workload.pod, "volumes": [*workload.pod.get("volumes", ()), *claimed]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def as_root(pod: Object) -> Object:
    """The same pod, run by root."""
    return {**pod, "spec": {**pod["spec"], "securityContext": {"runAsUser": 0}}}


def refusal(pod: Object) -> str:
    """Why the cluster would not have a pod; nothing if it would."""
    command = ["kubectl", "create", "--dry-run=server", "--filename", "-"]
    asked = subprocess.run(command, input=json.dumps(pod), capture_output=True, text=True, check=False)
    return "" if asked.returncode == 0 else asked.stderr.strip()


if __name__ == "__main__":
    sys.exit(main())
