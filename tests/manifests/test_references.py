"""What one object says of another is true: labels, ports, names."""

from typing import Any

from tests.manifests.rendering import Object, Rendered, Workload

PORTS_OF_KINDS = ("Ingress", "HTTPRoute")


def matches(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector chooses these labels."""
    wanted = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in expressions)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(expression["key"]) in expression["values"] for expression in expressions
    )


def chosen(rendered: Rendered, selector: Object) -> list[Workload]:
    return [workload for workload in rendered.workloads.values() if matches(selector, workload.labels)]


def test_a_workload_chooses_its_own_pods_and_no_others(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        if workload.kind != "Job":
            assert [w.name for w in chosen(rendered, workload.object["spec"]["selector"])] == [workload.name]
        for constraint in workload.pod.get("topologySpreadConstraints", ()):
            assert matches(constraint["labelSelector"], workload.labels)


def test_a_service_leads_to_a_port_of_one_workload(rendered: Rendered) -> None:
    for service in rendered.of("Service"):
        [workload] = chosen(rendered, {"matchLabels": service["spec"]["selector"]})

        for port in service["spec"]["ports"]:
            assert workload.ports[port["targetPort"]] == port["port"]


def test_a_probe_asks_a_port_that_the_container_names(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            handler = workload.container.get(probe, {})
            asked = handler.get("httpGet") or handler.get("tcpSocket") or {}

            assert asked.get("port") in {None, *workload.ports}


def test_a_budget_and_an_autoscaler_find_their_workload(rendered: Rendered) -> None:
    for budget in rendered.of("PodDisruptionBudget"):
        assert len(chosen(rendered, budget["spec"]["selector"])) == 1
    for scaler in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = rendered.workloads[scaler["spec"]["scaleTargetRef"]["name"]]

        assert target.kind == "Deployment"
        assert "replicas" not in target.object["spec"]


def test_what_is_mounted_or_read_exists(rendered: Rendered) -> None:
    brought = {item["spec"]["target"]["name"] for item in rendered.of("ExternalSecret")}
    there = {"Secret": rendered.names("Secret") | brought, "ConfigMap": rendered.names("ConfigMap")}

    for workload in rendered.workloads.values():
        for kind, name in mentioned(workload.pod):
            assert name in there[kind], f"{workload.name} wants {kind} {name}"
        assert workload.pod["serviceAccountName"] in rendered.names("ServiceAccount")
        assert workload.pod["priorityClassName"] in rendered.names("PriorityClass")


def mentioned(pod: Object) -> list[tuple[str, str]]:
    """The Secrets and ConfigMaps that a pod wants."""
    found = [
        ("ConfigMap", source["configMapRef"]["name"]) for source in pod["containers"][0].get("envFrom", ())
    ]
    for volume in pod["volumes"]:
        for source in [volume, *volume.get("projected", {}).get("sources", ())]:
            if "secret" in source:
                found.append(("Secret", source["secret"].get("secretName") or source["secret"]["name"]))
            if "configMap" in source:
                found.append(("ConfigMap", source["configMap"]["name"]))
    return found


def test_every_mounted_volume_exists_and_every_volume_is_mounted(rendered: Rendered) -> None:
    for workload in rendered.workloads.values():
        claims = [
            claim["metadata"]["name"] for claim in workload.object["spec"].get("volumeClaimTemplates", ())
        ]
        volumes = [volume["name"] for volume in workload.pod["volumes"]]
        mounts = [mount["name"] for mount in workload.container["volumeMounts"]]

        assert sorted(mounts) == sorted(volumes + claims)


def test_a_route_leads_to_a_port_of_a_service(rendered: Rendered) -> None:
    for route in rendered.of(*PORTS_OF_KINDS):
        for name, port in backends(route["spec"]):
            ports = rendered.named("Service", name)["spec"]["ports"]

            assert port in {known for entry in ports for known in (entry["name"], entry["port"])}


def backends(item: Any) -> list[tuple[str, str | int]]:
    """The services with their ports that a route names, wherever it does."""
    if isinstance(item, list):
        return [found for part in item for found in backends(part)]
    if not isinstance(item, dict):
        return []
    found = [(backend["name"], backend["port"]) for backend in item.get("backendRefs", ())]
    if service := item.get("service"):
        found.append((service["name"], service["port"].get("name") or service["port"]["number"]))
    return found + [entry for value in item.values() for entry in backends(value)]
