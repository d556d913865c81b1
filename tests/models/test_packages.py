"""The packages that models need, as the extra names them."""

import re
from pathlib import Path

from tfdp.models.packages import PACKAGES

DECLARED = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_all_packages_of_the_extra_are_looked_for():
    (extra,) = re.findall(r"^models = \[(.*)\]", DECLARED.read_text(), re.MULTILINE)
    names = re.findall(r'"([\w-]+)', extra)
    assert sorted(PACKAGES) == sorted(name.replace("-", "_") for name in names)
