"""What every source stands on, tried on one that is held in memory."""

from pathlib import Path

import numpy as np
import pytest

from tfdp.geometry.masks import MaskRuns, mask_runs_from_bitmaps
from tfdp.skipped import SkippedItem
from tfdp.sources.measuring import measure
from tfdp.sources.records import read_records
from tfdp.sources.source import Batch, Bitmaps, Images, Piece, Polygons, RunLengths

HEIGHT, WIDTH = 6, 8
SQUARE = np.array([[1, 1], [4, 1], [4, 4], [1, 4]], float)


def bitmap():
    """A square of 3 x 3 pixels, as `SQUARE` is drawn."""
    drawn = np.zeros((HEIGHT, WIDTH), bool)
    drawn[1:4, 1:4] = True
    return drawn


def sizes(n):
    return np.full(n, HEIGHT), np.full(n, WIDTH)


def polygons(*parts):
    starts = np.cumsum([0, *map(len, parts)])
    return Polygons(np.concatenate(parts), starts, np.arange(len(parts) + 1), *sizes(len(parts)))


class Memory:
    """A source whose batches are lists of (rows, shapes); every entry is in image 0, of class "a"."""

    kind = "label"
    max_threads = 2

    def __init__(
        self, *batches, name="memory", first_id=0, unique=True, classes=("a",), boxes=None
    ):
        self.lists, self.name, self.boxes = batches, name, boxes
        self.first_id, self.ids_are_unique, self.classes = first_id, unique, classes
        self.total = len(batches)

    def batches(self, *, for_learning):
        first = self.first_id
        for pieces in self.lists:
            num = max((max(rows) + 1 for rows, _ in pieces), default=0)
            yield lambda pieces=pieces, first=first, num=num: self.read(pieces, first, num)
            first += num

    def read(self, pieces, first, num):
        problems = {}

        def read_pieces():
            for rows, shapes in pieces:
                if shapes is None:
                    problems.update(dict.fromkeys(rows, ("bad", "as was asked for")))
                else:
                    yield Piece(np.array(rows), shapes)

        return Batch(
            ids=list(range(first, first + num)),
            image_index=np.zeros(num, np.int64),
            categories=[self.classes[0]] * num,
            pieces=read_pieces(),
            problems=problems,
            boxes=self.boxes,
            progress=1,
        )

    def images(self):
        return Images([f"image {self.first_id}"], [f"{self.first_id}.jpg"], *sizes(1))

    def categories(self):
        return {name: name.upper() for name in self.classes}

    def skipped(self):
        return [SkippedItem("image", self.name, "no image")]


ALL_FORMS = [
    ([4], polygons(SQUARE)),
    ([0, 3], RunLengths([[7, 3, 3, 3, 3, 3, 26], b"!"], *sizes(2))),
    ([2], Bitmaps([bitmap()])),
    ([1], mask_runs_from_bitmaps([bitmap()])),
]


def items(skipped):
    return [tuple(item) for item in skipped]


def test_masks_of_every_form_are_measured_in_the_order_of_their_rows():
    collection = measure([Memory(ALL_FORMS)])
    assert collection.instances.ids.tolist() == [0, 1, 2, 4]
    assert collection.instances.area.tolist() == [4] * 4
    assert collection.instances.perimeter.tolist() == [8] * 4
    assert collection.instances.pixel_area.tolist() == [9] * 4
    assert items(collection.skipped) == [
        ("image", "memory", "no image", ""),
        ("label", 3, "garbage", ""),
    ]


def test_masks_of_every_form_are_learned_alike():
    (record,), skipped = read_records([Memory(ALL_FORMS)], Path("images"))
    assert record.path == Path("images/0.jpg")
    assert (record.height, record.width) == (HEIGHT, WIDTH)
    assert record.instance_ids == [0, 1, 2, 4]
    assert record.labels == ["A"] * 4
    assert len(set(record.masks)) == 1
    assert record.boxes.tolist() == [[1, 1, 3, 3]] * 4  # the masks' own
    assert [item.reason for item in skipped] == ["no image", "garbage"]


def test_boxes_that_are_given_count_and_the_masks_own_stand_in_for_nan():
    boxes = np.full((5, 4), np.nan)
    boxes[1] = [0, 0, 8.5, 6]
    (record,), _ = read_records([Memory(ALL_FORMS, boxes=boxes)], Path())
    assert record.boxes.tolist() == [[1, 1, 3, 3], [0, 0, 8.5, 6], [1, 1, 3, 3], [1, 1, 3, 3]]


def test_what_is_passed_over_is_in_no_column_and_listed_once_in_the_order_of_rows():
    unreadable = MaskRuns(np.empty(0, np.uint32), np.zeros(2, np.int64), np.array([HEIGHT]))
    pieces = [
        ([5], unreadable),
        ([4], None),
        ([3, 4], Bitmaps([bitmap(), bitmap()])),  # of one that is passed over already
        ([1], polygons(SQUARE * np.nan)),
    ]
    collection = measure([Memory(pieces)])
    assert collection.instances.ids.tolist() == [3]  # there is no mask of 0 and 2
    assert items(collection.skipped)[1:] == [
        ("label", 1, "bad_polygon", ""),
        ("label", 4, "bad", "as was asked for"),
        ("label", 5, "outline_too_long", ""),
    ]


def test_batches_and_sources_are_joined_in_their_order():
    one = Memory([([0], polygons(SQUARE))], [([1, 0], polygons(SQUARE + 1, SQUARE))], [])
    other = Memory([([0], polygons(SQUARE))], name="other", first_id=7, classes=("b", "a"))
    collection = measure(iter([one, other]))
    assert collection.image_ids.tolist() == ["image 0", "image 7"]
    assert collection.file_names.tolist() == ["0.jpg", "7.jpg"]
    assert collection.category_ids.tolist() == ["a", "b"]
    assert collection.category_names.tolist() == ["A", "B"]
    assert collection.instances.ids.tolist() == [0, 1, 2, 7]
    assert collection.instances.image_index.tolist() == [0, 0, 0, 1]
    assert collection.instances.category_index.tolist() == [0, 0, 0, 1]
    assert [item.id for item in collection.skipped] == ["memory", "other"]


def test_an_id_twice_is_an_error_where_ids_are_unique():
    batch = [([0], polygons(SQUARE))]
    with pytest.raises(ValueError, match="memory, other has several images with the id 'image 0'"):
        measure([Memory(batch), Memory(batch, name="other")])
    collection = measure([Memory(batch, unique=False), Memory(batch, unique=False)])
    assert collection.instances.ids.tolist() == [0, 0]
    assert collection.instances.image_index.tolist() == [0, 1]


def test_nothing_to_read_is_an_error_and_a_source_without_entries_is_none():
    with pytest.raises(ValueError, match="give at least one file"):
        measure([])
    collection = measure([Memory([])])
    assert len(collection.instances) == 0
    assert collection.instances.area.dtype == float
    (record,), _ = read_records([Memory([])], Path())
    assert (record.instance_ids, record.masks, record.boxes.shape) == ([], [], (0, 4))


def test_the_progress_is_told():
    told = []
    batch = [([0], polygons(SQUARE))]
    measure([Memory(batch, batch)], progress=lambda fraction, message: told.append(fraction))
    assert told == [0.5, 1.0]


def test_an_error_in_a_piece_comes_out_and_keeps_nobody_waiting():
    with pytest.raises(AttributeError):
        measure([Memory(*[[([0], Bitmaps([None]))]] * 3)])
    assert len(measure([Memory(ALL_FORMS)]).instances) == 4
