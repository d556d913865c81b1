"""The public calls on FiftyOne datasets, in the manner of ``fiftyone.brain``."""

from .io.view_export import export_coco
from .view_comparison import compare_scores
from .view_model_scoring import compute_model_scores
from .view_pruning import prune_view
from .view_scoring import compute_shape_scores

__all__ = [
    "compare_scores",
    "compute_model_scores",
    "compute_shape_scores",
    "export_coco",
    "prune_view",
]
