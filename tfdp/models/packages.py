"""What models need beside the library, of which nothing is imported here."""

from __future__ import annotations

from importlib.util import find_spec

PACKAGES = ("torch", "torchvision", "timm", "lightning_fabric")


def find_missing_packages() -> list[str]:
    """Those of the packages for models that are not installed, as pip takes them, too."""
    return [name for name in PACKAGES if find_spec(name) is None]
