"""Outlines -> scores of instances and of images, and the one table of scores."""

from . import baselines  # the plain scorers register themselves

__all__ = ["baselines"]
