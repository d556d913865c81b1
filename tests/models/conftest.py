"""Small drawn images for real trainings."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

if os.environ.get("TFDP_REQUIRE") == "1":
    import torchvision  # noqa: F401 - where all tests must run, a missing package is a failure

WRONG_IMAGE = 5  # its masks are all of the box but the shape


def write_toy_dataset(
    folder: Path, *, images: int = 10, side: int = 64, wrong: bool = True
) -> Path:
    """Bright ellipses and triangles, two an image, as a COCO file; returns its path."""
    from PIL import Image

    from tfdp.geometry.masks import mask_runs_from_bitmaps
    from tfdp.geometry.run_lengths import mask_runs_to_rle

    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[:side, :side]
    document = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 1, "name": "ellipse"}, {"id": 2, "name": "triangle"}],
    }
    for image_id in range(images):
        pixels = rng.integers(0, 60, (side, side, 3))
        for half in range(2):
            w, h = rng.integers(side // 3, side // 2 - 4), rng.integers(side // 3, side - 8)
            x, y = half * side // 2 + 2, rng.integers(2, side - h - 2)
            u, v = (xx - x - w / 2) / (w / 2), (yy - y - h / 2) / (h / 2)
            box = (abs(u) <= 1) & (abs(v) <= 1)
            shape = u**2 + v**2 <= 1 if half else box & (abs(u) <= (v + 1) / 2)
            pixels[shape] += 150
            mask = box & ~shape if wrong and image_id == WRONG_IMAGE else shape
            document["annotations"].append({
                "id": len(document["annotations"]) + 100,
                "image_id": image_id,
                "category_id": 1 if half else 2,
                "bbox": [int(x), int(y), int(w), int(h)],
                "segmentation": {"size": [side, side], "counts": mask_runs_to_rle(mask_runs_from_bitmaps([mask]))[0].decode()},
                "area": int(mask.sum()),
                "iscrowd": 0,
            })  # fmt: skip
        name = f"{image_id}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
        document["images"].append(
            {"id": image_id, "file_name": name, "height": side, "width": side}
        )
    path = folder / "instances.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(scope="session")
def toy(tmp_path_factory) -> Path:
    """A COCO file of 10 images beside their files; the masks of `WRONG_IMAGE` are wrong."""
    return write_toy_dataset(tmp_path_factory.mktemp("toy"))


TOY_SETTINGS = {
    "model": "maskrcnn_resnet18_fpn",
    "weights": "none",
    "epochs": 4,
    "batch_size": 2,
    "image_size": 64,
    "device": "cpu",
}


def train_toy(annotations: Path, log: Path, progress=lambda fraction, message: None):
    from tfdp.models.segmentation import train_and_score
    from tfdp.sources.formats import open_sources
    from tfdp.sources.records import read_records

    records, _ = read_records(open_sources(annotations), annotations.parent)
    return train_and_score(records, log, progress=progress, **TOY_SETTINGS)


@pytest.fixture(scope="session")
def toy_log(toy, tmp_path_factory) -> Path:
    """The log of a real training on the toy."""
    pytest.importorskip("torch", reason="needs the extra `models`")
    log = tmp_path_factory.mktemp("toy_log")
    train_toy(toy, log)
    return log


if __name__ == "__main__":  # a run of its own, for a test to kill: annotations, log
    train_toy(Path(sys.argv[1]), Path(sys.argv[2]), lambda _, message: print(message, flush=True))  # noqa: T201


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The log of a training of no time."""
    from tests.models.one_number import train

    folder = tmp_path_factory.mktemp("finished")
    train(folder)
    return folder


@pytest.fixture
def log(finished, tmp_path):
    """A finished log to damage."""
    return shutil.copytree(finished, tmp_path / "log")
