"""A service needs nothing but its own dependency group: that is all that its image holds."""

import subprocess
from pathlib import Path
from secrets import token_urlsafe

import pytest

from dev.secret_files import keep_signing_key
from dev.services import BIN, CLONE

GUNICORN = "gunicorn.app.wsgiapp"
PROGRAMS = {
    "auth": f"{GUNICORN} auth.server auth.app auth.migrate auth.users auth.keys",
    "converter": "converter.__main__",
    "gateway": f"{GUNICORN} gateway.server gateway.app gateway.reconciler gateway.doctor",
    "notification": "notification.__main__",
}
"""The modules that are run in each image."""
ENVIRONMENT = {
    "DATABASE_URL": f"mysql://auth:{token_urlsafe()}@store/auth",
    "MONGODB_URL": "mongodb://store/",
    "RABBITMQ_URL": "amqp://broker/",
}
"""What gunicorn's configuration wants to have read."""
IMPORT = """
import importlib, re, sys
from importlib.metadata import packages_distributions

def plain(name):
    return re.sub("[-_.]+", "-", name).lower()

class OnlyTheGroup:
    def find_spec(self, name, path=None, target=None):
        owners = OWNERS.get(name.partition(".")[0])
        if owners and not owners & GROUP:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

modules, requirements = (argument.split() for argument in sys.argv[1:])
GROUP = {plain(requirement.partition("==")[0]) for requirement in requirements}
OWNERS = {top: {plain(owner) for owner in owners} for top, owners in packages_distributions().items()}
sys.meta_path.insert(0, OnlyTheGroup())
for module in modules:
    importlib.import_module(module)
"""


def group(name: str) -> str:
    """The distributions of a dependency group, as the lock has them."""
    uv = CLONE / ".tools" / "bin" / "uv"
    options = (
        "--quiet",
        "--frozen",
        "--offline",
        "--only-group",
        name,
        "--no-hashes",
        "--no-annotate",
        "--no-header",
    )
    exported = subprocess.run([uv, "export", *options], cwd=CLONE, capture_output=True, text=True, check=True)
    return " ".join(line.partition(" ;")[0] for line in exported.stdout.splitlines())


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the key that auth wants to find."""
    keep_signing_key(tmp_path)
    return tmp_path


def import_programs(service: str, distributions: str, keys: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "python", "-c", IMPORT, PROGRAMS[service], distributions],
        env={**ENVIRONMENT, "SIGNING_KEYS_DIR": str(keys)},
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("service", PROGRAMS)
def test_a_service_s_programs_import_nothing_that_is_not_in_its_group(service: str, keys: Path) -> None:
    done = import_programs(service, group(service), keys)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("service", "missing"), [("gateway", "packaging"), ("auth", "sqlalchemy"), ("converter", "mutagen")]
)
def test_a_distribution_that_is_not_in_the_group_is_missed(service: str, missing: str, keys: Path) -> None:
    without = " ".join(one for one in group(service).split() if not one.startswith(f"{missing}=="))

    done = import_programs(service, without, keys)

    assert f"No module named '{missing}" in done.stderr
