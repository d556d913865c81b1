"""YOLO segmentation: data.yaml, where images and labels are, sizes, ids, and bad input."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import tfdp
from tests.sources.conftest import square
from tests.sources.label_folders import (
    CAT,
    line,
    make_dangling,
    make_loop,
    make_pipe,
    png_that_claims,
    save_image,
    write_labels,
)
from tfdp.sources.yolo import open_yolo

COLUMNS = ["area", "perimeter", "scs", "si_scs", "cb_scs", "cb_only"]


DOG = line(1, square(30, 5, 30)[0])


@pytest.fixture
def root(tmp_path):
    """Two images to train on, one of them without labels, and one to validate."""
    root = tmp_path / "pets"
    for name in ("train/a.jpg", "train/b.png", "val/c.webp"):
        save_image(root / "images" / name)
    write_labels(root / "labels" / "train" / "a.txt", CAT, DOG)
    write_labels(root / "labels" / "val" / "c.txt", CAT)
    config = "train: images/train\nval: images/val\nnames: [cat, dog]\n"
    (root / "data.yaml").write_text(config)
    return root


def skipped(scores):
    return [tuple(item)[:3] for item in scores.skipped]


def test_scores_of_squares_are_those_of_the_definition(root):
    scores = tfdp.score(root, rasterizer="opencv")  # draws 21 px for a side of 20
    assert scores.instances.annotation_id.tolist() == ["a#0", "a#1", "c#0"]
    assert scores.instances.image_id.tolist() == ["a", "a", "c"]
    assert scores.instances.category_id.tolist() == [0, 1, 0]
    assert scores.instances.area.tolist() == [400, 900, 400]
    assert scores.instances.perimeter.tolist() == [80, 120, 80]
    np.testing.assert_allclose(scores.instances.cb_scs, [0.5, 1, 0.5])
    names = ["images/train/a.jpg", "images/train/b.png", "images/val/c.webp"]
    assert scores.images.file_name.tolist() == names
    assert scores.images.image_id.tolist() == ["a", "b", "c"]
    assert scores.images.num_instances.tolist() == [2, 0, 1]
    np.testing.assert_allclose(scores.images.cb_scs, [1.5, np.nan, 0.5])
    assert scores.contents.category_names.tolist() == ["cat", "dog"]
    assert skipped(scores) == []


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 80), st.integers(0, 64)), min_size=3, max_size=9),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["coco", "opencv"]),
)
def test_scores_are_those_of_the_same_polygons_as_coco(tmp_path_factory, polygons, rasterizer):
    root = tmp_path_factory.mktemp("yolo")
    size = (128, 64)  # powers of two, so that relative places are exact
    save_image(root / "images" / "a.png", size)
    (root / "data.yaml").write_text("names: {7: x}")
    write_labels(root / "labels" / "a.txt", *(line(7, polygon, size) for polygon in polygons))
    document = {
        "images": [{"id": 1, "height": 64, "width": 128}],
        "annotations": [
            {"id": k, "image_id": 1, "category_id": 7, "segmentation": [np.ravel(polygon).tolist()]}
            for k, polygon in enumerate(polygons)
        ],
        "categories": [{"id": 7, "name": "x"}],
    }
    coco = root / "coco.json"
    coco.write_text(json.dumps(document))
    expected = tfdp.score_coco(coco, rasterizer)
    scores = tfdp.score(root, rasterizer=rasterizer)
    for column in COLUMNS:
        np.testing.assert_array_equal(scores.instances[column], expected.instances[column])


# --- data.yaml

CONFIGS = {
    "numbers with names": "names: {0: cat, 1: dog}\ntrain: images/train",
    "one name a line": "names:\n  0: cat\n  1: dog\ntrain: images/train",
    "names that YAML takes for a truth value and a number": "names: [no, 2]\ntrain: images/train",
    "a list of folders": "names: [cat, dog]\ntrain: [images/train]",
    "a '../' too many": "names: [cat, dog]\ntrain: ../images/train",
    "a path that is here": "path: .\nnames: [cat, dog]\ntrain: images/train",
    "a path that is elsewhere": "path: /content/pets\nnames: [cat, dog]\ntrain: images/train",
    "a path to the folder, from it": "path: pets\nnames: [cat, dog]\ntrain: images/train",
    "a list of images": "names: [cat, dog]\ntrain: train.txt",
    "with a byte-order mark": "\ufeffnames: [cat, dog]\ntrain: images/train",
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_forms_of_data_yaml(root, config):
    (root / "data.yaml").write_text(config, encoding="utf-8")
    (root / "train.txt").write_text("./images/train/a.jpg\n\nimages/train/b.png\r\n")
    scores = tfdp.score(root)
    assert scores.images.file_name.tolist() == ["images/train/a.jpg", "images/train/b.png"]
    assert scores.instances.annotation_id.tolist() == ["a#0", "a#1"]
    names = ["no", "2"] if "truth" in str(config) or "no, 2" in config else ["cat", "dog"]
    assert scores.contents.category_names.tolist() == names


def test_a_path_upwards_that_is_there_is_followed(root):
    inner = root / "inner"
    save_image(inner / "images" / "train" / "c.jpg", (80, 60))
    (inner / "data.yaml").write_text("names: [cat, dog]\ntrain: ../images/train")
    assert "a" in tfdp.score(inner).images.image_id.tolist()


def test_data_yaml_itself_may_be_given_and_go_by_any_name(root):
    config = (root / "data.yaml").rename(root / "pets-seg.yml")
    assert tfdp.score(config).images.image_id.tolist() == ["a", "b", "c"]


def test_without_paths_the_folder_images_is_meant(root):
    (root / "data.yaml").write_text("names: [cat, dog]")
    assert tfdp.score(root).images.image_id.tolist() == ["a", "b", "c"]


def test_a_split_is_read_alone(root):
    assert tfdp.score(root, split="val").images.image_id.tolist() == ["c"]
    with pytest.raises(
        ValueError, match=r"data.yaml names no images of the split 'test', but of train, val"
    ):
        tfdp.score(root, split="test")


def test_an_image_in_two_splits_is_read_once(root):
    (root / "data.yaml").write_text("names: [cat, dog]\ntrain: images/train\nval: images/train")
    scores = tfdp.score(root)
    assert scores.images.image_id.tolist() == ["a", "b"]
    assert skipped(scores) == []


def test_images_elsewhere_keep_their_whole_path(root, tmp_path):
    image = save_image(tmp_path / "other" / "images" / "d.jpg")
    write_labels(tmp_path / "other" / "labels" / "d.txt", DOG)
    (root / "data.yaml").write_text(f"names: [cat, dog]\ntrain: {image.parent}")
    scores = tfdp.score(root)
    assert scores.images.file_name.tolist() == [str(image)]
    assert scores.instances.annotation_id.tolist() == ["d#0"]


def test_names_are_relative_however_the_folder_is_written(root, monkeypatch):
    monkeypatch.chdir(root / "images")
    names = ["images/train/a.jpg", "images/train/b.png", "images/val/c.webp"]
    assert tfdp.score("..").images.file_name.tolist() == names
    (root / "data.yaml").write_text("path: ../pets\ntrain: images/train\nnames: [cat, dog]")
    assert tfdp.score(root).images.file_name.tolist() == names[:2]


def test_texts_that_are_no_labels_are_passed_over(root):
    (root / "data.yaml").write_text("names: [cat, dog]\ntrain: .")
    (root / "README.txt").write_text("hello")
    (root / "labels" / "val" / "lost.TXT").write_text(CAT)
    scores = tfdp.score(root)
    assert scores.instances.annotation_id.tolist() == ["a#0", "a#1", "c#0"]
    assert skipped(scores) == [("image", "lost", "missing_file")]


def test_labels_lie_beside_images_that_are_in_no_folder_of_that_name(tmp_path):
    save_image(tmp_path / "set" / "a.jpg")
    write_labels(tmp_path / "set" / "a.txt", CAT)
    (tmp_path / "data.yaml").write_text("names: [cat]\ntrain: set")
    assert tfdp.score(tmp_path).instances.annotation_id.tolist() == ["a#0"]


BAD_CONFIGS = {
    "empty": (b"", "data.yaml must have names"),
    "a list": (b"[1, 2]", "data.yaml must have names"),
    "no names": (b"train: images", "data.yaml must have names"),
    "names without one": (b"names: []", "data.yaml must have names"),
    "one name": (b"names: cat", "data.yaml must have names"),
    "a name for no number": (b"names: {a: cat}", "a name to each number, but not to 'a'"),
    "a number below 0": (b"names: {-1: cat}", "a name to each number, but not to '-1'"),
    "a number beyond 64 bits": (b"names: {99999999999999999999: cat}", "a name to each number"),
    "a list as a name": (b"names: [cat, [dog]]", "a name to each number, but not to '1'"),
    "half a character as a name": (rb'names: ["\ud800"]', "a name to each number, but not to '0'"),
    "no YAML": (b"\nnames: [cat\n", "data.yaml is not YAML, see line 3$"),
    "not UTF-8": (b"names: [caf\xe9]", "data.yaml is not YAML"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00", "data.yaml is not YAML"),
    "code": (b"names: !!python/object/apply:os.getpid []", "data.yaml must have names"),
    "deeper than anyone needs": (b"names: " + b"[" * 5000, "data.yaml is not YAML"),
    "a number as path": (b"names: [cat]\npath: [1]", "data.yaml must have a text as its path"),
    "an object as a split": (b"names: [cat]\ntrain: {a: b}", "a path, or a list of paths"),
    "folders without images": (b"names: [cat]\ntrain: labels", "leads to no image: there is none"),
    "folders that are gone": (b"names: [cat]\ntrain: gone", "leads to no image: there is none"),
}


@pytest.mark.parametrize("content, message", BAD_CONFIGS.values(), ids=BAD_CONFIGS)
def test_a_bad_data_yaml_is_an_error_that_says_what_is_wrong(root, content, message):
    (root / "data.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        tfdp.score(root)


def test_aliases_of_aliases_take_no_time(root):
    bomb = "".join(f"x{k}: &x{k} [{', '.join([f'*x{k - 1}'] * 9)}]\n" for k in range(1, 60))
    (root / "data.yaml").write_text(f"x0: &x0 [a]\n{bomb}names: *x59\n")
    with pytest.raises(ValueError, match="a name to each number, but not to '0'"):
        tfdp.score(root)


def test_a_folder_without_data_yaml_says_what_was_expected(root):
    (root / "data.yaml").unlink()
    with pytest.raises(ValueError, match=r"pets has no data.yaml: expected one with the names of"):
        tfdp.score(root)


# --- images

EXIF = {1: "plain", 3: "over", 4: "upside down", 5: "turned and mirrored", 6: "right", 8: "left"}


@pytest.mark.parametrize("orientation", EXIF, ids=EXIF.values())
def test_an_image_that_is_shown_turned_has_the_size_that_is_shown(root, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save_image(root / "images" / "train" / "a.jpg", (600, 80), exif=exif)
    images = open_and_read(root).images()
    width, height = (80, 600) if orientation > 4 else (600, 80)
    assert (images.widths[0], images.heights[0]) == (width, height)


def open_and_read(root):
    source = open_yolo(root)
    for read in source.batches(for_learning=False):
        read()
    return source


BAD_IMAGES = {
    "empty": (lambda path: path.write_bytes(b""), "unreadable_image"),
    "no image": (lambda path: path.write_text("hello"), "unreadable_image"),
    "a header cut off": (lambda path: path.write_bytes(path.read_bytes()[:60]), "unreadable_image"),
    "a bomb": (lambda path: path.write_bytes(png_that_claims(90_000, 90_000)), "image_too_large"),
    "a pipe": (make_pipe, "unreadable_image"),
    "a link to itself": (make_loop, "unreadable_image"),
    "a link to nothing": (make_dangling, "missing_file"),
}


@pytest.mark.parametrize("damage, reason", BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_a_bad_image_is_skipped_and_the_rest_scored(root, damage, reason):
    damage(root / "images" / "train" / "a.jpg")
    scores = tfdp.score(root)
    assert scores.instances.annotation_id.tolist() == ["c#0"]
    assert skipped(scores) == [("image", "a", reason)]


def test_what_is_not_there_is_listed(root):
    config = "train: train.txt\nval: images/val\ntest: images/test\nnames: [cat, dog]\n"
    (root / "data.yaml").write_text(config)
    (root / "train.txt").write_text("images/train/a.jpg\nimages/train/gone.jpg\n")
    write_labels(root / "labels" / "val" / "lost.txt", CAT)
    scores = tfdp.score(root)
    assert scores.images.image_id.tolist() == ["a", "gone", "c"]
    assert sorted(skipped(scores)) == [
        ("image", str(root / "images" / "test"), "missing_file"),
        ("image", "gone", "missing_file"),
        ("image", "lost", "missing_file"),
    ]


def test_an_image_of_another_ones_name_is_skipped(root):
    save_image(root / "images" / "train" / "a.png")
    save_image(root / "images" / "val" / "b.png")
    scores = tfdp.score(root)
    assert scores.images.image_id.tolist() == ["a", "b", "c"]
    assert scores.instances.annotation_id.tolist() == ["a#0", "a#1", "c#0"]
    assert skipped(scores) == [("image", "a", "repeated_id"), ("image", "b", "repeated_id")]


def test_links_in_circles_and_hidden_files_change_nothing(root):
    (root / "images" / "train" / "circle").symlink_to(root / "images")
    (root / "images" / "train" / "._a.jpg").write_bytes(b"of a file system")
    assert sorted(tfdp.score(root, split="train").images.image_id) == ["a", "b", "c"]


# --- labels

BAD_LINES = {
    "a box": ("0 .5 .5 .1 .1", "no_mask"),
    "nothing but a class": ("0", "polygon_too_short"),
    "one point": ("0 .5 .5", "polygon_too_short"),
    "an odd number": ("0 .1 .1 .2 .1 .2 .2 .1", "polygon_odd_length"),
    "NaN": ("0 .1 .1 .2 .1 .2 nan", "not_finite"),
    "infinity": ("0 .1 .1 .2 .1 .2 inf", "not_finite"),
    "beyond a float": ("0 .1 .1 .2 .1 .2 1e999", "not_finite"),
    "pixels": ("0 5 5 25 5 25 25", "far_outside"),
    "more than its width left": ("0 -1.01 .1 .2 .1 .2 .2", "far_outside"),
    "more than its width right": ("0 2.01 .1 .2 .1 .2 .2", "far_outside"),
    "letters": ("0 .1 .1 .2 .1 .2 a", "bad_segmentation"),
    "a name": ("cat .1 .1 .2 .1 .2 .2", "bad_segmentation"),
    "commas": ("0, .1, .1, .2, .1, .2, .2", "bad_segmentation"),
    "a class too many": ("2 .1 .1 .2 .1 .2 .2", "unknown_category"),
    "a class below 0": ("-1 .1 .1 .2 .1 .2 .2", "unknown_category"),
    "half a class": ("0.5 .1 .1 .2 .1 .2 .2", "unknown_category"),
    "NaN as class": ("nan .1 .1 .2 .1 .2 .2", "unknown_category"),
    "not UTF-8": ("0 .1 .1 .2 .1 .2 \udce9", "bad_segmentation"),
}


@pytest.mark.parametrize("bad, reason", BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_skipped_and_the_rest_scored(root, bad, reason):
    lines = f"{CAT}\n\n{bad}\n{DOG}"
    path = root / "labels" / "train" / "a.txt"
    path.write_bytes(lines.encode("utf-8", "surrogateescape"))
    scores = tfdp.score(root, split="train")
    assert scores.instances.annotation_id.tolist() == ["a#0", "a#3"]
    assert skipped(scores) == [("annotation", "a#2", reason)]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_of_all_systems_are_lines(root, ending, mark):
    path = root / "labels" / "train" / "a.txt"
    path.write_bytes(mark + ending.join([CAT.encode(), b"1.0" + DOG.encode()[1:], b""]))
    scores = tfdp.score(root, split="train")
    assert scores.instances.category_id.tolist() == [0, 1]
    assert skipped(scores) == []


BAD_LABELS = {
    "a pipe": make_pipe,
    "a link to itself": make_loop,
    "a link to nothing": make_dangling,
}


@pytest.mark.parametrize("damage", BAD_LABELS.values(), ids=BAD_LABELS)
def test_an_image_with_bad_labels_is_skipped_and_the_rest_scored(root, damage):
    damage(root / "labels" / "train" / "a.txt")
    scores = tfdp.score(root)
    assert scores.instances.annotation_id.tolist() == ["c#0"]
    assert skipped(scores) == [("image", "a", "mask_unreadable")]
