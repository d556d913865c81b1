"""The public calls on FiftyOne datasets, in the manner of ``fiftyone.brain``."""

from .comparison import compare_scores
from .export import export_coco
from .model_scoring import compute_model_scores
from .pruning import prune_view
from .scoring import compute_shape_scores

__all__ = [
    "compare_scores",
    "compute_model_scores",
    "compute_shape_scores",
    "export_coco",
    "prune_view",
]
