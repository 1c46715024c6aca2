"""The words about a cluster: which one it is, and what is missing before anything is built."""

import subprocess
import sys
from pathlib import Path

import pytest

from dev.services import CLONE

KUBECTL = """#!/bin/sh
case $1 in config) echo production ;; *) echo "$@" >>"$0.asked" ;; esac
"""
"""A cluster that answers, and on which there is nothing."""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The one folder of PATH, with a kubectl."""
    put(tmp_path / "kubectl", KUBECTL)
    return tmp_path


def put(program: Path, script: str) -> None:
    program.write_text(script)
    program.chmod(0o755)


def word(programs: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dev.cluster", *arguments],
        env={"PATH": str(programs), **environment},
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_where_nothing_is_up_the_status_says_so_and_names_the_cluster(programs: Path) -> None:
    assert word(programs, "status") == (1, "nothing is up on the cluster production: make cluster-demo\n")


def test_what_loads_the_images_is_looked_for_before_they_are_built(programs: Path) -> None:
    put(programs / "docker", '#!/bin/sh\necho "$@" >>"$0.asked"\n')

    code, said = word(programs, "up", LOAD_IMAGE="kind load docker-image")

    assert code == 1
    assert said.startswith("kind, which loads images onto the nodes, is not installed")
    assert not (programs / "docker.asked").exists()


def test_an_engine_that_does_not_answer_is_told_before_anything_is_built(programs: Path) -> None:
    put(programs / "minikube", "#!/bin/sh\n")
    put(programs / "docker", "#!/bin/sh\nexit 1\n")

    assert word(programs, "up") == (
        1, "docker, which builds the images, does not answer: install or start it\n"
    )  # fmt: skip


def test_a_cluster_that_does_not_answer_is_told_in_kubectl_s_words(programs: Path) -> None:
    put(programs / "kubectl", "#!/bin/sh\necho error: current-context is not set >&2\nexit 1\n")

    code, said = word(programs, "up")

    assert (code, said) == (
        1, "kubectl config current-context failed:\nerror: current-context is not set\n"
    )  # fmt: skip
