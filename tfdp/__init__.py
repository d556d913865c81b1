"""Training-free dataset pruning for instance segmentation (TFDP, ICLR 2025).

``score_coco`` scores a COCO file, ``select`` chooses the images to keep, ``write_coco_subset``
writes them. ``compute_shape_scores``, ``prune_view`` and ``export_coco`` do the same on FiftyOne
datasets, where ``compute_model_scores`` and ``compare_scores`` set other scores beside them; they
load FiftyOne when first used. Neither FiftyOne nor torch is loaded by this import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .balance import ClassTotals
from .io.coco import score_coco
from .io.coco_subset import write_coco_subset
from .selection import Selection
from .shape_scores import SCORERS, ShapeScores, select
from .version import __version__

if TYPE_CHECKING:
    from .methods import (
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
    "score_coco",
    "select",
    "write_coco_subset",
]

_NEEDS_FIFTYONE = (
    "compare_scores",
    "compute_model_scores",
    "compute_shape_scores",
    "export_coco",
    "prune_view",
)


def __getattr__(name: str) -> Any:
    if name in _NEEDS_FIFTYONE:
        from . import methods

        return getattr(methods, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
