"""Every object is what the API servers of the oldest and the newest supported release take."""

from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.manifests.rendering import TOOLS, Object, Rendered

SUPPORTED = ("1.32", "1.37")
CUSTOM = ("gateway.networking.k8s.io", "keda.sh", "monitoring.coreos.com", "external-secrets.io")


def is_custom(item: Object) -> bool:
    return item["apiVersion"].split("/")[0] in CUSTOM


@pytest.mark.parametrize("release", SUPPORTED)
def test_every_object_fits_the_schema_of_its_kind(rendered: Rendered, release: str) -> None:
    for item in rendered.objects:
        if not is_custom(item):
            kubernetes_validate.validate(item, release, strict=True)


def test_every_custom_resource_fits_the_schema_of_its_definition(rendered: Rendered) -> None:
    for item in filter(is_custom, rendered.objects):
        schema = custom_schema(item["apiVersion"], item["kind"])

        jsonschema.Draft202012Validator(schema).validate(item)


def test_a_misspelt_field_of_a_custom_resource_is_noticed(all_rendered: dict[str, Rendered]) -> None:
    route = all_rendered["overlays/production"].named("HTTPRoute", "gateway")
    schema = custom_schema(route["apiVersion"], "HTTPRoute")

    misspelt = route | {"spec": route["spec"] | {"hostname": ["mp3converter.com"]}}

    assert not jsonschema.Draft202012Validator(schema).is_valid(misspelt)


def test_no_object_stands_twice(rendered: Rendered) -> None:
    keys = [(item["kind"], item["metadata"]["name"]) for item in rendered.objects]

    assert len(keys) == len(set(keys))


@cache
def custom_schema(api_version: str, kind: str) -> Object:
    """The schema of a custom resource, closed against fields that it does not name."""
    group, name = api_version.split("/")
    file = TOOLS / "crds" / f"{group}_{kind.lower()}s.yaml"
    definition = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    [schema] = [v["schema"] for v in definition["spec"]["versions"] if v["name"] == name]
    return top(schema["openAPIV3Schema"])


def top(schema: Object) -> Object:
    """A resource's schema: metadata is the API server's business."""
    return closed(schema) | {"properties": closed(schema)["properties"] | {"metadata": {"type": "object"}}}


def closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {name: closed(part) for name, part in schema.items()}
    open_ended = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not open_ended:
        inside["additionalProperties"] = False
    return inside
