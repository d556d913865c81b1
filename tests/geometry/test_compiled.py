from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import tfdp.geometry.compiled

if TYPE_CHECKING:
    from pathlib import Path

OUTER = """
from .compiled import compiled
from .deeper import add

@compiled
def total(values):
    result = 0
    for value in values:
        result = add(result, value)
    return result
"""
DEEPER = """
from .compiled import inner

@inner
def add(a, b):
    return a + {factor} * b
"""
RUN = """
import numpy as np
from small.outer import total
print(total(np.arange(4)), len(total.stats.cache_hits))
"""


@pytest.fixture
def small(tmp_path):
    """A package with one compiled function that calls an inner one of another file."""
    package = tmp_path / "small"
    package.mkdir()
    shutil.copy(tfdp.geometry.compiled.__file__, package)
    (package / "outer.py").write_text(OUTER)
    (package / "deeper.py").write_text(DEEPER.format(factor=1))
    return package


def run(package: Path, **variables: str) -> str:
    """Runs the package in a new process; what it prints, and nothing may come on stderr."""
    environment = {name: value for name, value in os.environ.items() if "NUMBA" not in name}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=package.parent,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_machine_code_is_kept_until_any_file_of_the_package_changes(small):
    assert run(small) == "6 0"
    assert run(small) == "6 1"  # one signature came from the cache
    (small / "deeper.py").write_text(DEEPER.format(factor=10))
    assert run(small) == "60 0"


def test_silent_where_no_cache_can_be_written(small):
    (small / "__pycache__").write_text("a file where the cache folder should be")
    nowhere = str(small / "__pycache__" / "x")
    assert run(small, HOME=nowhere, XDG_CACHE_HOME=nowhere, NUMBA_CACHE_DIR=nowhere) == "6 0"
