from pathlib import Path

import pytest

from tests.manifests.rendering import COMBINATIONS, Rendered, copy_with_secrets, render


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifests, with secrets, where a test may not change them."""
    folder = tmp_path_factory.mktemp("kustomize") / "manifests"
    copy_with_secrets(folder)
    return folder


@pytest.fixture(scope="session")
def all_rendered(manifests: Path) -> dict[str, Rendered]:
    return {name: render(manifests, name) for name in COMBINATIONS}


@pytest.fixture(params=COMBINATIONS)
def rendered(request: pytest.FixtureRequest, all_rendered: dict[str, Rendered]) -> Rendered:
    """Each combination in turn."""
    return all_rendered[request.param]
