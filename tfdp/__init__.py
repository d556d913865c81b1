"""Training-free dataset pruning for instance segmentation (TFDP, ICLR 2025).

``score`` scores a dataset on disk, ``select`` chooses the images to keep, ``write_coco_subset``
writes those of a COCO file. ``compute_shape_scores``, ``prune_view`` and ``export_coco`` do the
same on FiftyOne datasets, where ``compute_model_scores`` and ``compare_scores`` set other scores
beside them.
What a name needs is loaded when it is first used; neither FiftyOne nor torch by this import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .scores.balance import ClassTotals
    from .scores.shape_scores import ShapeScores
    from .scores.table import SCORERS
    from .selection.selection import Selection
    from .sources.coco_subset import write_coco_subset
    from .sources.scoring import score, score_coco
    from .sources.selecting import select
    from .views.methods import (
        compare_scores,
        compute_model_scores,
        compute_shape_scores,
        export_coco,
        prune_view,
    )

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
    "score",
    "score_coco",
    "select",
    "write_coco_subset",
]

_HOMES = {
    "SCORERS": ".scores.table",
    "ClassTotals": ".scores.balance",
    "Selection": ".selection.selection",
    "ShapeScores": ".scores.shape_scores",
    "compare_scores": ".views.methods",
    "compute_model_scores": ".views.methods",
    "compute_shape_scores": ".views.methods",
    "export_coco": ".views.methods",
    "prune_view": ".views.methods",
    "score": ".sources.scoring",
    "score_coco": ".sources.scoring",
    "select": ".sources.selecting",
    "write_coco_subset": ".sources.coco_subset",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})  # what is not loaded yet is offered, too
