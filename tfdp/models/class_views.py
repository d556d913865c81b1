"""What a classifier sees of an image: another view to learn from each epoch, and one to score."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torchvision.transforms import AutoAugment, InterpolationMode, RandomResizedCrop
from torchvision.transforms import functional as F  # noqa: N812 - as all the world calls it

from .images import image_tensor, read_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]  # of ImageNet, RGB
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
AREA, RATIO = [0.08, 1.0], [3 / 4, 4 / 3]  # of a random crop: of the image's area; width to height
AUGMENT = AutoAugment(interpolation=InterpolationMode.BILINEAR, fill=[128, 128, 128])


@dataclass(frozen=True)
class Views:
    """How an image becomes what the network sees, (3, h, w), normalized.

    Attributes:
        image_size: px of both sides.
        seed: of what is random.
        flips: whether to mirror at random.
        crops: whether to learn from random crops, and to score the central square; else the whole
            image is squeezed into a square.
        auto_augment: whether to change colors and shapes by AutoAugment's policy for ImageNet.
    """

    image_size: int
    seed: int = 0
    flips: bool = False
    crops: bool = False
    auto_augment: bool = False

    def to_score(self, path: Path) -> torch.Tensor:
        """The same view of an image each time."""
        if not self.crops:
            return _normalize(self._squeeze(path))
        size = [self.image_size]
        image = F.resize(read_image(path), size, InterpolationMode.BICUBIC)
        return _normalize(F.center_crop(image, size))

    def to_learn(self, path: Path, draw: int) -> torch.Tensor:
        """The view of a draw: the same in any process and order."""
        with _drawn_from(self.seed, draw):
            image = self._crop(read_image(path)) if self.crops else self._squeeze(path)
            if self.flips and torch.rand(()) < 0.5:
                image = F.hflip(image)
            return _normalize(AUGMENT(image) if self.auto_augment else image)

    def _squeeze(self, path: Path) -> Image.Image:
        return read_image(path, (self.image_size, self.image_size))

    def _crop(self, image: Image.Image) -> Image.Image:
        place = RandomResizedCrop.get_params(image, AREA, RATIO)
        size = [self.image_size, self.image_size]
        cropped: Image.Image = F.resized_crop(image, *place, size, InterpolationMode.BICUBIC)
        return cropped


@contextmanager
def _drawn_from(*numbers: int) -> Iterator[None]:
    """Torch's random numbers on the CPU drawn from these; the caller's go on as they were."""
    with torch.random.fork_rng([]):
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
        yield


def _normalize(image: Image.Image) -> torch.Tensor:
    return (image_tensor(image).float() / 255 - MEAN) / STD
