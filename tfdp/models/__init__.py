"""Scores that need a trained model: Mask R-CNN baselines and Dyn-Unc (the extra `models`).

Only this package imports torch. `pixel_scores`, `dynamics`, `aggregation`, `score_log` and `cli`
can be imported without it.
"""
