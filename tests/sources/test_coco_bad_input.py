"""The table of bad input: damage of the file is an error, one bad entry is skipped and listed."""

import json
import resource
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tfdp
from tests.sources.conftest import make_document

GOOD_IDS = [1, 2, 3]

DAMAGED_FILES = {
    "an empty file": (b"", "is empty"),
    "white space": (b" \n\t", "is empty"),
    "no JSON": (b"hello", "not JSON: unexpected character at byte 0, line 1"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00", "not UTF-8 at byte 0"),
    "zeros": (bytes(100), "not JSON"),
    "a byte-order mark": (b"\xef\xbb\xbf{}", "byte-order mark"),
    "UTF-16": ('{"images": []}'.encode("utf-16"), "not UTF-8"),
    "latin-1 text": ('{"info": "é"}'.encode("latin-1"), "not UTF-8 at byte 10"),
    "a list": (b"[1, 2]", "must hold a JSON object"),
    "a string": (b'"images"', "must hold a JSON object"),
    "a broken list": (b"[1, 2", "cut off, it ends at byte 5"),
    "an empty object": (b"{}", "has no list 'images', but nothing"),
    "something behind the object": (b'{"images": []} {}', "unexpected character at byte 15"),
    "a list that is none the last time": (
        b'{"images": [], "annotations": [], "images": null}',
        "'images' in .* must be a list, but is null",
    ),
    "a control character": (b'{"images": ["a\x01"]}', "not JSON"),
    "a comma too many": (b'{"images": [],}', "unexpected character at byte 14"),
    "a missing colon": (b'{"images" []}', "unexpected character at byte 10"),
    "deeper than anyone needs": (b'{"a":' + b"[" * 10**6 + b"]" * 10**6 + b"}", "not JSON"),
}


@pytest.mark.parametrize("content, message", DAMAGED_FILES.values(), ids=DAMAGED_FILES)
def test_a_damaged_file_is_an_error_that_says_what_is_wrong(write, content, message):
    path = write(content)
    with pytest.raises(ValueError, match=message) as caught:
        tfdp.score_coco(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("member", ["images", "annotations", "categories"])
def test_a_missing_list_is_named(document, write, member):
    del document[member]
    with pytest.raises(ValueError, match=f"has no list '{member}', but 'info', "):
        tfdp.score_coco(write(document))


@pytest.mark.parametrize(
    "value, described", [({"a": 1}, "an object"), (None, "null"), (5, "a number")]
)
def test_a_list_of_another_type_is_named(document, write, value, described):
    document["annotations"] = value
    with pytest.raises(
        ValueError, match=rf"'annotations' in .* must be a list, but is {described}"
    ):
        tfdp.score_coco(write(document))


def test_every_cut_of_a_file_is_an_error(document, write):
    text = json.dumps(document).encode()
    for length in range(1, len(text), 7):
        with pytest.raises(ValueError, match=r"ann\.json"):
            tfdp.score_coco(write(text[:length]))


def test_damage_inside_an_entry_is_an_error_that_names_the_place(document, write):
    text = json.dumps(document).replace('"iscrowd": 1', '"iscrowd": 1 1').encode()
    place = text.index(b"1 1") + 2
    with pytest.raises(ValueError, match=rf"unexpected .* at byte {place}, line 1"):
        tfdp.score_coco(write(text))


@pytest.mark.parametrize("member", ["images", "annotations", "categories"])
def test_an_id_twice_is_an_error(document, write, member):
    document[member].append(document[member][0])
    first = document[member][0]["id"]
    with pytest.raises(ValueError, match=f"several {member} with the id {first}, and 1 such"):
        tfdp.score_coco(write(document))


@pytest.mark.parametrize(
    "category",
    [
        {"name": "x"},
        {"id": None, "name": "x"},
        {"id": 7},
        {"id": 7, "name": 3},
        5,
        {"id": 1.5, "name": "x"},
    ],
)
def test_an_ill_category_is_an_error(document, write, category):
    document["categories"].append(category)
    with pytest.raises(ValueError, match=r"category number 2 in .* must have an id"):
        tfdp.score_coco(write(document))


def test_an_ill_category_is_shown_in_one_line(document, write):
    document["categories"].append({"id": 7, "name": 3})
    with pytest.raises(ValueError, match=r'a name, but is { "id": 7, "name": 3 }$'):
        tfdp.score_coco(write(json.dumps(document, indent=4).encode()))


def test_a_file_that_is_not_there_and_a_folder_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.json"):
        tfdp.score_coco(tmp_path / "none.json")
    with pytest.raises(IsADirectoryError, match="is a folder, but COCO is a JSON file"):
        tfdp.score_coco(tmp_path)


def polygon(*numbers):
    return [list(numbers)]


BAD_SEGMENTATIONS = {
    "null": (None, "no_mask"),
    "an empty list": ([], "no_mask"),
    "two points": (polygon(1, 2, 3, 4), "polygon_too_short"),
    "an empty part": ([[]], "polygon_too_short"),
    "a good part and a short one": ([[1, 1, 9, 1, 9, 9], [1, 2]], "polygon_too_short"),
    "an odd length": (polygon(1, 1, 9, 1, 9, 9, 1), "polygon_odd_length"),
    "NaN": (polygon(1, 1, 9, 1, 9, float("nan")), "not_finite"),
    "infinite": (polygon(1, 1, 9, 1, 9, float("-inf")), "not_finite"),
    "a number of 5000 digits": (polygon(1, 1, 9, 1, 9, 10**4000), "not_finite"),
    "a number of 250 digits": (polygon(1, 1, 9, 1, 9, 10**250), "far_outside"),
    "far outside": (polygon(1, 1, 9, 1, 9, 500), "far_outside"),
    "far on the other side": (polygon(1, 1, -81, 1, 9, 9), "far_outside"),
    "very far outside": (polygon(1, 1, 9, 1, 1e300, 9), "far_outside"),
    "a flat list": ([1, 1, 9, 1, 9, 9], "bad_segmentation"),
    "points as lists": ([[[1, 1], [9, 1], [9, 9]]], "bad_segmentation"),
    "strings for numbers": (polygon("1", "1", "9", "1", "9", "9"), "bad_segmentation"),
    "booleans for numbers": (polygon(True, 1, 9, 1, 9, 9), "bad_segmentation"),
    "a string": ("1 1 9 1 9 9", "bad_segmentation"),
    "a number": (5, "bad_segmentation"),
    "true": (True, "bad_segmentation"),
    "an empty object": ({}, "size_mismatch"),
    "no counts": ({"size": [60, 80]}, "bad_segmentation"),
    "counts that are an object": ({"size": [60, 80], "counts": {}}, "bad_segmentation"),
    "no size": ({"counts": [4800]}, "size_mismatch"),
    "the size turned": ({"size": [80, 60], "counts": [4800]}, "size_mismatch"),
    "a huge size": ({"size": [2**40, 2**40], "counts": [2**80]}, "size_mismatch"),
    "a nested size": ({"size": [[60, 80], [60, 80]], "counts": [4800]}, "size_mismatch"),
    "a negative count": ({"size": [60, 80], "counts": [10, -5, 4795]}, "negative_count"),
    "too few pixels": ({"size": [60, 80], "counts": [10, 5]}, "wrong_total"),
    "too many pixels": ({"size": [60, 80], "counts": [10, 10**9]}, "wrong_total"),
    "no count at all": ({"size": [60, 80], "counts": []}, "wrong_total"),
    "an empty string": ({"size": [60, 80], "counts": ""}, "wrong_total"),
    "fractions": ({"size": [60, 80], "counts": [10.5, 4789.5]}, "garbage"),
    "counts of strings": ({"size": [60, 80], "counts": ["10", "4790"]}, "garbage"),
    "huge counts": ({"size": [60, 80], "counts": [2**70]}, "garbage"),
    "no COCO string": ({"size": [60, 80], "counts": "é !"}, "garbage"),
    "a cut string": ({"size": [60, 80], "counts": "o"}, "truncated"),
    "a string with escapes": ({"size": [60, 80], "counts": "\\\\\x00"}, "garbage"),
}


BAD_ENTRY = {"id": 99, "image_id": 10, "category_id": 1, "iscrowd": 0}


def dump(document):
    """Any document as JSON; numbers of any length are written, which only reading limits."""
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(document)
    finally:
        sys.set_int_max_str_digits(4300)


@pytest.mark.parametrize("segmentation, reason", BAD_SEGMENTATIONS.values(), ids=BAD_SEGMENTATIONS)
@pytest.mark.parametrize("rasterizer", ["coco", "opencv"])
def test_a_bad_segmentation_is_skipped_and_the_rest_is_scored(
    document, write, segmentation, reason, rasterizer
):
    document["annotations"].insert(1, {**BAD_ENTRY, "segmentation": segmentation})
    path = write(dump(document))
    scores = tfdp.score_coco(path, rasterizer)
    assert scores.instances.annotation_id.tolist() == GOOD_IDS
    assert [tuple(item)[:3] for item in scores.skipped] == [
        ("annotation", 99, reason),
        ("annotation", 4, "crowd"),
    ]


BAD_ANNOTATIONS = {
    "not an object": (5, None, "bad_id"),
    "null": (None, None, "bad_id"),
    "no id": ({"id": ...}, None, "bad_id"),
    "a boolean id": ({"id": True}, None, "bad_id"),
    "a fractional id": ({"id": 1.5}, None, "bad_id"),
    "an id beyond 64 bits": ({"id": 2**70}, None, "bad_id"),
    "half a character as id": ({"id": "\ud800"}, None, "bad_id"),
    "no image_id": ({"image_id": ...}, 99, "unknown_image"),
    "an unknown image": ({"image_id": 11}, 99, "unknown_image"),
    "an image by another type": ({"image_id": "10"}, 99, "unknown_image"),
    "an image by a list": ({"image_id": [10]}, 99, "unknown_image"),
    "no category_id": ({"category_id": ...}, 99, "unknown_category"),
    "an unknown category": ({"category_id": 77}, 99, "unknown_category"),
    "an ill iscrowd": ({"iscrowd": 7}, 99, "bad_iscrowd"),
    "iscrowd null": ({"iscrowd": None}, 99, "bad_iscrowd"),
    "iscrowd true": ({"iscrowd": True}, 99, "crowd"),
    "no segmentation": ({"segmentation": ...}, 99, "no_mask"),
}


def change_entry(good, change):
    """A bad annotation: a good one with changed, or without some, members; or anything else."""
    if not isinstance(change, dict):
        return change
    changed = {**good, "id": 99, **change}
    return {key: value for key, value in changed.items() if value is not ...}


@pytest.mark.parametrize("change, listed, reason", BAD_ANNOTATIONS.values(), ids=BAD_ANNOTATIONS)
def test_a_bad_annotation_is_skipped_and_the_rest_is_scored(
    document, write, change, listed, reason
):
    document["annotations"].append(change_entry(document["annotations"][0], change))
    scores = tfdp.score_coco(write(document))
    assert scores.instances.annotation_id.tolist() == GOOD_IDS
    assert tuple(scores.skipped.items[-1])[:3] == ("annotation", listed, reason)
    assert len(scores.skipped) == 2


@pytest.mark.parametrize("without_crowd", [{"iscrowd": False}, {"iscrowd": ...}, {"iscrowd": 0}])
def test_what_is_no_crowd_is_scored(document, write, without_crowd):
    changed = {**document["annotations"][0], **without_crowd}
    document["annotations"][0] = {k: v for k, v in changed.items() if v is not ...}
    assert tfdp.score_coco(write(document)).instances.annotation_id.tolist() == GOOD_IDS


BAD_SIZES = [0, -1, None, "80", 80.5, True, 2**21, 2**40, 2**70, ..., [80]]


@pytest.mark.parametrize("key", ["width", "height"])
@pytest.mark.parametrize("value", BAD_SIZES, ids=repr)
def test_an_image_of_bad_size_is_skipped_with_its_annotations(document, write, key, value):
    image = {**document["images"][1], key: value}
    document["images"][1] = {k: v for k, v in image.items() if v is not ...}
    scores = tfdp.score_coco(write(document))
    assert scores.images.image_id.tolist() == [10, 30]
    assert scores.instances.annotation_id.tolist() == [1]
    assert [tuple(item)[:3] for item in scores.skipped] == [
        ("image", 20, "bad_size"),
        *(("annotation", i, "image_skipped") for i in (2, 3, 4)),
    ]


@pytest.mark.parametrize(
    "entry", [5, {}, {"file_name": "d.jpg", "height": 60, "width": 80}, {"id": 1.5}]
)
def test_an_image_without_an_id_is_skipped(document, write, entry):
    document["images"].insert(0, entry)
    scores = tfdp.score_coco(write(document))
    assert scores.images.image_id.tolist() == [10, 20, 30]
    assert scores.skipped.counts() == {"bad_id": 1, "crowd": 1}


@pytest.mark.parametrize("name", [None, 5, "\ud800.jpg", ...])
def test_an_image_needs_no_file_name_to_be_scored(document, write, name):
    image = {**document["images"][0], "file_name": name}
    document["images"][0] = {k: v for k, v in image.items() if v is not ...}
    assert tfdp.score_coco(write(document)).images.file_name.tolist() == ["", "b.jpg", "c.jpg"]


def test_a_polygon_that_overshoots_a_little_is_scored(document, write):
    document["annotations"][0]["segmentation"] = polygon(-2.5, -1, 82, -1, 82, 63, -2.5, 63)
    scores = tfdp.score_coco(write(document))
    assert scores.instances.area[0] == 79 * 59


def test_a_mask_without_a_pixel_scores_0_and_is_reported_as_degenerate(document, write):
    document["annotations"][0]["segmentation"] = {"size": [60, 80], "counts": [4800]}
    document["annotations"][1]["segmentation"] = polygon(90, 10, 99, 10, 99, 20)
    scores = tfdp.score_coco(write(document))
    assert scores.degenerate.tolist() == [1, 2]
    assert scores.instances.si_scs[:2].tolist() == [0, 0]
    assert scores.images.cb_scs[:2].tolist() == [0, 1]


def test_no_memory_is_taken_on_the_word_of_a_file(document, write):
    document["images"][0].update(width=2**20, height=4095)  # as large as may be
    document["annotations"][0]["segmentation"] = {
        "size": [4095, 2**20],
        "counts": [4095 * 2**20 - 1, 1],
    }
    document["annotations"][1]["segmentation"] = {
        "size": [60, 80],
        "counts": [2**32 - 1, 2**32 - 1],
    }
    path = write(document)
    tfdp.score_coco(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scores = tfdp.score_coco(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB
    assert scores.skipped.counts() == {"wrong_total": 1, "crowd": 1}
    assert scores.degenerate.tolist() == [1]


ENTRY_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.just([60, 80]),
    lambda inner: (
        st.lists(inner, max_size=7)
        | st.dictionaries(st.sampled_from(["size", "counts", "id"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["id", "image_id", "category_id", "iscrowd", "segmentation", "bbox"]),
    ENTRY_VALUES,
)
def test_whatever_an_annotation_holds_the_others_are_scored(tmp_path_factory, key, value):
    document = make_document()
    document["annotations"].append({**document["annotations"][0], "id": 99, key: value})
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    path.write_text(json.dumps(document))
    try:
        scores = tfdp.score_coco(path)
    except ValueError as error:
        assert "several annotations" in str(error)  # noqa: PT017 - the id happened to be another's
        return
    assert set(GOOD_IDS) <= set(scores.instances.annotation_id.tolist())
    assert np.isfinite(scores.instances.si_scs).all()
    assert scores.instances.num_rows + len(scores.skipped) == 5
