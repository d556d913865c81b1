"""Training-free dataset pruning for instance segmentation."""
