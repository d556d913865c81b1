"""FiftyOne's private names are used by one module."""

import subprocess
import sys

from demo.sandbox import ROOT


def test_no_other_module_uses_private_names():
    """Not under a noqa, either."""
    check = [sys.executable, "-m", "ruff", "check", "--select", "SLF001", "--ignore-noqa"]
    paths = ["tfdp/views", "operators", "benchmarks", "demo", "__init__.py"]
    done = subprocess.run([*check, *paths], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
