"""What is learned from is what `tfdp score` scores: both commands side by side on damaged files."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

import tfdp
from tests.sources.conftest import make_document, square
from tests.sources.test_coco_bad_input import (
    BAD_ANNOTATIONS,
    BAD_SEGMENTATIONS,
    BAD_SIZES,
    DAMAGED_FILES,
)
from tfdp.cli import main
from tfdp.sources.formats import open_sources
from tfdp.sources.measuring import measure
from tfdp.sources.records import read_records

DAMAGED_LISTS = {
    "annotations no list": {"annotations": {"a": 1}},
    "images null": {"images": None},
    "categories a number": {"categories": 5},
    "an image twice": {"images": [make_document()["images"][0]] * 2},
    "an annotation twice": {"annotations": [make_document()["annotations"][0]] * 2},
    "a category twice": {"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]},
    "a category of one number": {"categories": [5]},
    "a category that is a list": {"categories": [[1, "cat"]]},
    "category names of several types": {
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": 7}]
    },
}


def skipped_of(skipped):
    return [tuple(item) for item in skipped]


def check_same(document, tmp_path):
    """Both readings of a document; returns what they passed over."""
    path = tmp_path / "ann.json"
    sys.set_int_max_str_digits(0)  # to write it; it is read with the limit in place
    path.write_text(json.dumps(document))
    sys.set_int_max_str_digits(4300)
    scores = tfdp.score_coco(path)
    records, skipped = read_records(open_sources(path), tmp_path)
    assert skipped_of(skipped) == skipped_of(scores.skipped)
    assert [r.image_id for r in records] == scores.images.image_id.tolist()
    learned = [i for record in records for i in record.instance_ids]
    assert sorted(learned) == sorted(scores.instances.annotation_id.tolist())
    return skipped_of(skipped)


def errors_of_both(path, capsys):
    """The one line that each command says."""
    said = []
    table = path.with_name("table.csv")
    for command in (["score"], ["train-score", "--images", path.parent, "--log", path / "log"]):
        assert main([command[0], str(path), *map(str, command[1:]), "-o", str(table)]) == 2
        said.append(capsys.readouterr().err)
    assert not table.exists()
    return said


@pytest.mark.parametrize("content", [c for c, _ in DAMAGED_FILES.values()], ids=DAMAGED_FILES)
def test_a_damaged_file_is_the_same_error(tmp_path, content, capsys):
    pytest.importorskip("torch", reason="needs the extra `models`")
    path = tmp_path / "ann.json"
    path.write_bytes(content)
    score, train_score = errors_of_both(path, capsys)
    assert train_score == score
    assert score.startswith("tfdp: error: ")


@pytest.mark.parametrize("changes", DAMAGED_LISTS.values(), ids=DAMAGED_LISTS)
def test_a_damaged_list_is_the_same_error(tmp_path, changes, capsys):
    pytest.importorskip("torch", reason="needs the extra `models`")
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(make_document() | changes))
    score, train_score = errors_of_both(path, capsys)
    assert train_score == score
    assert "ann.json" in score


@pytest.mark.parametrize("change", [c for c, _, _ in BAD_ANNOTATIONS.values()], ids=BAD_ANNOTATIONS)
def test_a_bad_annotation_is_skipped_alike(tmp_path, change):
    document = make_document()
    bad = change
    if isinstance(change, dict):
        changed = {**document["annotations"][0], "id": 99, **change}
        bad = {key: value for key, value in changed.items() if value is not ...}
    document["annotations"].append(bad)
    assert len(check_same(document, tmp_path)) == 2


@pytest.mark.parametrize(
    "segmentation", [s for s, _ in BAD_SEGMENTATIONS.values()], ids=BAD_SEGMENTATIONS
)
def test_a_bad_segmentation_is_skipped_alike(tmp_path, segmentation):
    document = make_document()
    document["annotations"][0]["segmentation"] = segmentation
    assert [item[1] for item in check_same(document, tmp_path)] == [1, 4]


@pytest.mark.parametrize("key", ["width", "height", "id", "file_name"])
@pytest.mark.parametrize("value", BAD_SIZES, ids=repr)
def test_a_bad_image_is_skipped_alike(tmp_path, key, value):
    document = make_document()
    image = {**document["images"][1], key: value}
    document["images"][1] = {k: v for k, v in image.items() if v is not ...}
    check_same(document, tmp_path)


@pytest.mark.parametrize("entry", [5, None, [], "image"])
def test_an_image_that_is_no_object_is_skipped_alike(tmp_path, entry):
    document = make_document()
    document["images"].append(entry)
    assert check_same(document, tmp_path)[0][:3] == ("image", None, "bad_id")


def test_classes_of_one_name_are_told_apart_as_in_the_scores(tmp_path):
    document = make_document()
    document["categories"][1]["name"] = "cat"
    check_same(document, tmp_path)
    records, _ = read_records(open_sources(tmp_path / "ann.json"), tmp_path)
    assert [list(r.labels) for r in records] == [["cat (id 1)"], ["cat (id 2)", "cat (id 1)"], []]


BAD_BOXES = {
    "none": ...,
    "null": None,
    "short": [1, 2, 3],
    "long": [1, 2, 3, 4, 5],
    "strings": ["1", "2", "3", "4"],
    "booleans": [True, 1, 2, 3],
    "not finite": [1, 2, float("nan"), 4],
    "huge": [1, 2, 3, 10**4000],
    "of negative size": [9, 9, -5, 4],
    "an object": {"x": 1},
    "a number": 5,
}


@pytest.mark.parametrize("box", BAD_BOXES.values(), ids=BAD_BOXES)
def test_the_masks_own_box_stands_in_for_a_bad_one(tmp_path, box):
    document = make_document()
    document["annotations"][0]["bbox"] = box
    document["annotations"][1]["bbox"] = [1.5, 2, 3, 4.25]
    if box is ...:
        del document["annotations"][0]["bbox"]
    check_same(document, tmp_path)
    records, _ = read_records(open_sources(tmp_path / "ann.json"), tmp_path)
    assert records[0].boxes.tolist() == [[5, 5, 20, 20]]
    assert records[1].boxes.tolist() == [[1.5, 2, 3, 4.25], [40, 9, 9, 9]]


def test_a_box_that_can_be_read_is_kept_as_it_is(tmp_path):
    document = make_document()
    document["annotations"][0]["bbox"] = [0, 0, 0, 4]
    check_same(document, tmp_path)
    records, _ = read_records(open_sources(tmp_path / "ann.json"), tmp_path)
    assert records[0].boxes.tolist() == [[0, 0, 0, 4]]


def test_nothing_at_all(tmp_path):
    check_same(make_document() | {"annotations": []}, tmp_path)
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(make_document() | {"annotations": [], "images": []}))
    records, skipped = read_records(open_sources(path), tmp_path)
    assert (records, len(skipped)) == ([], 0)


def test_the_masks_are_those_that_are_scored(tmp_path):
    document = make_document()
    document["annotations"][2]["segmentation"] = square(-3, -3, 9)
    check_same(document, tmp_path)
    records, _ = read_records(open_sources(tmp_path / "ann.json"), tmp_path)
    from pycocotools import mask as coco_mask

    areas = [coco_mask.area({"size": [60, 80], "counts": m}) for r in records for m in r.masks]
    assert areas == measure(open_sources(tmp_path / "ann.json")).instances.pixel_area.tolist()


def test_a_row_needs_nothing_of_its_image_file(tmp_path):
    Image.new("RGB", (80, 60)).save(tmp_path / "a.jpg")
    check_same(make_document(), tmp_path)
    records, _ = read_records(open_sources(tmp_path / "ann.json"), tmp_path)
    assert [r.path for r in records] == [tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg")]
    assert np.shape(records[2].boxes) == (0, 4)
