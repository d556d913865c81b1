"""Which models learn from which labels, and on which devices; the packages must be there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .labels import ClassField

if TYPE_CHECKING:
    from .labels import LabelField


def list_models(labels: LabelField) -> tuple[str, ...]:
    """Models that learn from such labels, not all; the packages for models must be there."""
    if isinstance(labels, ClassField):
        from ..models.classification_task import CLASSIFIERS

        return CLASSIFIERS
    from ..models.mask_rcnn import SUGGESTED_MODELS

    return SUGGESTED_MODELS


def check_model(model: str, labels: LabelField) -> None:
    """Raise ValueError for a model that does not learn from such labels."""
    if isinstance(labels, ClassField):
        if model not in list_models(labels):
            known = ", ".join(list_models(labels))
            raise ValueError(f"expected a model of {known}, got {model!r}")
        return
    from ..models.mask_rcnn import find_timm_backbone
    from ..models.timm_backbone import find_config

    backbone = find_timm_backbone(model)
    if backbone is not None:
        find_config(backbone)


def learns_from(model: Any, labels: LabelField) -> bool:
    """Whether what a log calls its model learns from such labels."""
    try:
        check_model(str(model), labels)
    except ValueError:
        return False
    return True


def list_devices() -> list[str]:
    """The devices that were found, the best first; the packages for models must be there."""
    from ..models.training import find_device

    found = []
    for name in ("cuda", "mps", "cpu"):
        with suppress(ValueError):
            found.append(find_device(name).type)
    return found
