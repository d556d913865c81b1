"""Exported views: masks, areas, ids and scores survive; nothing leaves the folder."""

import json
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

import tfdp
from tests.views.datasets import detection, import_coco, rectangle, sample

RING = np.pad(np.zeros((4, 4), bool), 3, constant_values=True)
LINE = rectangle(1, 12)


def export(view, path, **kwargs):
    return tfdp.export_coco(view, path, progress=False, **kwargs)


def read(path):
    return json.loads(path.read_text())


@pytest.fixture
def odd_shapes(make_dataset):
    """Shapes that polygons lose, in boxes that begin and end at half pixels, too."""
    return make_dataset(
        [
            sample(
                "a",
                [
                    detection("ring", RING, (0.125, 0.5, 0.1, 0.1), iscrowd=0),
                    detection("line", LINE, (0, 0, 0.12, 0.01)),
                    detection("edge", rectangle(7, 5), (0.95, 0.93, 0.05, 0.07)),
                    detection("line", rectangle(20, 20), (0.3, 0.3, 0.2, 0.2), iscrowd=1),
                ],
            ),
            sample("b", [detection("ring", RING, (0.105, 0.205, 0.1, 0.1))]),
        ]
    )


def frame_of(mask, x, y):
    frame = np.zeros((100, 100), np.uint8)
    frame[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    return frame


def test_masks_lie_where_they_were(odd_shapes, tmp_path):
    done = export(odd_shapes, tmp_path / "out.json")
    assert (done.num_images, done.num_annotations, len(done.skipped)) == (2, 5, 0)
    annotations = read(tmp_path / "out.json")["annotations"]
    expected = [
        frame_of(RING, 12, 50),  # round(12.5), as Python and FiftyOne's importer round
        frame_of(LINE, 0, 0),
        frame_of(rectangle(7, 5), 95, 93),
        frame_of(rectangle(20, 20), 30, 30),
        frame_of(RING, 10, 20),
    ]
    for annotation, frame in zip(annotations, expected, strict=True):
        np.testing.assert_array_equal(mask_utils.decode(annotation["segmentation"]), frame)
        assert annotation["area"] == frame.sum()
    assert [a["iscrowd"] for a in annotations] == [0, 0, 0, 1, 0]
    assert [a["category_id"] for a in annotations] == [3, 2, 1, 2, 3]


def test_ids_are_the_same_for_every_view(odd_shapes, tmp_path):
    export(odd_shapes, tmp_path / "all.json")
    view = odd_shapes.match({"filepath": "/images/b.png"}).filter_labels(
        "gt", fo.ViewField("label") == "ring"
    )
    export(view, tmp_path / "some.json")
    whole, some = read(tmp_path / "all.json"), read(tmp_path / "some.json")
    assert some["images"] == whole["images"][1:]
    assert some["annotations"] == whole["annotations"][4:]
    assert some["categories"] == whole["categories"]


def test_classes_that_the_view_alone_has_get_the_next_numbers(odd_shapes, tmp_path):
    view = odd_shapes.map_labels("gt", {"edge": "border"})
    assert export(view, tmp_path / "out.json").num_annotations == 5
    written = read(tmp_path / "out.json")
    names = {category["id"]: category["name"] for category in written["categories"]}
    assert names == {1: "edge", 2: "line", 3: "ring", 4: "border"}
    classes = [names[annotation["category_id"]] for annotation in written["annotations"]]
    assert classes == ["ring", "line", "border", "line", "ring"]


def test_a_mask_of_low_resolution_is_drawn_at_its_box(make_dataset, tmp_path):
    dataset = make_dataset([sample("a", [detection("a", rectangle(2, 2), (0.1, 0.2, 0.3, 0.4))])])
    export(dataset, tmp_path / "out.json")
    annotation = read(tmp_path / "out.json")["annotations"][0]
    assert annotation["area"] == 30 * 40
    assert annotation["bbox"] == [10, 20, 30, 40]


def test_polylines_are_drawn(make_dataset, tmp_path):
    line = fo.Polyline(
        label="a", points=[[(0.1, 0.1), (0.5, 0.1), (0.5, 0.4)]], closed=True, filled=True
    )
    export(make_dataset([sample("a", [line], fo.Polylines)]), tmp_path / "out.json")
    annotation = read(tmp_path / "out.json")["annotations"][0]
    drawn = mask_utils.frPyObjects([[10, 10, 50, 10, 50, 40]], 100, 100)[0]
    assert annotation["segmentation"]["counts"] == drawn["counts"].decode()
    assert annotation["area"] == mask_utils.area(drawn)


def test_what_cannot_be_written_is_reported(odd_shapes, tmp_path):
    odd_shapes._sample_collection.update_one(
        {"filepath": "/images/b.png"}, {"$set": {"gt.detections.0.mask": b"no zlib"}}
    )
    done = export(odd_shapes, tmp_path / "out.json")
    assert done.skipped.counts() == {"mask_unreadable": 1}
    assert len(read(tmp_path / "out.json")["images"]) == 2


@pytest.mark.real_data
def test_a_round_trip_gives_the_same_masks_and_scores(coco, coco_images, tmp_path):
    tfdp.compute_shape_scores(coco, "ground_truth", progress=False)
    export(coco, tmp_path / "out.json", images="symlink")
    again = import_coco(tmp_path / "out.json", tmp_path / "images")
    tfdp.compute_shape_scores(again, "ground_truth", progress=False)
    theirs = {s.coco_id: s for s in again}
    for before in coco:
        after = theirs[before.coco_id]
        assert Path(before.filepath).samefile(after.filepath)
        assert after.cb_scs == pytest.approx(before.cb_scs, rel=1e-9)
        assert after.scs == before.scs
        for x, y in zip(before.ground_truth.detections, after.ground_truth.detections, strict=True):
            np.testing.assert_array_equal(x.mask, y.mask)
            assert x.iscrowd == y.iscrowd
    again.delete()


@pytest.mark.real_data
def test_category_and_image_ids_are_the_importers(coco, coco_file, tmp_path):
    export(coco, tmp_path / "out.json")
    original, written = read(coco_file), read(tmp_path / "out.json")
    assert written["categories"] == original["categories"]
    assert {i["id"] for i in written["images"]} == {i["id"] for i in original["images"]}
    assert len(COCO(str(tmp_path / "out.json")).anns) == len(original["annotations"])


@pytest.mark.real_data
@pytest.mark.parametrize("by", ["coco_id", "file name"])
def test_with_the_original_its_content_is_kept(coco, coco_file, tmp_path, by):
    if by == "file name":
        coco.delete_sample_field("coco_id")
    view = tfdp.prune_view(coco, 0.5, scorer="count", progress=False)
    done = export(view, tmp_path / "out.json", annotations=coco_file, images="copy")
    original, written = read(coco_file), read(tmp_path / "out.json")
    names = {Path(path).name for path in view.values("filepath")}
    images = [image for image in original["images"] if image["file_name"] in names]
    ids = {image["id"] for image in images}
    assert written["images"] == images
    assert written["annotations"] == [a for a in original["annotations"] if a["image_id"] in ids]
    assert written["categories"] == original["categories"]
    assert done.num_images == len(view)
    assert {path.name for path in (tmp_path / "images").iterdir()} == names


def test_samples_that_are_not_in_the_original(shapes, tmp_path):
    original = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": [], "categories": []}
    (tmp_path / "in.json").write_text(json.dumps(original))
    with pytest.raises(ValueError, match=r"2 of 3 samples are not in .*b\.png"):
        export(shapes, tmp_path / "out.json", annotations=tmp_path / "in.json")
    assert not (tmp_path / "out.json").exists()


def test_file_names_that_tell_nothing_apart(shapes, tmp_path):
    twice = [{"id": i, "file_name": f"{i}/a.png"} for i in (1, 2)]
    (tmp_path / "in.json").write_text(
        json.dumps({"images": twice, "annotations": [], "categories": []})
    )
    with pytest.raises(ValueError, match=r"share file names.*include_id=True"):
        export(shapes, tmp_path / "out.json", annotations=tmp_path / "in.json")


def test_images_keep_their_folders_and_stay_inside(make_dataset, tmp_path):
    source = tmp_path / "source"
    for name in ("train/a.png", "val/a.png"):
        (source / name).parent.mkdir(parents=True)
        (source / name).write_text(name)
    mask = fo.Detections(detections=[detection("a", rectangle(3, 3))])
    size = fo.ImageMetadata(width=10, height=10)
    dataset = make_dataset(
        [
            fo.Sample(str(source / name), gt=mask.copy(), metadata=size)
            for name in ("train/a.png", "val/a.png")
        ]
    )
    (tmp_path / "out").mkdir()
    export(dataset, tmp_path / "out" / "out.json", images="copy")
    assert (tmp_path / "out/images/train/a.png").read_text() == "train/a.png"
    names = [image["file_name"] for image in read(tmp_path / "out" / "out.json")["images"]]
    assert names == ["train/a.png", "val/a.png"]


def without_metadata(dataset, path):
    dataset.set_values("metadata", [None] * 3)


def existing(dataset, path):
    path.write_text("mine")


def no_folder(dataset, path):
    path.parent.rmdir()


@pytest.mark.parametrize(
    "spoil, error, message",
    [
        (without_metadata, ValueError, "compute_metadata"),
        (existing, FileExistsError, "overwrite"),
        (no_folder, FileNotFoundError, "no folder"),
    ],
)
def test_nothing_is_half_written(shapes, tmp_path, spoil, error, message):
    path = tmp_path / "out" / "out.json"
    path.parent.mkdir()
    spoil(shapes, path)
    before = path.read_text() if path.exists() else None
    with pytest.raises(error, match=message):
        export(shapes, path)
    assert (path.read_text() if path.exists() else None) == before
    assert not path.parent.exists() or {p.name for p in path.parent.iterdir()} <= {"out.json"}


def test_overwriting_when_asked(shapes, tmp_path):
    (tmp_path / "out.json").write_text("old")
    export(shapes, tmp_path / "out.json", overwrite=True)
    assert len(read(tmp_path / "out.json")["annotations"]) == 3
