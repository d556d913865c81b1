"""The demo's drawn images at the size of photos, so that reading them takes what photos take."""

from __future__ import annotations

import json

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from demo.draw import draw_dataset

FACTOR = 2  # to 640 x 480 px


def _enlarge_mask(segmentation, height, width):
    if isinstance(segmentation, list):
        return [[value * FACTOR for value in part] for part in segmentation]
    if isinstance(segmentation["counts"], list):
        segmentation = coco_mask.frPyObjects(segmentation, height, width)
    bitmap = coco_mask.decode(segmentation).repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    rle = coco_mask.encode(np.asfortranarray(bitmap))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def draw_photos(folder, count):
    """Draws JPEG files of 640 x 480 px into folder/images; returns the COCO file's path."""
    path = draw_dataset(folder, count)
    document = json.loads(path.read_text())
    size = {image["id"]: (image["height"], image["width"]) for image in document["images"]}
    for annotation in document["annotations"]:
        mask = _enlarge_mask(annotation["segmentation"], *size[annotation["image_id"]])
        annotation["segmentation"] = mask
        annotation["bbox"] = [value * FACTOR for value in annotation["bbox"]]
        annotation["area"] *= FACTOR**2
    for image in document["images"]:
        file = str(folder / "images" / image["file_name"])
        image["height"], image["width"] = (FACTOR * side for side in size[image["id"]])
        pixels = cv2.resize(cv2.imread(file), (image["width"], image["height"]))
        cv2.imwrite(file, pixels)
    path.write_text(json.dumps(document))
    return path
