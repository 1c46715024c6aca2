"""Every process is given the settings it reads, all of them and no others, and room for its work."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

import auth.settings
import converter.settings
import gateway.settings
import notification.settings
from chassis.settings import Settings
from converter.worker import SPACE_BYTES, SPACE_FACTOR
from tests.manifests.rendering import CLONE, MANIFESTS, Rendered, Workload

SETTINGS: dict[str, type[Settings]] = {
    "auth": auth.settings.Settings,
    "auth-migrate": auth.settings.MigrateSettings,
    "converter": converter.settings.Settings,
    "gateway": gateway.settings.Settings,
    "notification": notification.settings.Settings,
    "reconciler": gateway.settings.Settings,
}
OURS = ("auth", "converter", "gateway", "notification")
UNITS = {"Mi": 1024**2, "Gi": 1024**3}


def environment(rendered: Rendered, workload: Workload) -> dict[str, str]:
    """What the process finds in its environment, but for the path in a `_FILE`."""
    found: dict[str, str] = {}
    for source in workload.container["envFrom"]:
        found |= rendered.named("ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {entry["name"]: entry["value"] for entry in workload.container["env"]}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_process_is_given_every_name_that_it_reads_and_no_other(rendered: Rendered, name: str) -> None:
    fields = SETTINGS[name].model_fields
    optional = {key.upper() for key, field in fields.items() if field.default is None}

    given = {key.removesuffix("_FILE") for key in environment(rendered, rendered.workloads[name])}
    read = {key.upper() for key in fields}

    assert read - optional <= given <= read


@pytest.mark.parametrize("name", SETTINGS)
def test_a_process_can_use_the_values_that_it_is_given(rendered: Rendered, name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a-secret")
    given = environment(rendered, rendered.workloads[name])

    settings = SETTINGS[name].read(
        {key: str(secret) if key.endswith("_FILE") else value for key, value in given.items()}
    )

    assert {field.upper() for field in settings.model_fields_set} == {k.removesuffix("_FILE") for k in given}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_file_of_a_secret_is_where_its_name_says(rendered: Rendered, name: str) -> None:
    workload = rendered.workloads[name]
    mounts = {mount["mountPath"] for mount in workload.container["volumeMounts"]}

    for key, value in environment(rendered, workload).items():
        if key.endswith("_FILE"):
            assert value == f"/run/secrets/{key.removesuffix('_FILE').lower()}"
            assert str(Path(value).parent) in mounts


@pytest.mark.parametrize("name", ["gateway", "converter"])
def test_a_pod_is_given_longer_than_its_process_takes_to_end(rendered: Rendered, name: str) -> None:
    workload = rendered.workloads[name]
    grace = duration(environment(rendered, workload)["SHUTDOWN_GRACE"])
    stop = workload.container["lifecycle"]["preStop"]["sleep"]["seconds"]

    given = timedelta(seconds=workload.pod["terminationGracePeriodSeconds"] - stop)

    assert given > grace


def test_a_converter_has_room_for_the_largest_upload_and_its_mp3(rendered: Rendered) -> None:
    upload = int(environment(rendered, rendered.workloads["gateway"])["MAX_UPLOAD_BYTES"])
    converter = rendered.workloads["converter"]
    [scratch] = [volume for volume in converter.pod["volumes"] if volume["name"] == "scratch"]
    [tmp] = [volume for volume in converter.pod["volumes"] if volume["name"] == "tmp"]

    room = size(scratch["emptyDir"]["sizeLimit"])

    assert room >= upload * SPACE_FACTOR + SPACE_BYTES
    assert size(converter.container["resources"]["limits"]["ephemeral-storage"]) >= room + size(
        tmp["emptyDir"]["sizeLimit"]
    )


def test_the_largest_upload_is_the_same_for_every_process_of_the_gateway(rendered: Rendered) -> None:
    gateway, reconciler = (environment(rendered, rendered.workloads[n]) for n in ("gateway", "reconciler"))

    assert gateway == reconciler


def test_a_service_runs_from_the_image_of_its_folder(rendered: Rendered) -> None:
    images = {
        workload.container["image"].split("/")[-1].split(":")[0]: name
        for name, workload in rendered.workloads.items()
        if name in SETTINGS and name not in ("auth-migrate", "reconciler")
    }

    assert images == {name: name for name in OURS}
    assert (
        rendered.workloads["auth-migrate"].container["image"] == rendered.workloads["auth"].container["image"]
    )
    assert (
        rendered.workloads["reconciler"].container["image"]
        == rendered.workloads["gateway"].container["image"]
    )


def test_the_servers_are_those_of_compose(all_rendered: dict[str, Rendered]) -> None:
    compose = yaml.safe_load((CLONE / "docker-compose.yml").read_text())["services"]
    workloads = all_rendered["overlays/minikube"].workloads

    here = {name: w.container["image"] for name, w in workloads.items() if name not in SETTINGS}
    commands = {name: w.container["command"] for name, w in workloads.items() if "command" in w.container}

    assert here == {name: compose[name]["image"] for name in here}
    assert commands == {name: compose[name]["command"] for name in commands}


def test_the_broker_is_told_the_same_as_that_of_compose() -> None:
    here = MANIFESTS / "components" / "datastores" / "rabbitmq.conf"

    assert here.read_text() == (CLONE / "dev" / "rabbitmq.conf").read_text()


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of the form PT5M."""
    match = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", text)
    assert match, text
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def size(text: str) -> int:
    """Read a quantity of bytes such as 12Gi."""
    return int(text[:-2]) * UNITS[text[-2:]]
