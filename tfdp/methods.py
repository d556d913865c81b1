"""The public calls on FiftyOne datasets, in the manner of ``fiftyone.brain``."""

from .io.view_export import export_coco
from .view_pruning import prune_view
from .view_scoring import compute_shape_scores

__all__ = ["compute_shape_scores", "export_coco", "prune_view"]
