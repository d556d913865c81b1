"""What images hold: instances, classes, sizes - before a selection and after it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..scores.contents import Contents

# COCO's object sizes, by pixel area: small < 32² <= medium < 96² <= large.
SIZES = ("small", "medium", "large")
SIZE_LIMITS = (32**2, 96**2)


@dataclass(frozen=True)
class Composition:
    """How much is there.

    Attributes:
        images: number of images.
        instances: number of scored instances.
        instances_per_class: class name -> number of instances.
        instances_per_size: "small" / "medium" / "large" (COCO's, by the mask's pixel area) ->
            number of instances; empty where the masks were not looked at.
    """

    images: int
    instances: int
    instances_per_class: dict[str, int]
    instances_per_size: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def compose(contents: Contents, keep: NDArray[np.bool_] | None = None) -> Composition:
    """Counts what the images marked in ``keep`` (I,) hold; all images by default."""
    if keep is None:
        keep = np.ones(contents.num_images, bool)
    kept = keep[contents.image_index]
    per_class = np.bincount(
        contents.category_index[kept], minlength=len(contents.category_names)
    ).tolist()
    return Composition(
        images=int(keep.sum()),
        instances=int(kept.sum()),
        instances_per_class=dict(zip(contents.category_names.tolist(), per_class, strict=True)),
        instances_per_size=_per_size(contents.pixel_area, kept),
    )


class ClassLoss(NamedTuple):
    """A class, and how many of its instances there are before and after."""

    name: str
    before: int
    after: int


def rank_class_losses(before: Composition, after: Composition) -> list[ClassLoss]:
    """The classes that had instances, those that keep the smallest fraction of them first."""
    losses = [
        ClassLoss(name, count, after.instances_per_class[name])
        for name, count in before.instances_per_class.items()
        if count
    ]
    return sorted(losses, key=lambda loss: (loss.after / loss.before, -loss.before))


def _per_size(pixel_area: NDArray[np.int64] | None, kept: NDArray[np.bool_]) -> dict[str, int]:
    if pixel_area is None:
        return {}
    size = np.digitize(pixel_area[kept], SIZE_LIMITS)
    return dict(zip(SIZES, np.bincount(size, minlength=len(SIZES)).tolist(), strict=True))
