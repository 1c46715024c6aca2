"""Who may reach whom: what the policies allow is the table of docs/operations.md, no more and no less."""

import re
from collections.abc import Iterable
from ipaddress import ip_network

import pytest

from pipeline.addresses import _6TO4, _NOT_PUBLIC, ANYWHERE, Network, is_public
from tests.manifests.rendering import CLONE, COMBINATIONS, MANIFESTS, Object, Rendered, Workload
from tests.manifests.test_references import matches

CLOSED = [
    name
    for name in COMBINATIONS
    if "network-policies" in (MANIFESTS / name / "kustomization.yaml").read_text()
]
Edge = tuple[str, str, str]
"""From, to, port: a workload's name, a namespace's, or a network."""


@pytest.mark.parametrize("name", CLOSED)
def test_the_policies_allow_what_is_documented_and_nothing_else(
    all_rendered: dict[str, Rendered], name: str
) -> None:
    rendered = all_rendered[name]

    assert allowed(rendered) == documented(rendered.features)


@pytest.mark.parametrize("name", CLOSED)
def test_every_pod_is_closed_both_ways(all_rendered: dict[str, Rendered], name: str) -> None:
    [deny] = [p for p in all_rendered[name].of("NetworkPolicy") if p["metadata"]["name"] == "default-deny"]

    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_policy_says_both_what_it_is_about_and_what_it_allows(rendered: Rendered) -> None:
    for policy in rendered.of("NetworkPolicy"):
        spec = policy["spec"]
        allows = {direction.capitalize() for direction in ("ingress", "egress") if direction in spec}

        assert allows <= set(spec["policyTypes"])
        assert all(rule.get("ports") for direction in allows for rule in spec[direction.lower()])


@pytest.mark.parametrize("name", CLOSED)
def test_webhooks_meet_the_same_border_in_the_policy_as_in_the_code(
    all_rendered: dict[str, Rendered], name: str
) -> None:
    rendered = all_rendered[name]
    [of_webhooks] = [
        [peer["ipBlock"] for peer in rule["to"]]
        for policy in rendered.of("NetworkPolicy")
        for rule in policy["spec"].get("egress", ())
        if any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in rule["to"])
    ]
    left_out = [ip_network(text) for block in of_webhooks for text in block["except"]]

    assert [block["cidr"] for block in of_webhooks] == [str(ANYWHERE[0]), "2000::/3"]
    for network in (*_NOT_PUBLIC, _6TO4):
        assert is_within(network, left_out), network
    for network in left_out:
        assert not is_public(network[1]), network


def is_within(network: Network, others: Iterable[Network]) -> bool:
    return any(network.version == other.version and network.subnet_of(other) for other in others)  # type: ignore[arg-type]


def documented(features: frozenset[str]) -> set[Edge]:
    """The rows whose last cell names only parts that this combination has."""
    section = (CLONE / "docs" / "operations.md").read_text().split("\n## Network\n")[1].split("\n## ")[0]
    edges = set()
    for row in re.findall(r"^\| (.+) \|$", section, re.MULTILINE)[1:]:
        sources, targets, ports, needs = (cell.split(", ") if cell else [] for cell in row.split(" | "))
        if set(needs) <= features:
            edges |= {(s, t, p) for s in sources for t in targets for p in ports}
    return edges


def allowed(rendered: Rendered) -> set[Edge]:
    """Every connection that both ends allow; an end outside the namespace is not ours to ask."""
    edges: set[Edge] = set()
    for target in rendered.workloads.values():
        for peer, port in rules(rendered, target, "ingress"):
            edges |= {
                (source, target.name, port_number(port, target))
                for source in sources(rendered, peer)
                if source not in rendered.workloads or leaves(rendered, source, target, port)
            }
    for source in rendered.workloads.values():
        for peer, port in rules(rendered, source, "egress"):
            if "ipBlock" in peer:
                edges.add((source.name, peer["ipBlock"]["cidr"], str(port["port"])))
            elif "namespaceSelector" in peer:
                edges.add((source.name, namespace(peer), str(port["port"])))
    return edges


def rules(rendered: Rendered, workload: Workload, direction: str) -> list[tuple[Object, Object]]:
    """The peers and ports that any policy about this workload allows in one direction."""
    other = {"ingress": "from", "egress": "to"}[direction]
    return [
        (peer, port)
        for policy in rendered.of("NetworkPolicy")
        if matches(policy["spec"]["podSelector"], workload.labels)
        for rule in policy["spec"].get(direction, ())
        for peer in rule[other]
        for port in rule["ports"]
    ]


def leaves(rendered: Rendered, source: str, target: Workload, port: Object) -> bool:
    """Whether the source's policies let it reach this port of the target."""
    return any(
        "podSelector" in peer
        and "namespaceSelector" not in peer
        and matches(peer["podSelector"], target.labels)
        and port_number(out, target) == port_number(port, target)
        for peer, out in rules(rendered, rendered.workloads[source], "egress")
    )


def sources(rendered: Rendered, peer: Object) -> list[str]:
    if "namespaceSelector" in peer:
        return [namespace(peer)]
    return [w.name for w in rendered.workloads.values() if matches(peer["podSelector"], w.labels)]


def namespace(peer: Object) -> str:
    return f"namespace {peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']}"


def port_number(port: Object, target: Workload) -> str:
    return str(target.ports.get(port["port"], port["port"]))
