"""What all tests share: a FiftyOne in a temporary folder, the real data, the drawn data."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

from demo.draw import draw_dataset
from demo.sandbox import ROOT, enter_sandbox

hypothesis.settings.register_profile("tfdp", deadline=None)  # first calls compile
hypothesis.settings.load_profile("tfdp")

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # torch's idle threads leave others a core

REQUIRED = os.environ.get("TFDP_REQUIRE") == "1"

# Before any test module is imported, since importing fiftyone reads its settings.
_SANDBOX = Path(tempfile.mkdtemp(prefix="tfdp-tests-"))
atexit.register(shutil.rmtree, _SANDBOX, ignore_errors=True)  # after mongod has ended
enter_sandbox(_SANDBOX)


def require(condition: object, missing: str) -> None:
    """Skips the test where something is missing; fails it where CI requires all of them to run."""
    if condition:
        return
    if REQUIRED:
        pytest.fail(f"required here, but missing: {missing}")
    pytest.skip(missing)


@pytest.fixture(name="require", scope="session")
def require_fixture():
    return require


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project (or ``TFDP_SHARED``)."""
    folder = Path(os.environ.get("TFDP_SHARED", ROOT.parent / "shared"))
    require((folder / "data").is_dir(), f"real data in {folder}")
    return folder


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """A folder with the demo's drawn dataset: ``instances.json`` and ``images/``."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_dataset(folder, num_images=40, seed=0)
    return folder
