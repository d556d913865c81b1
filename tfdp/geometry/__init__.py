"""Masks and their outlines: run lengths, how polygons are drawn, area and perimeter."""
