"""Masks of detections put into their image: full frames, one by one, against their boxes alone.

python -m benchmarks.paste_masks [--images N] [--detections N] [--height H] [--width W]

The plain way is torchvision's `paste_masks_in_image`, > .5, and pycocotools' encode. Both run in
turns on the same drawn masks, on one thread; the fastest of the repeats counts; what they give is
compared byte by byte.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torchvision.models.detection.roi_heads import paste_masks_in_image

from tfdp.models.pasting import paste_masks


def paste_plainly(masks, boxes, height, width):
    encoded = []
    for k in range(len(masks)):
        pasted = paste_masks_in_image(masks[k : k + 1], boxes[k : k + 1], (height, width))
        bitmap = np.asfortranarray(pasted[0, 0].numpy() > 0.5, np.uint8)
        encoded.append(coco_mask.encode(bitmap)["counts"])
    return encoded


def draw_detections(count, height, width, seed):
    """Blobs of 28 x 28, and boxes of 10 px to two thirds of the image, evenly on a log scale."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    noise = torch.randn(count, 1, 6, 6) * 6
    masks = torch.sigmoid(torch.nn.functional.interpolate(noise, size=(28, 28), mode="bicubic"))
    sides = np.array([width, height])
    lengths = np.exp(rng.uniform(np.log(10), np.log(sides * 2 / 3), (count, 2)))
    corners = rng.uniform(0, sides - lengths)
    boxes = np.concatenate([corners, corners + lengths], axis=1)
    return masks, torch.tensor(boxes, dtype=torch.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--detections", type=int, default=100)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    frame = arguments.height, arguments.width
    images = [
        draw_detections(arguments.detections, *frame, seed) for seed in range(arguments.images)
    ]
    seconds = {paste_plainly: [], paste_masks: []}
    for _ in range(arguments.repeats + 1):  # the first compiles
        found = []
        for paste, times in seconds.items():
            started = time.perf_counter()
            found.append([paste(masks, boxes, *frame) for masks, boxes in images])
            times.append(time.perf_counter() - started)
        assert found[0] == found[1]
    plain, own = (min(times[1:]) / len(images) for times in seconds.values())
    print(f"{arguments.detections} masks in {frame[1]} x {frame[0]} px, {len(images)} images")
    print(f"full frames    {plain * 1000:8.1f} ms/image")
    print(f"boxes alone    {own * 1000:8.1f} ms/image, {plain / own:.1f} x as fast, equal")


if __name__ == "__main__":
    main()
