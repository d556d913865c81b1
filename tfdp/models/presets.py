"""Recipes by name: options of a training that go together, and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry import Registry

if TYPE_CHECKING:
    from ..options import Preset

SEGMENTATION_PRESETS: Registry[Preset] = Registry("preset")
CLASSIFICATION_PRESETS: Registry[Preset] = Registry("preset")
