"""Pascal VOC: objects of label images, their classes, ids, splits, and bad input."""

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as mask_api

import tfdp
from tests.sources.label_folders import (
    draw,
    make_dangling,
    make_loop,
    make_pipe,
    png_that_claims,
    save_png,
    write_coco,
)
from tfdp.sources.label_images import find_objects
from tfdp.sources.records import read_records
from tfdp.sources.voc import CLASSES, open_voc

COLUMNS = ["area", "perimeter", "scs", "si_scs", "cb_scs", "cb_only"]


def write_image(year, stem, objects, classes):
    save_png(year / "SegmentationObject" / f"{stem}.png", objects)
    save_png(year / "SegmentationClass" / f"{stem}.png", classes)


@pytest.fixture
def year(tmp_path):
    """Two images: a person and a car with a border between them, and nothing."""
    year = tmp_path / "VOCdevkit" / "VOC2012"
    objects = draw(60, 80, (255, 4, 4, 62, 40), (1, 5, 5, 21, 21), (2, 30, 5, 31, 31))
    classes = draw(60, 80, (255, 4, 4, 62, 40), (15, 5, 5, 21, 21), (7, 30, 5, 31, 31))
    write_image(year, "2007_000032", objects, classes)
    write_image(year, "2008_000001", draw(40, 50), draw(40, 50))
    lists = year / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2008_000001\n")
    (lists / "trainval.txt").write_text("2008_000001\n2007_000032\n")
    return year


def skipped(scores):
    return [tuple(item)[:3] for item in scores.skipped]


def test_scores_of_rectangles_are_those_of_the_definition(year):
    scores = tfdp.score(year)
    assert scores.instances.annotation_id.tolist() == ["2007_000032#1", "2007_000032#2"]
    assert scores.instances.image_id.tolist() == ["2007_000032"] * 2
    assert scores.instances.category_id.tolist() == [15, 7]
    assert scores.instances.area.tolist() == [400, 900]
    assert scores.instances.perimeter.tolist() == [80, 120]
    np.testing.assert_allclose(scores.instances.scs, [0.2, 120 / 900])
    np.testing.assert_allclose(scores.instances.si_scs, 2 / np.sqrt(np.pi))
    assert scores.images.image_id.tolist() == ["2007_000032", "2008_000001"]
    assert scores.images.file_name.tolist() == ["2007_000032.jpg", "2008_000001.jpg"]
    assert scores.images.num_instances.tolist() == [2, 0]
    np.testing.assert_allclose(scores.images.cb_scs, [2, np.nan])
    assert scores.contents.category_names.tolist() == list(CLASSES.values())
    assert len(CLASSES) == 20
    assert (CLASSES[1], CLASSES[15], CLASSES[20]) == ("aeroplane", "person", "tvmonitor")
    assert skipped(scores) == []


labels_2d = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: st.lists(
        st.lists(st.sampled_from([0, 1, 2, 254, 255]), min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
)


@given(labels_2d, st.sampled_from([np.uint8, np.uint16, np.int32]))
def test_run_lengths_of_a_label_image_are_those_of_each_mask_alone(values, dtype):
    labels = np.array(values, dtype)
    found = find_objects(labels)
    assert list(found) == np.unique(labels).tolist()
    for value, counts in found.items():
        mask = np.asfortranarray(labels == value, np.uint8)
        size = list(mask.shape)
        encoded = mask_api.frPyObjects({"size": size, "counts": counts.tolist()}, *size)
        assert encoded["counts"] == mask_api.encode(mask)["counts"]


def test_scores_are_those_of_the_same_masks_as_run_lengths(year, tmp_path):
    rng = np.random.default_rng(3)
    masks = []
    for stem in ("2007_000032", "2008_000001", "2011_003276"):
        objects = np.kron(rng.integers(0, 5, (11, 13)), np.ones((3, 4), int)).astype(np.uint8)
        classes = np.array([0, 3, 20, 3, 1], np.uint8)
        write_image(year, stem, objects, classes[objects])
        masks += [(stem, int(classes[value]), objects == value) for value in range(1, 5)]
    expected = tfdp.score_coco(write_coco(tmp_path / "ann.json", masks, CLASSES))
    scores = tfdp.score(year)
    for column in COLUMNS:
        np.testing.assert_array_equal(scores.instances[column], expected.instances[column])
    assert scores.images.image_id.tolist() == expected.images.image_id.tolist()
    np.testing.assert_array_equal(scores.images.cb_scs, expected.images.cb_scs)


@pytest.mark.real_data
def test_scores_of_the_real_dataset_are_those_of_its_coco_file(shared, tmp_path):
    source = shared / "data" / "voc2012" / "instances_train.json"
    document = json.loads(source.read_bytes())
    names = {image["id"]: image["file_name"][:-4] for image in document["images"][:150]}
    expected = tfdp.score_coco(source)
    masks = {}
    for annotation in document["annotations"]:
        if annotation["image_id"] in names:
            mask = mask_api.decode(annotation["segmentation"])
            masks.setdefault(annotation["image_id"], []).append((annotation, mask))
    known = dict(
        zip(expected.instances.annotation_id.tolist(), expected.instances.scs, strict=True)
    )
    scs = {}
    for image_id, items in masks.items():
        if sum(mask.astype(int) for _, mask in items).max() > 1:
            continue  # one pixel has one value
        objects, classes = np.zeros((2, *items[0][1].shape), np.uint8)
        for value, (annotation, mask) in enumerate(items, start=1):
            objects[mask > 0], classes[mask > 0] = value, annotation["category_id"]
            scs[f"{names[image_id]}#{value}"] = known[annotation["id"]]
        write_image(tmp_path / "VOC2012", names[image_id], objects, classes)
    assert len(scs) > 200
    instances = tfdp.score(tmp_path).instances
    assert dict(zip(instances.annotation_id.tolist(), instances.scs, strict=True)) == scs


def test_an_object_has_the_class_of_most_of_its_pixels(year):
    classes = draw(60, 80, (7, 0, 0, 80, 30), (15, 0, 0, 80, 9))
    write_image(year, "2007_000032", draw(60, 80, (9, 5, 5, 21, 21)), classes)
    assert tfdp.score(year).instances.category_id.tolist() == [7]


@pytest.mark.parametrize("value", [0, 21, 255])
def test_an_object_of_no_class_is_skipped(year, value):
    objects = draw(60, 80, (1, 5, 5, 21, 21), (2, 30, 5, 31, 31))
    classes = draw(60, 80, (value, 5, 5, 21, 21), (7, 30, 5, 31, 31))
    write_image(year, "2007_000032", objects, classes)
    scores = tfdp.score(year)
    assert scores.instances.annotation_id.tolist() == ["2007_000032#2"]
    assert skipped(scores) == [("annotation", "2007_000032#1", "unknown_category")]


def test_gray_values_count_like_those_of_a_palette(year):
    expected = tfdp.score(year)
    for path in year.glob("Segmentation*/*.png"):
        Image.fromarray(np.asarray(Image.open(path))).save(path)
        assert Image.open(path).mode == "L"
    scores = tfdp.score(year)
    assert scores.instances.area.tolist() == expected.instances.area.tolist()
    assert scores.instances.annotation_id.tolist() == expected.instances.annotation_id.tolist()


# --- where it is


@pytest.mark.parametrize("place", ["", ".."])
def test_a_devkit_of_one_year_is_that_year(year, place):
    assert tfdp.score(f"{year}/{place}").images.num_rows == 2


def test_several_years_are_an_error_that_names_them(year):
    write_image(year.with_name("VOC2007"), "000001", draw(9, 9), draw(9, 9))
    with pytest.raises(
        ValueError, match=r"several years, VOC2007, VOC2012; give the folder of one"
    ):
        tfdp.score(year.parent)


def test_a_split_is_read_in_its_order(year):
    assert tfdp.score(year, split="train").images.image_id.tolist() == ["2008_000001"]
    both = tfdp.score(year, split="trainval").images.image_id.tolist()
    assert both == ["2008_000001", "2007_000032"]
    with pytest.raises(ValueError, match=r"no list of the split 'trian'; there are: train, trainv"):
        tfdp.score(year, split="trian")


def test_a_folder_of_another_kind_says_what_was_expected(tmp_path, year):
    with pytest.raises(
        ValueError, match="is no year of a VOCdevkit: expected a folder Segmentatio"
    ):
        tfdp.score(year / "ImageSets", format="voc")
    for path in year.glob("*/*.png"):
        path.unlink()
    with pytest.raises(ValueError, match="has no label images: expected PNG files in Segmentation"):
        tfdp.score(year)
    with pytest.raises(FileNotFoundError, match="nothing"):
        tfdp.score(tmp_path / "nothing", format="voc")


# --- bad input


def save_rgb(path):
    Image.new("RGB", (80, 60)).save(path)


def save_jpeg(path):
    Image.new("L", (80, 60)).save(path, "JPEG")


DAMAGE = {
    "empty": (lambda path: path.write_bytes(b""), "mask_unreadable"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-40]), "mask_unreadable"),
    "a header alone": (lambda path: path.write_bytes(path.read_bytes()[:20]), "mask_unreadable"),
    "no PNG": (save_jpeg, "mask_unreadable"),
    "colors": (save_rgb, "mask_unreadable"),
    "16 bits": (lambda path: save_png(path, draw(60, 80, dtype=np.uint16)), "mask_unreadable"),
    "another size": (lambda path: save_png(path, draw(80, 60)), "size_mismatch"),
    "a bomb": (lambda path: path.write_bytes(png_that_claims(50_000, 50_000)), "mask_too_large"),
    "more than its bytes": (
        lambda path: path.write_bytes(png_that_claims(900, 9)),
        "mask_unreadable",
    ),
    "no pixels": (lambda path: path.write_bytes(png_that_claims(0, 9)), "bad_size"),
    "missing": (lambda path: path.unlink(), "mask_missing"),
    "a pipe": (make_pipe, "mask_unreadable"),
    "a link to itself": (make_loop, "mask_unreadable"),
    "a link to nothing": (make_dangling, "mask_missing"),
}


@pytest.mark.parametrize("folder", ["SegmentationObject", "SegmentationClass"])
@pytest.mark.parametrize("damage, reason", DAMAGE.values(), ids=DAMAGE)
def test_an_image_with_a_bad_label_image_is_skipped_and_the_rest_scored(
    year, folder, damage, reason
):
    write_image(
        year, "2009_000001", draw(60, 80, (1, 5, 5, 21, 21)), draw(60, 80, (1, 5, 5, 21, 21))
    )
    damage(year / folder / "2007_000032.png")
    scores = tfdp.score(year)
    assert scores.instances.annotation_id.tolist() == ["2009_000001#1"]
    assert skipped(scores) == [("image", "2007_000032", reason)]


def test_an_image_without_readable_labels_is_not_learned_as_empty(year):
    (year / "SegmentationClass" / "2007_000032.png").write_bytes(b"")
    records, left_out = read_records([open_voc(year)], year / "JPEGImages")
    assert [record.image_id for record in records] == ["2008_000001"]
    assert [tuple(item)[:3] for item in left_out] == [("image", "2007_000032", "mask_unreadable")]


def test_noise_is_refused_before_it_takes_memory(year):
    noise = np.random.default_rng(0).integers(0, 250, (1500, 1500), np.uint8)
    write_image(year, "2007_000032", noise, noise % 20)
    assert skipped(tfdp.score(year)) == [("image", "2007_000032", "outline_too_long")]


def test_an_image_of_another_ones_name_is_skipped(year):
    objects = year / "SegmentationObject"
    (objects / "more").mkdir()
    os.link(objects / "2007_000032.png", objects / "more" / "2007_000032.png")
    scores = tfdp.score(year)
    assert scores.instances.num_rows == 2
    assert skipped(scores) == [("image", "2007_000032", "repeated_id")]
    (year / "ImageSets" / "Segmentation" / "train.txt").write_text("2008_000001\n" * 2 + "\n")
    scores = tfdp.score(year, split="train")
    assert scores.images.num_rows == 1
    assert skipped(scores) == [("image", "2008_000001", "repeated_id")]


def test_a_name_that_is_not_utf8_is_skipped(year):
    source = year / "SegmentationObject" / "2007_000032.png"
    os.link(source, os.fsencode(source.parent) + b"/caf\xe9.png")
    scores = tfdp.score(year)
    assert scores.images.num_rows == 2
    assert skipped(scores) == [("image", None, "bad_id")]


def test_a_bad_list_of_a_split_is_an_error(year):
    (year / "ImageSets" / "Segmentation" / "train.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(ValueError, match=r"train.txt is not UTF-8 at byte 3"):
        open_voc(year, "train")


def test_hidden_files_and_links_in_circles_change_nothing(year):
    folder = year / "SegmentationObject"
    (folder / "._2007_000032.png").write_bytes(b"of a file system")
    (folder / "circle").symlink_to(folder)
    assert tfdp.score(year).images.num_rows == 2
