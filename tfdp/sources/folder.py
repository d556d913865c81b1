"""A folder of images, each with labels of its own, as a source."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import UnreadableError
from ..skipped import SkippedItem
from ..values import is_text
from .source import Batch, Images, Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .source import Id, Ints, Problem, Shapes

    Mask = NDArray[Any]
    Join = Callable[[list[Mask], Ints, Ints], Shapes]

BATCH = 8  # images that one thread reads at a time


class Instance(NamedTuple):
    """One instance of an image.

    Attributes:
        number: its number in the image.
        category: key of its class.
        found: its mask, as the source's ``join`` takes it; or why it is passed over.
    """

    number: int
    category: Id | None
    found: Mask | Problem


class Labels(NamedTuple):
    """What is said of one image of height x width px."""

    height: int
    width: int
    instances: list[Instance]


class LabelledImage(NamedTuple):
    """One image.

    Attributes:
        id: its id.
        file_name: its path, relative to the folder of images or absolute.
        read: reads its labels; raises UnreadableError where they cannot be.
    """

    id: str
    file_name: str
    read: Callable[[], Labels]


class FolderSource:
    """A source of labelled images; see `tfdp.sources.source.Source`.

    An image whose labels cannot be read is listed as skipped, and stays among the images, with no
    instance and a size of 0. One that has another's id is only listed.

    Args:
        path: the folder.
        images: in the source's order.
        categories: key -> name of every class.
        join: gives the shapes of many masks, (n,) heights and (n,) widths.
        skipped: what is passed over already.
    """

    kind = "annotation"
    ids_are_unique = True
    max_threads = 8

    def __init__(
        self,
        path: Path,
        images: Iterable[LabelledImage],
        categories: Mapping[Id, str],
        join: Join,
        skipped: Iterable[SkippedItem] = (),
    ) -> None:
        self.name = str(path)
        self._skipped = list(skipped)
        self._images = self._with_own_ids(images)
        self._categories = categories
        self._join = join
        self.total = len(self._images)
        self._heights, self._widths = np.zeros(self.total, np.int64), np.zeros(self.total, np.int64)
        self._unreadable: dict[int, SkippedItem] = {}

    def _with_own_ids(self, images: Iterable[LabelledImage]) -> list[LabelledImage]:
        """The images whose ids can be used, the first of each id."""
        first_of: dict[str, LabelledImage] = {}
        for image in images:
            if not is_text(image.file_name):
                name = image.file_name.encode(errors="replace").decode()
                self._skipped.append(SkippedItem("image", None, "bad_id", f"{name} is not UTF-8"))
            elif (first := first_of.setdefault(image.id, image)) is not image:
                detail = f"{image.file_name}; {first.file_name} has this id, too"
                self._skipped.append(SkippedItem("image", image.id, "repeated_id", detail))
        return list(first_of.values())

    def batches(self, *, for_learning: bool) -> Iterator[Callable[[], Batch]]:  # noqa: ARG002
        """The batches, at least one; masks are always in the frames of their images."""
        for start in range(0, max(self.total, 1), BATCH):
            yield partial(self._read_batch, range(start, min(start + BATCH, self.total)))

    def images(self) -> Images:
        """The images; known when all batches have been read."""
        ids = [image.id for image in self._images]
        file_names = [image.file_name for image in self._images]
        return Images(ids, file_names, self._heights, self._widths)

    def categories(self) -> Mapping[Id, str]:
        """Key -> name of every class."""
        return self._categories

    def skipped(self) -> list[SkippedItem]:
        """The images that were passed over; known when all batches have been read."""
        return [*self._skipped, *(self._unreadable[row] for row in sorted(self._unreadable))]

    def _read_image(self, row: int) -> list[Instance]:
        image = self._images[row]
        try:
            labels = image.read()
        except UnreadableError as error:
            self._unreadable[row] = SkippedItem("image", image.id, error.reason, error.detail)
            return []
        self._heights[row], self._widths[row] = labels.height, labels.width
        return labels.instances

    def _read_batch(self, rows: Sequence[int]) -> Batch:
        found = [(row, instance) for row in rows for instance in self._read_image(row)]
        instances = [instance for _, instance in found]
        image_index = np.array([row for row, _ in found], np.int64)
        problems = {
            row: instance.found
            for row, instance in enumerate(instances)
            if isinstance(instance.found, tuple)
        }
        return Batch(
            ids=[f"{self._images[row].id}#{instance.number}" for row, instance in found],
            image_index=image_index,
            categories=[instance.category for instance in instances],
            pieces=self._join_masks(instances, image_index),
            problems=problems,
            boxes=None,
            progress=len(rows),
        )

    def _join_masks(
        self, instances: list[Instance], image_index: Ints
    ) -> Generator[Piece, None, None]:
        masks = {
            row: instance.found
            for row, instance in enumerate(instances)
            if not isinstance(instance.found, tuple)
        }
        rows = np.array(list(masks), np.int64)
        images = image_index[rows]
        if masks:
            sizes = self._heights[images], self._widths[images]
            yield Piece(rows, self._join(list(masks.values()), *sizes))
