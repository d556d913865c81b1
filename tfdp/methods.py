"""The public calls on FiftyOne datasets, in the manner of ``fiftyone.brain``."""

from .view_pruning import prune_view
from .view_scoring import compute_shape_scores

__all__ = ["compute_shape_scores", "prune_view"]
