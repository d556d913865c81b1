"""Masks put into their image, against torchvision's full frames, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from torchvision.models.detection.roi_heads import paste_masks_in_image  # noqa: E402

from tfdp.models.pasting import paste_masks  # noqa: E402


def paste_plainly(masks, boxes, height, width):
    pasted = paste_masks_in_image(masks, boxes, (height, width))[:, 0].numpy() > 0.5
    return [coco_mask.encode(np.asfortranarray(mask, np.uint8))["counts"] for mask in pasted]


def smooth_masks(count, seed):
    """(count, 1, 28, 28) probabilities of a few blobs each."""
    noise = torch.randn(count, 1, 5, 5, generator=torch.Generator().manual_seed(seed)) * 4
    return torch.sigmoid(torch.nn.functional.interpolate(noise, size=(28, 28), mode="bicubic"))


@st.composite
def frames_with_boxes(draw):
    """An image's size, and boxes that reach into it: thin ones, cut ones, ones of all of it."""
    height, width = draw(st.integers(1, 120)), draw(st.integers(1, 120))
    boxes = [[0.0, 0.0, width, height]]
    for _ in range(draw(st.integers(1, 4))):
        x1, y1 = (draw(st.floats(-20, side - 0.5)) for side in (width, height))
        x2 = draw(st.floats(max(x1, 0.0) + 0.01, width + 20.0))
        y2 = draw(st.floats(max(y1, 0.0) + 0.01, height + 20.0))
        boxes.append([x1, y1, x2, y2])
    return height, width, torch.tensor(boxes, dtype=torch.float32)


@given(frames_with_boxes(), st.integers(0, 999))
@settings(max_examples=200, deadline=None)
def test_equal_to_torchvisions_bit_for_bit(frame, seed):
    height, width, boxes = frame
    masks = smooth_masks(len(boxes), seed)
    assert paste_masks(masks, boxes, height, width) == paste_plainly(masks, boxes, height, width)


def test_no_mask_gives_none():
    assert paste_masks(torch.zeros(0, 1, 28, 28), torch.zeros(0, 4), 30, 40) == []


def test_a_box_beside_the_image_has_an_empty_mask():
    boxes = torch.tensor([[50.0, 5, 60, 10], [5, -30, 9, -20]])
    (right, above) = paste_masks(torch.ones(2, 1, 28, 28), boxes, 30, 40)
    empty = coco_mask.encode(np.zeros((30, 40), np.uint8, order="F"))["counts"]
    assert right == above == empty


@pytest.mark.parametrize("probability, expected", [(0.3, 0), (0.45, 0), (0.55, 1), (0.7, 1)])
def test_a_pixel_belongs_to_a_mask_where_it_is_more_likely_than_not(probability, expected):
    masks = torch.full((1, 1, 28, 28), probability)
    (found,) = paste_masks(masks, torch.tensor([[10.0, 20, 38, 48]]), 80, 60)
    bitmap = coco_mask.decode({"size": [80, 60], "counts": found})
    assert (bitmap[22:46, 12:36] == expected).all()
