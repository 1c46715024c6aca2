"""Pods pass Pod Security "restricted", and what it leaves open is closed too."""

import re

import pytest

from tests.manifests.rendering import MANIFESTS, Rendered, Workload

RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected",
    "secret",
}  # fmt: skip
"""https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
HOST = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def problems_of(workload: Workload) -> list[str]:
    """What Pod Security "restricted" would refuse, in its own order."""
    pod, container = workload.pod, workload.container
    about_pod, about = pod.get("securityContext", {}), container.get("securityContext", {})
    user = about.get("runAsUser", about_pod.get("runAsUser"))
    seccomp = about.get("seccompProfile", about_pod.get("seccompProfile", {}))
    probes = [container.get(probe, {}) for probe in PROBES]
    handlers = [handler for probe in probes for handler in probe.values() if isinstance(handler, dict)]
    checks = {
        "host namespaces": not any(pod.get(name) for name in HOST),
        "privileged": not about.get("privileged"),
        "host ports": not any(port.get("hostPort") for port in container.get("ports", ())),
        "host probes": not any("host" in handler for handler in handlers),
        "sysctls": not about_pod.get("sysctls"),
        "volumes": all(set(volume) - {"name"} <= RESTRICTED_VOLUMES for volume in pod.get("volumes", ())),
        "escalation": about.get("allowPrivilegeEscalation") is False,
        "not root": about_pod.get("runAsNonRoot") is True and about.get("runAsNonRoot", True),
        "numeric user": isinstance(user, int) and user > 0,
        "seccomp": seccomp.get("type") == "RuntimeDefault",
        "capabilities": about.get("capabilities") == {"drop": ["ALL"]},
        "containers": not pod.get("initContainers") and not pod.get("ephemeralContainers"),
    }
    return [name for name, passed in checks.items() if not passed]


def test_every_pod_is_restricted(rendered: Rendered) -> None:
    problems = {name: problems_of(workload) for name, workload in rendered.workloads.items()}

    assert problems == {name: [] for name in rendered.workloads}


def test_the_namespace_refuses_pods_that_are_not(rendered: Rendered) -> None:
    [namespace] = rendered.of("Namespace")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {
        item["metadata"].get("namespace", "-")
        for item in rendered.objects
        if item["kind"] not in ("Namespace", "PriorityClass")
    } == {namespace["metadata"]["name"]}


def test_no_pod_can_write_to_its_image_or_talk_to_the_cluster(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        account = rendered.named("ServiceAccount", workload.pod["serviceAccountName"])

        assert workload.container["securityContext"]["readOnlyRootFilesystem"] is True
        assert workload.pod["automountServiceAccountToken"] is False
        assert account["automountServiceAccountToken"] is False
        assert workload.pod["enableServiceLinks"] is False


def test_every_process_asks_for_what_it_needs_and_is_held_to_it(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        resources = workload.container["resources"]

        assert (
            set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory", "ephemeral-storage"}
        )


def test_every_server_has_three_probes_that_differ(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        if workload.kind != "Job":
            probes = [workload.container[name] for name in PROBES]

            assert all(left != right for left in probes for right in probes if left is not right)


def test_a_dependency_away_restarts_nobody(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        probe = workload.container.get("livenessProbe", {})

        assert probe.get("httpGet", {}).get("path", "/livez") == "/livez"


def test_every_service_of_ours_spreads_and_drains(rendered: Rendered) -> None:
    for name in ("auth", "gateway", "reconciler", "converter", "notification"):
        workload = rendered.workloads[name]
        seconds = workload.container["lifecycle"]["preStop"]["sleep"]["seconds"]

        assert 0 < seconds < workload.pod["terminationGracePeriodSeconds"]
        assert workload.pod["topologySpreadConstraints"]
        assert workload.pod["affinity"]["podAntiAffinity"]


def test_a_signal_reaches_a_process_that_is_just_starting(rendered: Rendered) -> None:
    """The kernel keeps from process 1 every signal that it has no handler for, yet."""
    for name in ("auth", "auth-migrate", "gateway", "reconciler", "converter", "notification"):
        assert rendered.workloads[name].pod["shareProcessNamespace"] is True


def test_an_eviction_takes_one_pod_at_a_time(rendered: Rendered) -> None:
    budgets = {
        budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]: budget["spec"]["maxUnavailable"]
        for budget in rendered.of("PodDisruptionBudget")
    }

    assert budgets == {name: 1 for name, workload in rendered.workloads.items() if workload.kind != "Job"}


def test_secrets_come_as_files(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        sources = workload.container.get("envFrom", [])
        values = workload.container.get("env", [])

        assert not [source for source in sources if "secretRef" in source]
        assert not [value for value in values if "valueFrom" in value]


def test_git_holds_no_secret() -> None:
    for file in MANIFESTS.rglob("*.yaml"):
        if ".secrets" not in file.parts:
            assert not re.search(r"^kind: Secret$", file.read_text(), re.MULTILINE), file


@pytest.mark.parametrize("tag", [":latest", ""])
def test_every_image_has_a_tag_that_stays(rendered: Rendered, tag: str) -> None:
    for workload in rendered.workloads.values():
        name = workload.container["image"].split("/")[-1]

        assert ":" in name
        assert not tag or not name.endswith(tag)
        assert workload.container["imagePullPolicy"] == "IfNotPresent"
