"""Cityscapes: label images, polygons that cover each other, groups, ids, and bad input."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

import tfdp
from tests.sources.label_folders import draw, save_png, write_coco
from tfdp.sources.cityscapes import CLASSES

STEM = "aachen_000000_000019"
COLUMNS = ["area", "perimeter", "scs", "si_scs", "cb_scs", "cb_only"]


@pytest.fixture
def city(tmp_path):
    city = tmp_path / "gtFine" / "train" / "aachen"
    city.mkdir(parents=True)
    return city


def write_ids(city, labels, stem=STEM):
    return save_png(city / f"{stem}_gtFine_instanceIds.png", labels)


def box(x, y, width, height):
    return [[x, y], [x + width - 1, y], [x + width - 1, y + height - 1], [x, y + height - 1]]


def write_polygons(city, objects, size=(60, 80), stem=STEM):
    """Objects: (label, polygon), or whatever is to stand in the file."""
    document = {
        "imgHeight": size[0],
        "imgWidth": size[1],
        "objects": [
            {"label": item[0], "polygon": item[1]} if isinstance(item, tuple) else item
            for item in objects
        ],
    }
    path = city / f"{stem}_gtFine_polygons.json"
    path.write_text(json.dumps(document))
    return path


def skipped(scores):
    return [tuple(item)[:3] for item in scores.skipped]


def instance(number):
    return ("annotation", f"{STEM}#{number}")


def test_scores_of_rectangles_are_those_of_the_definition(city, tmp_path):
    rectangles = (7, 0, 0, 80, 30), (24000, 5, 5, 21, 21), (26001, 30, 5, 31, 31), (26, 0, 50, 9, 9)
    write_ids(city, draw(60, 80, *rectangles, dtype=np.uint16))
    write_ids(city.parent.parent / "val" / "ulm", draw(9, 9, dtype=np.uint16), "ulm_000001_000019")
    scores = tfdp.score(tmp_path)
    assert scores.instances.annotation_id.tolist() == [f"{STEM}#24000", f"{STEM}#26001"]
    assert scores.instances.category_id.tolist() == [24, 26]
    assert scores.instances.area.tolist() == [400, 900]
    assert scores.instances.perimeter.tolist() == [80, 120]
    assert scores.images.image_id.tolist() == [STEM, "ulm_000001_000019"]
    assert scores.images.file_name.tolist() == [
        f"train/aachen/{STEM}_leftImg8bit.png",
        "val/ulm/ulm_000001_000019_leftImg8bit.png",
    ]
    assert scores.images.num_instances.tolist() == [2, 0]
    np.testing.assert_allclose(scores.images.cb_scs, [2, np.nan])
    names = ["person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
    assert scores.contents.category_names.tolist() == names
    assert skipped(scores) == [(*instance(26), "crowd")]


def test_scores_are_those_of_the_same_masks_as_run_lengths(city, tmp_path):
    rng = np.random.default_rng(5)
    values = np.array([0, 7, 24000, 24001, 25000, 31002, 33017], np.uint16)
    masks = []
    for stem in ("a_1_2", "a_1_3"):
        labels = values[np.kron(rng.integers(0, 7, (11, 13)), np.ones((5, 3), int))]
        write_ids(city, labels, stem)
        masks += [(stem, int(value) // 1000, labels == value) for value in values[2:]]
    expected = tfdp.score_coco(write_coco(tmp_path / "ann.json", masks, CLASSES))
    scores = tfdp.score(tmp_path / "gtFine")
    for column in COLUMNS:
        np.testing.assert_array_equal(scores.instances[column], expected.instances[column])
    np.testing.assert_array_equal(scores.images.cb_scs, expected.images.cb_scs)


@pytest.mark.parametrize("value", [34000, 29001, 1000, 65535])
def test_an_instance_of_another_class_is_skipped(city, value):
    write_ids(city, draw(60, 80, (value, 5, 5, 21, 21), (33000, 30, 5, 9, 9), dtype=np.uint16))
    scores = tfdp.score(city)
    assert scores.instances.category_id.tolist() == [33]
    assert skipped(scores) == [(*instance(value), "unknown_category")]


@pytest.mark.parametrize("inner", ["", "gtFine", "gtFine/train", "gtFine/train/aachen"])
def test_any_folder_down_to_a_city_is_read(city, tmp_path, inner):
    write_ids(city, draw(60, 80, (24000, 5, 5, 21, 21), dtype=np.uint16))
    scores = tfdp.score(tmp_path / inner)
    assert scores.images.image_id.tolist() == [STEM]
    whole = f"train/aachen/{STEM}_leftImg8bit.png"
    assert whole.endswith(scores.images.file_name[0])


def test_a_split_is_read_alone(city, tmp_path):
    write_ids(city, draw(9, 9, dtype=np.uint16))
    write_ids(city.parent.parent / "val" / "ulm", draw(9, 9, dtype=np.uint16), "ulm_1_2")
    scores = tfdp.score(tmp_path, split="val")
    assert scores.images.file_name.tolist() == ["val/ulm/ulm_1_2_leftImg8bit.png"]
    with pytest.raises(
        ValueError, match=r"gtFine has no folder of the split 'tests', but train, val"
    ):
        tfdp.score(tmp_path, split="tests")


# --- polygons


def test_later_polygons_cover_earlier_ones(city):
    write_polygons(
        city,
        [
            ("road", box(0, 0, 80, 60)),
            ("car", box(5, 5, 21, 21)),
            ("person", box(30, 5, 31, 31)),
            ("sky", box(5, 16, 21, 20)),
        ],
    )
    scores = tfdp.score(city)
    assert scores.instances.annotation_id.tolist() == [f"{STEM}#1", f"{STEM}#2"]
    assert scores.instances.category_id.tolist() == [26, 24]
    assert scores.instances.area.tolist() == [20 * 10, 900]
    assert scores.images.file_name.tolist() == [f"{STEM}_leftImg8bit.png"]
    assert skipped(scores) == []


def draw_officially(objects, height, width):
    """As Cityscapes' own script draws label images of instances."""
    number_of = {name: number for number, name in CLASSES.items()}
    image = Image.new("I", (width, height), 0)
    seen = dict.fromkeys(number_of, 0)
    for label, polygon in objects:
        value = 7
        if label in number_of:
            value = 1000 * number_of[label] + seen[label]
            seen[label] += 1
        ImageDraw.Draw(image).polygon([tuple(point) for point in polygon], fill=value)
    return np.asarray(image).astype(np.uint16)


def test_polygons_score_like_the_label_image_of_them(city, tmp_path):
    rng = np.random.default_rng(7)
    objects = []
    for label in [*CLASSES.values(), "road", "pole"] * 3:
        center, angles = rng.uniform(0, (200, 100)), np.sort(rng.uniform(0, 2 * np.pi, 9))
        spokes = rng.uniform(5, 40, (9, 1)) * np.column_stack([np.cos(angles), np.sin(angles)])
        objects.append((label, (center + spokes).round().tolist()))
    write_polygons(city, objects, size=(100, 200))
    write_ids(tmp_path / "ids", draw_officially(objects, 100, 200))
    polygons, labels = tfdp.score(city).instances, tfdp.score(tmp_path / "ids").instances
    assert 10 < labels.num_rows <= 24
    for column in COLUMNS:
        np.testing.assert_allclose(np.sort(polygons[column]), np.sort(labels[column]))


def test_a_label_image_goes_before_polygons(city):
    write_polygons(city, [("car", box(5, 5, 21, 21))])
    write_ids(city, draw(60, 80, (24000, 5, 5, 31, 31), dtype=np.uint16))
    assert tfdp.score(city).instances.annotation_id.tolist() == [f"{STEM}#24000"]


def test_what_is_no_instance_is_listed_where_it_is_no_stuff(city):
    write_polygons(
        city,
        [
            ("cargroup", box(1, 1, 9, 9)),
            ("polegroup", box(1, 1, 9, 9)),
            ("caravan", box(1, 1, 9, 9)),
            ("unicorn", box(1, 1, 9, 9)),
            {"label": "car", "polygon": box(5, 5, 9, 9), "deleted": 1},
            ("bus", box(20, 20, 5, 5)),
            ("truck", box(18, 18, 9, 9)),
            ("license plate", box(18, 18, 9, 9)),
            ("car", box(40, 5, 21, 21)),
        ],
    )
    scores = tfdp.score(city)
    assert scores.instances.annotation_id.tolist() == [f"{STEM}#6", f"{STEM}#8"]
    assert scores.instances.area.tolist() == [64, 400]
    assert skipped(scores) == [
        (*instance(0), "crowd"),
        (*instance(2), "unknown_category"),
        (*instance(3), "unknown_category"),
        (*instance(5), "no_mask"),
    ]


BAD_OBJECTS = {
    "two points": ({"label": "car", "polygon": [[1, 1], [9, 9]]}, "polygon_too_short"),
    "no point": ({"label": "car", "polygon": []}, "polygon_too_short"),
    "a number alone": ({"label": "car", "polygon": [[1, 1], [9], [5, 5]]}, "bad_segmentation"),
    "texts": ({"label": "car", "polygon": [["1", 1]] * 3}, "bad_segmentation"),
    "null": ({"label": "car", "polygon": None}, "bad_segmentation"),
    "no polygon": ({"label": "car"}, "bad_segmentation"),
    "no label": ({"polygon": box(1, 1, 9, 9)}, "bad_segmentation"),
    "a number as label": ({"label": 26, "polygon": box(1, 1, 9, 9)}, "bad_segmentation"),
    "no object": (5, "bad_segmentation"),
    "far outside": ({"label": "car", "polygon": [[1, 1], [1e300, 1], [1, 9]]}, "far_outside"),
    "more than its height above": (
        {"label": "car", "polygon": [[1, -61], [9, 1], [1, 9]]},
        "far_outside",
    ),
}


@pytest.mark.parametrize("item, reason", BAD_OBJECTS.values(), ids=BAD_OBJECTS)
def test_a_bad_object_is_skipped_and_the_rest_scored(city, item, reason):
    write_polygons(city, [("car", box(5, 5, 21, 21)), item, ("car", box(30, 5, 31, 31))])
    scores = tfdp.score(city)
    assert scores.instances.area.tolist() == [400, 900]
    assert skipped(scores) == [(*instance(1), reason)]


def frame(**changes):
    return json.dumps({"imgHeight": 60, "imgWidth": 80, "objects": [], **changes}).encode()


BAD_FILES = {
    "empty": (b"", "mask_unreadable"),
    "no JSON": (b"{]", "mask_unreadable"),
    "NaN": (b'{"imgHeight": NaN, "imgWidth": 80, "objects": []}', "mask_unreadable"),
    "not UTF-8": (
        b'{"imgHeight": 60, "imgWidth": 80, "objects": [], "a": "\xff"}',
        "mask_unreadable",
    ),
    "a list": (b"[]", "mask_unreadable"),
    "no size": (b'{"objects": []}', "mask_unreadable"),
    "no objects": (b'{"imgHeight": 60, "imgWidth": 80}', "mask_unreadable"),
    "a text as size": (frame(imgHeight="60"), "mask_unreadable"),
    "half a pixel": (frame(imgHeight=60.5), "mask_unreadable"),
    "no pixels": (frame(imgHeight=0), "bad_size"),
    "less than none": (frame(imgWidth=-80), "bad_size"),
    "a bomb": (frame(imgHeight=2**20, imgWidth=2**20), "mask_too_large"),
    "deeper than anyone needs": (frame()[:-1] + b', "a":' + b"[" * 10**5, "mask_unreadable"),
    "more to draw than anyone has": (
        frame(
            imgHeight=8192,
            imgWidth=8192,
            objects=[{"label": "sky", "polygon": box(0, 0, 8192, 8192)}] * 40,
        ),
        "outline_too_long",
    ),
    "beyond 64 bits": (frame(imgHeight=2**80), "mask_too_large"),
}


@pytest.mark.parametrize("content, reason", BAD_FILES.values(), ids=BAD_FILES)
def test_an_image_with_a_bad_file_is_skipped_and_the_rest_scored(city, content, reason):
    write_polygons(city, [("car", box(5, 5, 21, 21))], stem="b_1_2")
    (city / f"{STEM}_gtFine_polygons.json").write_bytes(content)
    scores = tfdp.score(city)
    assert scores.instances.annotation_id.tolist() == ["b_1_2#0"]
    assert skipped(scores) == [("image", STEM, reason)]


def test_a_damaged_label_image_is_skipped_and_the_rest_scored(city):
    write_ids(city, draw(60, 80, (24000, 5, 5, 21, 21), dtype=np.uint16), "b_1_2")
    path = write_ids(city, draw(60, 80, (24000, 5, 5, 21, 21), dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:-30])
    scores = tfdp.score(city)
    assert scores.instances.annotation_id.tolist() == ["b_1_2#24000"]
    assert skipped(scores) == [("image", STEM, "mask_unreadable")]


def test_an_image_of_another_ones_name_is_skipped(city, tmp_path):
    for split in ("train", "val"):
        write_ids(tmp_path / "gtFine" / split / "a", draw(9, 9, dtype=np.uint16))
    scores = tfdp.score(tmp_path)
    assert scores.images.file_name.tolist() == [f"train/a/{STEM}_leftImg8bit.png"]
    assert skipped(scores) == [("image", STEM, "repeated_id")]


def test_a_folder_without_labels_says_what_was_expected(city, tmp_path):
    with pytest.raises(ValueError, match=r"no labels: expected \*_gtFine_instanceIds.png or \*_gt"):
        tfdp.score(tmp_path)
    with pytest.raises(FileNotFoundError, match="gone"):
        tfdp.score(tmp_path / "gone", format="cityscapes")
