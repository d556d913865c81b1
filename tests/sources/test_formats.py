"""Which format a path has, what is said where it has none, and one more format from outside."""

import json

import numpy as np
import pytest

import tfdp
from tests.sources.conftest import make_document
from tests.sources.label_folders import CAT, draw, save_image, save_png, write_labels
from tfdp.sources.folder import FolderSource, Instance, LabelledImage, Labels
from tfdp.sources.formats import FORMATS, Format, open_source
from tfdp.sources.label_images import find_objects, join_runs


def write_coco(folder):
    path = folder / "ann.json"
    path.write_text(json.dumps(make_document()))
    return path


def write_voc(folder):
    for kind in ("SegmentationObject", "SegmentationClass"):
        save_png(folder / "VOC2012" / kind / "a.png", draw(9, 9, (1, 2, 2, 5, 5)))
    return folder


def write_cityscapes(folder):
    labels = draw(9, 9, (24000, 2, 2, 5, 5), dtype=np.uint16)
    save_png(folder / "gtFine" / "val" / "ulm" / "a_gtFine_instanceIds.png", labels)
    return folder


def write_yolo(folder):
    save_image(folder / "images" / "a.png")
    write_labels(folder / "labels" / "a.txt", CAT)
    (folder / "data.yaml").write_text("names: [cat]")
    return folder


WRITERS = {
    "coco": write_coco,
    "voc": write_voc,
    "cityscapes": write_cityscapes,
    "yolo": write_yolo,
}


@pytest.fixture(params=WRITERS)
def known(request, tmp_path):
    """A format's name, and a dataset in it."""
    return request.param, WRITERS[request.param](tmp_path)


def test_every_format_is_told_from_what_is_there(known):
    name, path = known
    expected = tfdp.score(path, format=name)
    scores = tfdp.score(str(path))
    assert scores.instances.num_rows == expected.instances.num_rows > 0
    assert scores.instances.annotation_id.tolist() == expected.instances.annotation_id.tolist()
    assert [known.name for known in FORMATS.values() if known.fits(path)] == [name]


def test_every_source_tells_its_progress(known):
    told = []
    tfdp.score(known[1], progress=lambda *said: told.append(said))
    assert told == sorted(told)
    assert told[-1] == (1, f"reading {known[1].name}")
    assert open_source(known[1]).total > 0


def test_every_format_gives_records_for_learning(known):
    from tfdp.sources.records import read_records

    name, path = known
    records, _ = read_records([open_source(path)], path)
    (record,) = [record for record in records if len(record.labels) == 1]
    shape = {"coco": (60, 80), "yolo": (60, 80)}.get(name, (9, 9))
    assert (record.height, record.width) == shape
    if name != "coco":
        assert record.boxes.tolist() == [[5, 5, 20, 20] if name == "yolo" else [2, 2, 5, 5]]


def test_score_of_a_coco_file_is_score_coco(tmp_path):
    path = write_coco(tmp_path)
    scores, expected = tfdp.score(path, rasterizer="opencv"), tfdp.score_coco(path, "opencv")
    for table in ("instances", "images"):
        for column in getattr(scores, table):
            np.testing.assert_array_equal(
                getattr(scores, table)[column], getattr(expected, table)[column]
            )


def test_several_datasets_are_scored_together(tmp_path):
    paths = [write_voc(tmp_path / name) for name in "ab"]
    labels = paths[1] / "VOC2012"
    for kind in ("SegmentationObject", "SegmentationClass"):
        (labels / kind / "a.png").rename(labels / kind / "b.png")
    scores = tfdp.score(paths)
    assert scores.instances.annotation_id.tolist() == ["a#1", "b#1"]
    assert scores.instances.cb_scs.tolist() == [0.5, 0.5]
    totals = tfdp.score(paths[0]).class_totals
    assert tfdp.score(paths[1], class_totals=totals).instances.cb_scs.tolist() == [0.5]
    with pytest.raises(ValueError, match="has several images with the id 'a'"):
        tfdp.score([paths[0], paths[0]])


def test_datasets_that_do_not_agree_on_a_class_are_an_error(tmp_path):
    paths = [write_coco(tmp_path), write_voc(tmp_path / "b")]
    with pytest.raises(ValueError, match=r"category 1 is 'aeroplane' in .*b, but 'cat' in"):
        tfdp.score(paths)


def test_where_nothing_fits_the_formats_are_named(tmp_path):
    with pytest.raises(ValueError, match="has no format that is known: expected") as caught:
        tfdp.score(tmp_path)
    for known in FORMATS.values():
        assert f"{known.description} ({known.name})" in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_an_unknown_format_is_an_error_that_names_them(tmp_path):
    with pytest.raises(ValueError, match="unknown format 'vok'; choose one of coco, voc, citysca"):
        tfdp.score(tmp_path, format="vok")


def test_a_path_that_is_not_there_is_an_os_error(tmp_path):
    for name in ("none", "none.json", "none.yaml"):
        with pytest.raises(FileNotFoundError, match=name):
            tfdp.score(tmp_path / name)


def test_a_split_that_is_no_text_is_an_error(known):
    with pytest.raises(ValueError, match="split must be a text, but got 5"):
        tfdp.score(known[1], split=5)


def test_a_coco_file_has_no_splits(tmp_path):
    with pytest.raises(ValueError, match=r"ann.json is a COCO file, and has no splits"):
        tfdp.score(write_coco(tmp_path), split="train")


def open_npy(path, split):
    """A format of arrays, each with objects of the one class that there is."""

    def read(file):
        labels = np.load(file)
        objects = find_objects(labels).items()
        return Labels(*labels.shape, [Instance(k, 1, counts) for k, counts in objects if k > 0])

    images = [
        LabelledImage(file.stem, f"{file.stem}.jpg", lambda file=file: read(file))
        for file in sorted(path.glob("*.npy"))
    ]
    return FolderSource(path, images, {1: "thing"}, join_runs)


def test_a_format_is_added_by_its_module_and_one_entry(tmp_path):
    np.save(tmp_path / "a.npy", draw(60, 80, (1, 5, 5, 21, 21), (4, 30, 5, 31, 31)))
    FORMATS.add(
        Format("npy", "Arrays", "*.npy files", lambda path: any(path.glob("*.npy")), open_npy)
    )
    try:
        scores = tfdp.score(tmp_path)
    finally:
        del FORMATS["npy"]
    assert scores.instances.annotation_id.tolist() == ["a#1", "a#4"]
    assert scores.instances.area.tolist() == [400, 900]
