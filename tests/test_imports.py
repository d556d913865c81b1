"""`import tfdp` is light, and the test that says so can fail."""

import subprocess
import sys

import pytest

import tfdp
from demo.sandbox import ROOT


def loaded_by(code):
    script = f"{code}\nimport sys; print(' '.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize("heavy", ["fiftyone", "torch", "torchvision", "pymongo"])
def test_the_library_loads_without(heavy):
    assert heavy not in loaded_by("import tfdp, tfdp.cli")


def test_the_fiftyone_calls_load_it():
    assert "fiftyone" in loaded_by("import tfdp; tfdp.compute_shape_scores")


def test_unknown_names_are_errors():
    with pytest.raises(AttributeError, match="no attribute 'score_cocoa'"):
        tfdp.score_cocoa  # noqa: B018


def test_tab_completion_offers_what_is_not_loaded_yet():
    code = "import tfdp; assert set(tfdp.__all__) <= set(dir(tfdp))"
    assert "tfdp.sources.scoring" not in loaded_by(code)
