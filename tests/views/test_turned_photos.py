"""Views of photos that EXIF turns: FiftyOne's sizes, with and without metadata, and raw ones."""

import fiftyone as fo
import pytest

pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.photos import (
    BOX,
    HEIGHT,
    STORED,
    WIDTH,
    coco_labels,
    mask_of_photo,
    pixels_of,
    save_photo,
    store_photo,
)
from tests.models.test_images import assert_bright_under_the_mask
from tests.views.datasets import import_coco, new_datasets, rectangle
from tfdp.views.labels import find_label_field
from tfdp.views.records import read_view_records

X, Y, W, H = BOX


@pytest.mark.parametrize(
    "ending, computed",
    [("jpg", True), ("jpg", False), ("png", False)],  # of PNG, FiftyOne's sizes are those stored
)
def test_labels_are_of_the_image_as_the_app_shows_it(tmp_path, ending, computed):
    box = [X / WIDTH, Y / HEIGHT, W / WIDTH, H / HEIGHT]
    samples = [
        fo.Sample(
            filepath=str(save_photo(tmp_path / f"{orientation}.{ending}", orientation)),
            gt=fo.Detections(
                detections=[fo.Detection(label="a", bounding_box=box, mask=rectangle(H, W))]
            ),
        )
        for orientation in STORED
    ]
    with new_datasets() as make:
        dataset = make(samples)
        if computed:
            dataset.compute_metadata(progress=False)
        found = read_view_records(dataset, find_label_field(dataset, "gt"))
    assert len(found.records) == len(STORED)
    for record in found.records:
        assert_bright_under_the_mask(record)


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_coco_file_of_the_stored_pixels_stays_that_in_fiftyone(tmp_path, orientation):
    store_photo(tmp_path / "images" / "a.png", orientation, pixels_of(mask_of_photo()))
    labels, _ = coco_labels(tmp_path, "a.png", mask_of_photo())
    dataset = import_coco(labels, tmp_path / "images")
    found = read_view_records(dataset, find_label_field(dataset, "ground_truth"))
    dataset.delete()
    assert_bright_under_the_mask(found.records[0])
