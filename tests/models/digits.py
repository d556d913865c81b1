"""scikit-learn's digits, 8 x 8 px, as torchvision's ImageFolder has images."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

QUICK = {"weights": "none", "batch_size": 16, "image_size": 32, "flips": False, "device": "cpu"}


def write_digits(folder: Path, start: int, stop: int, wrong: int = 0) -> Path:
    """Some of the digits, `<class>/<number>.png`; the first few in the folder of the next class."""
    data = load_digits()
    for number in range(start, stop):
        label = (data.target[number] + (number - start < wrong)) % 10
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((data.images[number] * 15.9).astype(np.uint8)).save(path)
    return folder
