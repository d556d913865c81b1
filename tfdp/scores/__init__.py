"""Outlines -> scores of instances and of images, and the one table of scores."""
