"""Training-free dataset pruning for instance segmentation (TFDP, ICLR 2025).

``score_coco`` scores a COCO file, ``select`` chooses the images to keep, ``write_coco_subset``
writes them. ``compute_shape_scores``, ``prune_view`` and ``export_coco`` do the same on FiftyOne
datasets, where ``compute_model_scores`` and ``compare_scores`` set other scores beside them.
What a name needs is loaded when it is first used; neither FiftyOne nor torch by this import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .balance import ClassTotals
    from .io.coco import score_coco
    from .io.coco_subset import write_coco_subset
    from .methods import (
        compare_scores,
        compute_model_scores,
        compute_shape_scores,
        export_coco,
        prune_view,
    )
    from .selection import Selection
    from .shape_scores import SCORERS, ShapeScores, select

__all__ = [
    "SCORERS",
    "ClassTotals",
    "Selection",
    "ShapeScores",
    "__version__",
    "compare_scores",
    "compute_model_scores",
    "compute_shape_scores",
    "export_coco",
    "prune_view",
    "score_coco",
    "select",
    "write_coco_subset",
]

_HOMES = {
    "SCORERS": ".shape_scores",
    "ClassTotals": ".balance",
    "Selection": ".selection",
    "ShapeScores": ".shape_scores",
    "compare_scores": ".methods",
    "compute_model_scores": ".methods",
    "compute_shape_scores": ".methods",
    "export_coco": ".methods",
    "prune_view": ".methods",
    "score_coco": ".io.coco",
    "select": ".shape_scores",
    "write_coco_subset": ".io.coco_subset",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
