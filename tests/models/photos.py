"""Photos of one bright rectangle, stored turned as cameras store them; and labels of all forms."""

import json

import numpy as np
from PIL import Image

from tests.sources.label_folders import line, save_png, write_labels
from tfdp.geometry.masks import mask_runs_from_bitmaps
from tfdp.geometry.run_lengths import mask_runs_to_rle

# orientation: what is stored of what is shown, by where EXIF says that row 0 and column 0 are seen
STORED = {
    1: lambda shown: shown,  # top, left
    2: lambda shown: shown[:, ::-1],  # top, right
    3: lambda shown: shown[::-1, ::-1],  # bottom, right
    4: lambda shown: shown[::-1],  # bottom, left
    5: lambda shown: shown.swapaxes(0, 1),  # left, top
    6: lambda shown: shown[:, ::-1].swapaxes(0, 1),  # right, top
    7: lambda shown: shown[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda shown: shown[::-1].swapaxes(0, 1),  # left, bottom
}
HEIGHT, WIDTH = 48, 80
X, Y, W, H = BOX = 16, 8, 40, 16  # px; JPEG's blocks


def mask_of_photo(height=HEIGHT, width=WIDTH):
    mask = np.zeros((height, width), bool)
    mask[Y : Y + H, X : X + W] = True
    return mask


def pixels_of(mask):
    return np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255


def store_photo(path, orientation, stored):
    """Writes pixels as they are, and how EXIF says to show them; the path."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    return path


def save_photo(path, orientation, shown=None):
    """Writes pixels (mask_of_photo, if none are given) such that a viewer shows them; the path."""
    shown = pixels_of(mask_of_photo()) if shown is None else shown
    return store_photo(path, orientation, STORED[orientation](shown))


def rle(mask):
    return mask_runs_to_rle(mask_runs_from_bitmaps([mask]))[0]


def coco_labels(root, name, mask):
    height, width = mask.shape
    document = {
        "images": [{"id": 1, "file_name": name, "height": height, "width": width}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "segmentation": {"size": [height, width], "counts": rle(mask).decode()},
                "bbox": [*BOX],
                "iscrowd": 0,
            }
        ],
    }
    path = root / "instances.json"
    path.write_text(json.dumps(document))
    return path, root


def voc_labels(root, mask):
    save_png(root / "SegmentationObject" / "a.png", mask.astype(np.uint8))
    save_png(root / "SegmentationClass" / "a.png", mask.astype(np.uint8) * 8)
    return root, root / "JPEGImages"


def cityscapes_labels(root, mask):
    save_png(
        root / "gtFine" / "train" / "bonn" / "bonn_000000_000019_gtFine_instanceIds.png",
        mask.astype(np.uint16) * 26001,
    )
    return root, root / "leftImg8bit"


def yolo_labels(root):
    (root / "data.yaml").write_text("names: [thing]\ntrain: images\n")
    polygon = [X, Y, X + W, Y, X + W, Y + H, X, Y + H]
    write_labels(root / "labels" / "a.txt", line(0, polygon, (WIDTH, HEIGHT)))
    return root, root
