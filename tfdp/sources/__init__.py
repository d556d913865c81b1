"""Formats of annotations: each read by one module, and the ways out."""
