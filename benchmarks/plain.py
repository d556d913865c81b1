"""The plain way to the same scores: full frames, cv2 and pycocotools, one mask after another."""

from __future__ import annotations

import cv2
import numpy as np
from pycocotools import mask as coco_mask

cv2.setNumThreads(1)  # its idle threads spin, and would be counted as processor time


def measure(mask):
    """Area and perimeter of the largest external contour of a uint8 mask (H, W)."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return 0.0, 0.0
    primary = max(contours, key=cv2.contourArea)
    return cv2.contourArea(primary), cv2.arcLength(primary, closed=True)


def draw_coco(segmentation, height, width):
    """A list of flat polygons -> mask, drawn by pycocotools in the full frame."""
    parts = coco_mask.frPyObjects(segmentation, height, width)
    return coco_mask.decode(coco_mask.merge(parts))


def draw_opencv(segmentation, height, width):
    """A list of flat polygons -> mask, drawn by cv2.fillPoly in the full frame, part by part."""
    mask = np.zeros((height, width), np.uint8)
    for part in segmentation:
        cv2.fillPoly(mask, [np.array(part).reshape(-1, 2).astype(np.int32)], 1)
    return mask


DRAW = {"coco": draw_coco, "opencv": draw_opencv}
