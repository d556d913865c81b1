"""Whatever a label, a mask or a sample holds: it is skipped with its reason, and the rest is done.

All cases of a kind lie in one dataset, a sample each, which is scored, exported and read for
training as a whole.
"""

import copy
import io
import json
import os
import resource
import struct
import zlib

import cv2
import fiftyone as fo
import numpy as np
import pytest
from bson import ObjectId
from PIL import Image

import tfdp
from tests.sources.label_folders import png_that_claims
from tests.views.datasets import detection, sample
from tfdp.sources.measuring import measure
from tfdp.views.candidates import score_candidates
from tfdp.views.coco_ids import assign_ids
from tfdp.views.contents import read_contents
from tfdp.views.labels import find_label_field
from tfdp.views.masks import MAX_MASK_BYTES
from tfdp.views.records import read_view_records
from tfdp.views.source import ViewSource

HEXAGON = [[0.2, 0.1], [0.6, 0.15], [0.8, 0.5], [0.5, 0.9], [0.2, 0.8], [0.05, 0.4]]
SQUARE = np.ones((4, 4), bool)
DONE = "done"


def stored(array, version=1):
    """An array as FiftyOne stores a mask."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, (version, 0))
    return zlib.compress(buffer.getvalue())


def npy(header, data=bytes(16), version=1):
    """A stored mask with a header of one's own."""
    text = header.encode("latin-1")
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return zlib.compress(b"\x93NUMPY" + bytes([version, 0]) + length + text + data)


def header(shape, descr="'|b1'"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


def bomb():
    """130 kB that inflate to more than a mask may have."""
    packer = zlib.compressobj(9)
    block = bytes(2**20)
    blocks = [packer.compress(block) for _ in range(MAX_MASK_BYTES // 2**20 + 1)]
    return b"".join([*blocks, packer.flush()])


UNREADABLE_MASKS = {
    "no zlib": b"no zlib",
    "no bytes": "text",
    "a number": 5,
    "a list": [1, 2],
    "cut": stored(SQUARE)[:-5],
    "empty": b"",
    "nothing inside": zlib.compress(b""),
    "a cut magic": zlib.compress(b"\x93NUMPY\x01"),
    "a cut length": zlib.compress(b"\x93NUMPY\x01\x00\x76"),
    "a cut header": zlib.compress(zlib.decompress(stored(SQUARE))[:60]),
    "no header": npy("not a dict"),
    "a deep header": npy("(" * 3000),
    "an open bracket": npy("{'descr': ["),
    "a long header": npy(header((4, 4)) + " " * 20_000),
    "a huge shape": npy(header((100_000, 100_000))),
    "a huge shape, version 2": npy(header((100_000, 100_000)), version=2),
    "a side beyond 64 bits": npy(header((2**70, 0)), b""),
    "a negative side": npy(header((-4, -4))),
    "a shape of text": npy(header("('4', '4')")),
    "another version": npy(header((4, 4)), version=9),
    "objects": npy(header((4, 4), "'|O'"), bytes(128)),
    "columns": stored(np.zeros((4, 4), "i4,i4")),
    "complex numbers": stored(np.ones((4, 4), complex)),
    "words": stored(np.full((4, 4), "a")),
    "dates": stored(np.zeros((4, 4), "M8[s]")),
    "one dimension": stored(np.ones(16, bool)),
    "three dimensions": stored(np.ones((4, 4, 3), bool)),
    "a pickle": zlib.compress(b"\x80\x04N."),
    "an archive": zlib.compress(b"PK\x05\x06" + bytes(18)),
}
READABLE_MASKS = {
    "bool": SQUARE,
    "uint8": np.full((4, 4), 255, np.uint8),
    "int64": np.full((4, 4), -7, np.int64),
    "float": np.full((4, 4), 0.5),
    "float16": np.ones((4, 4), np.float16),
    "other end first": np.ones((4, 4), ">i4"),
    "NaN": np.full((4, 4), np.nan),
    "columns first": np.asfortranarray(SQUARE),
    "no rows": np.zeros((0, 4), bool),
    "no columns": np.zeros((4, 0), bool),
}
NOISE = np.indices((2**12, 2**10)).sum(axis=0) % 2 == 0
BAD_BOXES = {
    "null": None,
    "a number": 5,
    "a word": "0.10.10.20.2",
    "three": [0.1, 0.1, 0.2],
    "five": [0.1] * 5,
    "words": ["a", "b", "c", "d"],
    "digits": ["0.1", "0.1", "0.2", "0.2"],
    "truths": [True, True, True, True],
    "nested": [[0.1], [0.1], [0.2], [0.2]],
    "NaN": [0.1, 0.1, float("nan"), 0.2],
    "infinite": [0.1, 0.1, float("inf"), 0.2],
    "huge": [0.1, 0.1, 1e308, 1e308],
    "null inside": [0.1, None, 0.2, 0.2],
    "an object": {"x": 0.1},
}
BAD_SIZES = {
    "words": {"width": "a", "height": "b"},
    "digits": {"width": "100", "height": "100"},
    "negative": {"width": -100, "height": 100},
    "zero": {"width": 0, "height": 100},
    "a fraction": {"width": 100.5, "height": 100},
    "huge": {"width": 2**40, "height": 2**40},
    "large": {"width": 2**20, "height": 2**20},
    "true": {"width": True, "height": True},
    "lists": {"width": [100], "height": [100]},
    "a list of sizes": [{"width": 100, "height": 100}],
}
UNUSABLE_SIZE = (DONE, "bad_size", "without")  # training asks the image, which is not there
DETECTIONS = {  # what is set on the label, and how scoring, export and training end
    "untouched": ({}, DONE),
    **{f"mask: {name}": ({"mask": x}, "mask_unreadable") for name, x in UNREADABLE_MASKS.items()},
    **{f"mask: {name}": ({"mask": stored(x)}, DONE) for name, x in READABLE_MASKS.items()},
    "mask: version 2": ({"mask": stored(SQUARE, 2)}, DONE),
    "mask: version 3": ({"mask": stored(SQUARE, 3)}, DONE),
    "mask: bomb": ({"mask": bomb()}, "mask_too_large"),
    "mask: noise": ({"mask": stored(NOISE)}, ("outline_too_long", DONE, DONE)),
    "mask: none": ({"mask": None}, "no_mask"),
    **{
        f"box: {name}": ({"bounding_box": x}, (DONE, "bad_box", "bad_box"))
        for name, x in BAD_BOXES.items()
    },
    "label: null": ({"label": None}, "no_label"),
    "label: a number": ({"label": 5}, "bad_label"),
    "label: a list": ({"label": ["a"]}, "bad_label"),
    "label: an object": ({"label": {"a": 1}}, "bad_label"),
    "iscrowd: null": ({"iscrowd": None}, DONE),
    "iscrowd: 0.0": ({"iscrowd": 0.0}, DONE),
    "iscrowd: false": ({"iscrowd": False}, DONE),
    "iscrowd: true": ({"iscrowd": True}, ("crowd", DONE, "crowd")),
    "iscrowd: a word": ({"iscrowd": "no"}, "bad_iscrowd"),
    "iscrowd: a list": ({"iscrowd": [0]}, "bad_iscrowd"),
    "iscrowd: 2": ({"iscrowd": 2}, "bad_iscrowd"),
    "iscrowd: NaN": ({"iscrowd": float("nan")}, "bad_iscrowd"),
    "id: null": ({"_id": None}, "bad_id"),
    "id: one's own": ({"_id": "mine"}, "bad_id"),
}
SAMPLES = {  # what is set on the sample
    **{f"size: {name}": ({"metadata": x}, UNUSABLE_SIZE) for name, x in BAD_SIZES.items()},
    "size: larger than a mask may be": (
        {"metadata": {"width": 2**20, "height": 4095}},
        (DONE, "mask_too_large", "mask_too_large"),
    ),
    "filepath: null": ({"filepath": None}, (DONE, "no_filepath", DONE)),
    "filepath: a number": ({"filepath": 5}, (DONE, "no_filepath", DONE)),
    "filepath: a zero byte": ({"filepath": "/images/a\0.png"}, DONE),
    "no list: a number": ({"gt": {"detections": 5}}, "bad_labels"),
    "no list: null": ({"gt": {"detections": None}}, "nothing"),
    "no list: null field": ({"gt": None}, "nothing"),
    "no list: a field of text": ({"gt": "text"}, "nothing"),
    "no list: an object": ({"gt": {"detections": {"_id": 1}}}, "bad_labels"),
}
BAD_POINTS = {
    "null": None,
    "a number": 5,
    "a word": "abc",
    "an object": {"a": 1},
    "no part": [],
    "an empty part": [[]],
    "a flat part": [[0.1, 0.1, 0.5, 0.1, 0.5, 0.5]],
    "triples": [[[0.1, 0.1, 0], [0.5, 0.1, 0], [0.5, 0.5, 0]]],
    "two points in one": [[[0.1, 0.1, 0.5, 0.1], [0.5, 0.5, 0.1, 0.5]]],
    "deeper": [[[[0.1, 0.1], [0.5, 0.1]], [[0.5, 0.5], [0.1, 0.5]]]],
    "ragged": [[[0.1, 0.1], [0.5], [0.5, 0.5]]],
    "a point null": [[None, [0.5, 0.1], [0.5, 0.5]]],
    "a coordinate null": [[[0.1, None], [0.5, 0.1], [0.5, 0.5]]],
    "all null": [[[None, None]] * 3],
    "words": [[["a", "b"], ["c", "d"], ["e", "f"]]],
    "digits": [[["0.1", "0.1"], ["0.5", "0.1"], ["0.5", "0.5"]]],
    "truths": [[[True, False], [True, True], [False, True]]],
    "NaN": [[[0.1, float("nan")], [0.5, 0.1], [0.5, 0.5]]],
    "infinite": [[[0.1, float("inf")], [0.5, 0.1], [0.5, 0.5]]],
    "huge": [[[0.1, 1e300], [0.5, 0.1], [0.5, 0.5]]],
    "two points": [[[0.1, 0.1], [0.5, 0.1]]],
    "a good part and a bad one": [HEXAGON, [[0.1, 0.1]]],
}
POLYLINES = {f"points: {name}": ({"points": x}, "bad_polygon") for name, x in BAD_POINTS.items()}
POLYLINE_SAMPLES = {f"size: {name}": ({"metadata": x}, "bad_size") for name, x in BAD_SIZES.items()}


def claim(width, height):
    return lambda path: path.write_bytes(png_that_claims(width, height))


def save_ones(kind, *shape):
    return lambda path: Image.fromarray(np.ones(shape, np.uint8)).save(path, kind)


def claim_bitmap(width, height):
    """A PGM of a good header and hardly any pixels."""
    return lambda path: path.write_bytes(b"P5 %d %d 255\n" % (width, height) + bytes(100))


MASK_FILES = {  # how the file is made
    "gray": (save_ones("PNG", 4, 4), DONE),
    "color": (save_ones("PNG", 4, 4, 3), "mask_unreadable"),
    "another format": (save_ones("TIFF", 4, 4), DONE),
    "another format, color": (save_ones("TIFF", 4, 4, 3), "mask_unreadable"),
    "another format, 150 million pixels": (claim_bitmap(15_000, 10_000), "mask_too_large"),
    "another format, 400 million pixels": (claim_bitmap(20_000, 20_000), "mask_too_large"),
    "a magic alone": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "mask_unreadable"),
    "claims 10^10 pixels": (claim(10**5, 10**5), "mask_too_large"),
    "claims 150 million": (claim(15_000, 10_000), "mask_too_large"),
    "claims a side of 2^31 - 1": (claim(2**31 - 1, 1), "mask_too_large"),
    "claims no pixel": (claim(0, 0), "mask_unreadable"),
    "cut": (lambda path: path.write_bytes(png_that_claims(400, 400)[:40]), "mask_unreadable"),
    "empty": (lambda path: path.write_bytes(b""), "mask_unreadable"),
    "no image": (lambda path: path.write_bytes(b"no image"), "mask_unreadable"),
    "nowhere": (lambda _: None, "mask_missing"),
    "a folder": (lambda path: path.mkdir(), "mask_unreadable"),
    "a pipe": (os.mkfifo, "mask_unreadable"),
    "a link to itself": (lambda path: path.symlink_to(path), "mask_unreadable"),
    "a link to an endless device": (lambda path: path.symlink_to("/dev/zero"), "mask_unreadable"),
}
MASK_PATHS = {
    "5,000 characters": (f"/{'a' * 5000}.png", "mask_unreadable"),
    "5,000 folders": (f"{'/a' * 5000}.png", "mask_unreadable"),
    "a list": ([1, 2], "mask_unreadable"),
    "a number": (0, "mask_unreadable"),
    "empty": ("", "mask_missing"),
    "a zero byte": ("/a\0.png", "mask_unreadable"),
}


def cases_of_paths(folder):
    """What is set on labels whose masks are on disk, and how it ends."""
    cases = {}
    for number, (name, (make, expected)) in enumerate(MASK_FILES.items()):
        path = folder / f"{number}.png"
        make(path)
        cases[f"file: {name}"] = ({"mask": None, "mask_path": str(path)}, expected)
    for name, (path, expected) in MASK_PATHS.items():
        cases[f"path: {name}"] = ({"mask": None, "mask_path": path}, expected)
    return cases


class Cases:
    """A dataset with a sample for each case, and the case of each sample and label in it."""

    def __init__(self, dataset, labels, samples):
        self.dataset = dataset
        self.field = find_label_field(dataset, "gt")
        self.case_of = {}
        (self.original,) = dataset._sample_collection.find()
        for name, (change, _) in labels.items():
            self.insert(name, {}, change)
        for name, (change, _) in samples.items():
            self.insert(name, change, {})

    def insert(self, name, on_sample, on_label):
        document = copy.deepcopy(self.original)
        (label,) = document["gt"][self.field.kind]
        label.update({"_id": ObjectId(), **on_label})
        document.update({"_id": ObjectId(), **on_sample})
        self.dataset._sample_collection.insert_one(document)
        self.case_of |= {str(document["_id"]): name, str(label["_id"]): name}

    def by_case(self, done, skipped):
        """Case -> how it ended."""
        ends = dict.fromkeys(self.case_of.values(), "nothing")
        ends |= {self.case_of[label_id]: DONE for label_id in done if label_id in self.case_of}
        return ends | {self.case_of[item_id]: reason for item_id, reason in skipped}

    def score(self):
        results = tfdp.compute_shape_scores(self.dataset, "gt", progress=False)
        done = []
        for document in self.dataset._sample_collection.find():
            found = document["gt"][self.field.kind] if isinstance(document["gt"], dict) else None
            labels = found if isinstance(found, list) else []
            done += [str(label["_id"]) for label in labels if label.get("scs") is not None]
        assert results.counts["instances"] == len(done)
        return self.by_case(
            done, [(i, reason) for reason, ids in results.skipped.items() for i in ids]
        )

    def export(self, folder):
        exported = tfdp.export_coco(
            self.dataset, folder / "out.json", label_field="gt", progress=False
        )
        ids = {
            i: label_id for label_id, i in assign_ids(self.dataset, self.field).annotations.items()
        }
        written = json.loads((folder / "out.json").read_text())["annotations"]
        return self.by_case(
            [ids[a["id"]] for a in written], [(x.id, x.reason) for x in exported.skipped]
        )

    def train(self):
        read = read_view_records(self.dataset, self.field)
        done = [i for record in read.records for i in record.instance_ids]
        ends = self.by_case(done, [(x.id, x.reason) for x in read.skipped])
        without = {self.case_of[i] for i in read.without}
        return {k: "without" if e == "nothing" and k in without else e for k, e in ends.items()}


def expected_of(cases, way):
    return {name: end if isinstance(end, str) else end[way] for name, (_, end) in cases.items()}


SCORE, EXPORT, TRAIN = range(3)


def make_polyline():
    return fo.Polyline(label="a", points=[HEXAGON], closed=True, filled=True)


@pytest.fixture(scope="module")
def detections(tmp_path_factory):
    labels = DETECTIONS | cases_of_paths(tmp_path_factory.mktemp("masks"))
    dataset = fo.Dataset()
    dataset.add_samples([sample("a", [detection("a", SQUARE)])], progress=False)
    yield Cases(dataset, labels, SAMPLES), labels | SAMPLES
    dataset.delete()


@pytest.fixture(scope="module")
def polylines():
    dataset = fo.Dataset()
    dataset.add_samples([sample("a", [make_polyline()], fo.Polylines)], progress=False)
    yield Cases(dataset, POLYLINES, POLYLINE_SAMPLES), POLYLINES | POLYLINE_SAMPLES
    dataset.delete()


def test_detections_are_scored_or_skipped_for_their_reason(detections):
    dataset, cases = detections
    assert dataset.score() == expected_of(cases, SCORE)


def test_detections_are_exported_or_skipped_for_their_reason(detections, tmp_path):
    dataset, cases = detections
    assert dataset.export(tmp_path) == expected_of(cases, EXPORT)


def test_detections_are_trained_on_or_skipped_for_their_reason(detections):
    dataset, cases = detections
    assert dataset.train() == expected_of(cases, TRAIN)


def test_detections_are_counted_for_pruning_where_they_have_a_class(detections):
    dataset, cases = detections
    ends = expected_of(cases, EXPORT)  # what has no mask, box or size counts, too
    not_counted = {"nothing", "bad_labels", "no_label", "bad_label", "bad_iscrowd", "bad_id"}
    held = read_contents(dataset.dataset, "gt").contents
    expected = [name for name, end in ends.items() if end not in not_counted]
    assert held.num_instances().sum() == len(expected) + 1 - len(["iscrowd: true"])


@pytest.mark.parametrize("score", ["0.5", [0.5], {"a": 0.5}], ids=repr)
def test_a_score_that_is_no_number_is_none(make_dataset, score):
    dataset = make_dataset([sample(name, [], u=0.5) for name in "ab"])
    dataset._sample_collection.update_one({}, {"$set": {"u": score, "tags": 5}})
    assert score_candidates(dataset, read_contents(dataset, None), "u").scored.tolist() == [
        False,
        True,
    ]


def test_thin_polylines_are_drawn_in_pieces(make_dataset):
    thin = [[0, 0.1], [1, 0.1], [1, 0.2]]
    lines = [fo.Polyline(label="a", points=[thin], closed=True, filled=True) for _ in range(100)]
    dataset = make_dataset([sample("a", lines, fo.Polylines, (10**6, 4))])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = ViewSource(dataset, find_label_field(dataset, "gt"))
    assert len(measure([source], progress=False).instances) == 100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_polylines_are_scored_or_skipped_for_their_reason(polylines):
    dataset, cases = polylines
    assert dataset.score() == expected_of(cases, SCORE)


def test_polylines_are_exported_or_skipped_for_their_reason(polylines, tmp_path):
    dataset, cases = polylines
    assert dataset.export(tmp_path) == expected_of(cases, EXPORT)


def test_a_mask_that_may_not_be_read_is_skipped(make_dataset, tmp_path):
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), np.ones((4, 4), np.uint8))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    labels = [detection("a", SQUARE), detection("a", None, mask_path=str(path))]
    results = tfdp.compute_shape_scores(make_dataset([sample("a", labels)]), "gt", progress=False)
    assert list(results.skipped) == ["mask_unreadable"]


@pytest.mark.parametrize("size", [(640, 480), (640.5, 480)])
def test_the_image_itself_tells_its_size_for_training(make_dataset, tmp_path, size):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), np.zeros((100, 120, 3), np.uint8))
    dataset = make_dataset([sample("a", [detection("a", SQUARE)])])
    width, height = size
    change = {"filepath": str(path), "metadata": {"width": width, "height": height}}
    dataset._sample_collection.update_one({}, {"$set": change})
    (record,) = read_view_records(dataset, find_label_field(dataset, "gt")).records
    assert record.width == (640 if size == (640, 480) else 120)


def test_noise_in_its_own_frame_is_no_mask_to_export_or_to_train_on(make_dataset, tmp_path):
    label = detection("a", NOISE, (0, 0, 1, 1))
    dataset = make_dataset([sample("a", [label], size=NOISE.shape[::-1])])
    exported = tfdp.export_coco(dataset, tmp_path / "o.json", label_field="gt", progress=False)
    read = read_view_records(dataset, find_label_field(dataset, "gt"))
    assert exported.skipped.counts() == read.skipped.counts() == {"outline_too_long": 1}


@pytest.mark.parametrize("entry", [None, 5, "text", [], {}], ids=repr)
def test_an_entry_that_is_no_label_does_not_lose_those_after_it(make_dataset, tmp_path, entry):
    dataset = make_dataset([sample("a", [detection("a", SQUARE)])])
    dataset._sample_collection.update_one(
        {}, {"$push": {"gt.detections": {"$each": [entry], "$position": 0}}}
    )
    tfdp.compute_shape_scores(dataset, "gt", progress=False)
    (document,) = dataset._sample_collection.find()
    assert document["gt"]["detections"][0] == entry
    assert document["gt"]["detections"][1]["scs"] == 12 / 9
    exported = tfdp.export_coco(dataset, tmp_path / "o.json", label_field="gt", progress=False)
    assert exported.num_annotations == 1
    (record,) = read_view_records(dataset, find_label_field(dataset, "gt")).records
    assert len(record.instance_ids) == 1
