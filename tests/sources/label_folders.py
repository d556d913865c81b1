"""Small datasets of label images and of YOLO's labels, and the same masks as a COCO file."""

import json
import os
import struct
import zlib

import numpy as np
from PIL import Image
from pycocotools import mask as mask_api

from tests.sources.conftest import square


def save_png(path, values):
    """Values as a PNG: bytes with a palette, as VOC has them, others with 16 bits of gray."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(values))
    if image.mode == "L":
        image.putpalette([value for k in range(256) for value in (k, 255 - k, 7 * k % 256)])
    image.save(path)
    return path


def draw(height, width, *rectangles, dtype=np.uint8):
    """A label image of rectangles (value, x, y, width, height), later ones over earlier ones."""
    labels = np.zeros((height, width), dtype)
    for value, x, y, w, h in rectangles:
        labels[y : y + h, x : x + w] = value
    return labels


def write_coco(path, masks, categories):
    """Writes (image id, category id, (H, W) mask) as run lengths; annotations are numbered."""
    sizes = {image_id: mask.shape for image_id, _, mask in masks}
    document = {
        "images": [
            {"id": image_id, "height": height, "width": width}
            for image_id, (height, width) in sizes.items()
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image_id,
                "category_id": category_id,
                "segmentation": {
                    "size": list(mask.shape),
                    "counts": mask_api.encode(np.asfortranarray(mask, np.uint8))["counts"].decode(),
                },
            }
            for number, (image_id, category_id, mask) in enumerate(masks)
        ],
        "categories": [{"id": k, "name": name} for k, name in categories.items()],
    }
    path.write_text(json.dumps(document))
    return path


def png_that_claims(width, height):
    """A PNG of a few bytes that says it has far more pixels."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def save_image(path, size=(80, 60), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path, **options)
    return path


def line(number, polygon, size=(80, 60)):
    relative = np.array(polygon).reshape(-1, 2) / size
    return f"{number} " + " ".join(map(repr, relative.ravel().tolist()))


def write_labels(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{each}\n" for each in lines))


def make_pipe(path):
    path.unlink()
    os.mkfifo(path)


def make_loop(path):
    path.unlink()
    path.symlink_to(path)


def make_dangling(path):
    path.unlink()
    path.symlink_to(path.with_name("gone"))


CAT = line(0, square(5, 5, 20)[0])
