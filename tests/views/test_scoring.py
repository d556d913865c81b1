"""Scoring a view: values by hand, what is skipped, what is refused, what is written."""

import cv2
import fiftyone as fo
import numpy as np
import pytest
from pycocotools import mask as mask_utils

import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.scores.balance import ClassTotals
from tfdp.sources.measuring import measure
from tfdp.views.labels import find_label_field
from tfdp.views.source import ViewSource
from tfdp.views.writing import LabelValues, write_values

SQUARE = 2 / np.sqrt(np.pi)
RECTANGLE_3X7 = 16 / (2 * np.sqrt(12 * np.pi))


def score(view, **kwargs):
    return tfdp.compute_shape_scores(view, "gt", progress=False, **kwargs)


def label_values(view, name):
    return [v for values in view.values(f"gt.detections.{name}") for v in values or []]


def test_values_by_hand(shapes):
    score(shapes)
    cats = RECTANGLE_3X7 + SQUARE
    assert label_values(shapes, "scs") == pytest.approx([16 / 12, 16 / 16, 12 / 9])
    assert label_values(shapes, "si_scs") == pytest.approx([RECTANGLE_3X7, SQUARE, SQUARE])
    assert label_values(shapes, "cb_scs") == pytest.approx([RECTANGLE_3X7 / cats, 1, SQUARE / cats])
    assert shapes.values("scs")[:2] == pytest.approx([16 / 12 + 1, 12 / 9])
    assert shapes.values("cb_scs")[:2] == pytest.approx([RECTANGLE_3X7 / cats + 1, SQUARE / cats])
    assert shapes.values("cb_scs")[2] is None


def unreadable_masks(tmp_path):
    (tmp_path / "no_image.png").write_text("no image")
    cv2.imwrite(str(tmp_path / "mask.png"), 255 * np.ones((4, 4), np.uint8))
    square, path = rectangle(4, 4), tmp_path.as_posix()
    return [
        ("scored", detection("a", square)),
        ("scored", detection("a", square.astype(np.uint8) * 255)),
        ("scored", detection("a", np.asfortranarray(square))),
        ("scored", detection("a", None, mask_path=f"{path}/mask.png")),
        ("degenerate", detection("a", np.zeros((4, 4), bool))),
        ("degenerate", detection("a", np.zeros((0, 4), bool))),
        ("degenerate", detection("a", rectangle(1, 9))),
        ("no_mask", detection("a", None)),
        ("no_label", detection(None, square)),
        ("crowd", detection("a", square, iscrowd=1)),
        ("mask_missing", detection("a", None, mask_path=f"{path}/nowhere.png")),
        ("mask_unreadable", detection("a", None, mask_path=f"{path}/no_image.png")),
        ("mask_unreadable", detection("a", np.ones((4, 4, 3), bool))),
    ]


def test_another_way_from_labels_to_samples_is_remembered(shapes):
    score(shapes, aggregation="mean")
    on_labels, on_samples = shapes.values(["gt.detections.scs", "scs"])
    assert on_samples == [pytest.approx(sum(v) / len(v)) if v else None for v in on_labels]
    config = shapes.get_brain_info("shape_scores").config
    assert config.aggregation == "mean"
    assert "mean over the sample's instances" in shapes.get_field("scs").description
    with pytest.raises(ValueError, match="unknown aggregation 'median'; choose one of sum, mean"):
        score(shapes, aggregation="median")


def test_totals_of_older_runs_balance_what_they_have(shapes):
    """Version 0.1.0 noted no totals of SCS."""
    older = ClassTotals({"cat": 2.0, "dog": 1.0}, {"cat": 2, "dog": 1})
    score(shapes, class_totals=older)
    assert shapes.values("cb_only") == [None, None, None]
    assert label_values(shapes, "cb_only") == [None, None, None]
    assert label_values(shapes, "cb_scs")[1] == pytest.approx(SQUARE / (1 + SQUARE))


def test_labels_are_scored_or_counted_by_reason(make_dataset, tmp_path):
    cases = unreadable_masks(tmp_path)
    dataset = make_dataset([sample("a", [label for _, label in cases])])
    results = score(dataset)

    found = dict.fromkeys(label_ids(dataset), "scored")
    found |= dict.fromkeys(results.degenerate, "degenerate")
    found |= {i: reason for reason, ids in results.skipped.items() for i in ids}
    assert list(found.values()) == [expected for expected, _ in cases]

    expected = {"scored": pytest.approx(SQUARE), "degenerate": 0}
    assert label_values(dataset, "si_scs") == [expected.get(what) for what, _ in cases]
    assert results.counts == {
        "samples": 1,
        "scored_samples": 1,
        "instances": 7,
        "degenerate": 3,
        "skipped": 6,
    }


def label_ids(dataset):
    return [i for ids in dataset.values("gt.detections.id") for i in ids]


def test_a_damaged_mask_in_the_database_is_reported(shapes):
    shapes._sample_collection.update_one(
        {"_id": shapes.first()._id}, {"$set": {"gt.detections.0.mask": b"no zlib"}}
    )
    results = score(shapes)
    assert list(results.skipped) == ["mask_unreadable"]
    assert results.counts["instances"] == 2


HEXAGON = [(0.2, 0.1), (0.6, 0.15), (0.8, 0.5), (0.5, 0.9), (0.2, 0.8), (0.05, 0.4)]


def polyline(points, **kwargs):
    return fo.Polyline(label="a", points=[points], **{"closed": True, "filled": True, **kwargs})


@pytest.mark.parametrize("rasterizer", ["coco", "opencv"])
def test_polylines_are_drawn_at_the_size_of_their_image(make_dataset, rasterizer):
    xy = np.array(HEXAGON) * (90, 70)
    if rasterizer == "coco":
        mask = mask_utils.decode(mask_utils.frPyObjects([xy.ravel().tolist()], 70, 90)[0])
    else:
        mask = cv2.fillPoly(np.zeros((70, 90), np.uint8), [xy.astype(np.int32)], 1)
    dataset = make_dataset(
        [
            sample("drawn", [polyline(HEXAGON)], fo.Polylines, (90, 70)),
            sample(
                "mask",
                [],
                fo.Polylines,
                (90, 70),
                other=fo.Detections(detections=[detection("a", mask)]),
            ),
        ]
    )
    score(dataset, rasterizer=rasterizer)
    tfdp.compute_shape_scores(dataset, "other", brain_key="masks", progress=False)
    drawn, of_mask = dataset.first().gt.polylines[0], dataset.last().other.detections[0]
    assert drawn.scs == of_mask["masks_scs"]


@pytest.mark.parametrize(
    "line, size, reason",
    [
        (polyline(HEXAGON, closed=False), (90, 70), "polyline_not_filled"),
        (polyline(HEXAGON, filled=False), (90, 70), "polyline_not_filled"),
        (polyline(HEXAGON), None, "no_image_size"),
        (polyline(HEXAGON[:2]), (90, 70), "bad_polygon"),
        (fo.Polyline(label="a", points=[], closed=True, filled=True), (90, 70), "bad_polygon"),
    ],
    ids=["open", "not filled", "no metadata", "two points", "no part"],
)
def test_polylines_that_cannot_be_scored(make_dataset, line, size, reason):
    good = sample("good", [polyline(HEXAGON)], fo.Polylines)
    results = score(make_dataset([good, sample("bad", [line], fo.Polylines, size)]))
    assert {reason: len(ids) for reason, ids in results.skipped.items()} == {reason: 1}
    assert results.counts["instances"] == 1


def test_a_view_scores_what_it_shows(shapes):
    view = shapes.filter_labels("gt", fo.ViewField("label") == "dog")
    results = score(view)
    assert label_values(shapes, "si_scs") == pytest.approx([None, SQUARE, None])
    assert shapes.values("cb_scs") == [1, None, None]
    assert results.class_totals.num_instances == {"dog": 1}


def test_selected_samples_in_any_order(shapes):
    ids = shapes.values("id")
    results = score(shapes.select([ids[1], ids[0]], ordered=True))
    assert results.counts["samples"] == 2
    assert shapes.values("cb_scs")[1] == pytest.approx(SQUARE / (SQUARE + RECTANGLE_3X7))


def test_a_view_that_hides_other_fields(shapes):
    score(shapes.select_fields("gt"))
    assert shapes.values("si_scs")[1] == pytest.approx(SQUARE)


def test_a_score_goes_when_its_label_can_no_longer_have_one(shapes):
    score(shapes)
    first = shapes.first()
    first.gt.detections[0]["iscrowd"] = 1
    first.gt.detections[1].mask = None
    first.save()
    score(shapes)
    assert label_values(shapes, "scs") == pytest.approx([None, None, 12 / 9])
    assert shapes.values("scs") == pytest.approx([None, 12 / 9, None])


def test_loaded_samples_show_the_scores_at_once(shapes):
    loaded = shapes.first()
    score(shapes)
    assert loaded.si_scs == pytest.approx(RECTANGLE_3X7 + SQUARE)
    assert loaded.gt.detections[1].si_scs == pytest.approx(SQUARE)


@pytest.mark.parametrize("change", ["reordered", "grown", "cut", "sample gone"])
def test_labels_that_changed_between_reading_and_writing(shapes, change):
    collection = measure([ViewSource(shapes, find_label_field(shapes, "gt"))], progress=False)
    first = shapes.first()
    cat, dog = first.gt.detections
    new = detection("new", rectangle(2, 2))
    first.gt.detections = {
        "reordered": [dog, cat],
        "grown": [new, cat, dog],
        "cut": [dog],
        "sample gone": [cat, dog],
    }[change]
    first.save()
    if change == "sample gone":
        shapes.delete_samples([first.id])
    rows = collection.instances
    values = {"area": rows.area}
    labels = LabelValues(find_label_field(shapes, "gt"), rows.image_index, rows.ids, values)
    write_values(shapes, collection.image_ids, {"n": np.arange(3.0)}, labels)

    area = {"cat": 12, "dog": 16}
    for stored in shapes._sample_collection.find({"filepath": "/images/a.png"}):
        for label in stored["gt"]["detections"]:
            assert label.get("area") == area.get(label["label"])
    assert shapes.values("filepath")[-2:] == ["/images/b.png", "/images/c.png"]


def test_nothing_else_of_a_sample_changes(shapes):
    def content():
        ours = {"scs", "si_scs", "cb_scs", "cb_only", "last_modified_at"}
        return [
            {k: v for k, v in stored.items() if k not in ours}
            | {
                "gt": [
                    {k: v for k, v in x.items() if k not in ours}
                    for x in stored["gt"]["detections"]
                ]
            }
            for stored in shapes._sample_collection.find()
        ]

    before = content()
    score(shapes)
    assert content() == before


def test_fields_are_declared_described_indexed_and_grouped(shapes):
    score(shapes)
    schema = shapes.get_field_schema(flat=True)
    indexes = shapes.get_index_information()
    for name in ("scs", "si_scs", "cb_scs", "cb_only"):
        for path in (name, f"gt.detections.{name}"):
            assert isinstance(schema[path], fo.FloatField)
            assert "TFDP" in schema[path].description
            assert path in indexes
    groups = {group.name: group.paths for group in shapes.app_config.sidebar_groups}
    assert groups["pruning"] == ["scs", "si_scs", "cb_scs", "cb_only"]
    assert "gt" in groups["labels"]
    best = shapes.sort_by("cb_scs", reverse=True).first()
    assert best.filepath == "/images/a.png"


def video(make_dataset):
    return make_dataset([fo.Sample(filepath="/images/a.mp4")])


def grouped(make_dataset):
    group = fo.Group()
    samples = [
        sample(name, [detection("a", rectangle(3, 3))], g=group.element(name)) for name in "lr"
    ]
    dataset = fo.Dataset()
    dataset.add_group_field("g", default="l")
    dataset.add_samples(samples, progress=False)
    return dataset


def test_one_slice_of_a_grouped_dataset_is_scored(make_dataset):
    dataset = grouped(make_dataset)
    score(dataset.select_group_slices("r"))
    assert dataset.select_group_slices("r").values("si_scs") == pytest.approx([SQUARE])
    assert dataset.select_group_slices("l").values("si_scs") == [None]
    dataset.delete()


WRONG = {
    "missing field": (lambda d, m: d, "nowhere", "no field 'nowhere'.*instance masks: gt"),
    "another type": (lambda d, m: d, "tags", "holds ListField.*instance masks: gt"),
    "no masks": (lambda d, m: d, "boxes", "no label of field 'boxes' has a mask.*masks: gt"),
    "empty view": (lambda d, m: d.match({"tags": "none"}), "gt", "the view is empty"),
    "patches": (lambda d, m: d.to_patches("gt"), "gt", "patches"),
    "video": (lambda d, m: video(m), "gt", "media type must be image, but it is video"),
    "groups": (lambda d, m: grouped(m), "gt", "grouped.*select_group_slices"),
    "dynamic groups": (lambda d, m: d.group_by("filepath"), "gt", "grouped"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_scored_is_refused(shapes, make_dataset, case):
    make_view, field, message = WRONG[case]
    box = fo.Detections(detections=[detection("a", None)])
    shapes.set_values("boxes", [box, box, box])
    with pytest.raises(ValueError, match=f"(?s){message}"):
        tfdp.compute_shape_scores(make_view(shapes, make_dataset), field)
    assert not shapes.has_field("scs")
    assert shapes.list_brain_runs() == []


def test_callbacks_see_the_work_come_to_its_end(shapes, tmp_path):
    told = []

    def callback(bar):
        told.append((bar.progress, bar.complete))

    tfdp.compute_shape_scores(shapes, "gt", progress=callback)
    assert told == [(0.5, False), (1, True)]
    tfdp.prune_view(shapes, 0.5, progress=callback)
    assert told[2:] == [(1, True)]
    tfdp.export_coco(shapes, tmp_path / "out.json", progress=callback)
    assert told[-1] == (1, True)


def test_an_unknown_rasterizer_is_refused(shapes):
    with pytest.raises(ValueError, match="choose one of coco, opencv"):
        score(shapes, rasterizer="skimage")


def test_a_field_of_the_users_own_is_never_written(shapes):
    shapes.set_values("scs", [1.0, 2.0, 3.0])
    results = score(shapes)
    assert shapes.values("scs") == [1, 2, 3]
    assert shapes.values("shape_scores_scs")[1] == pytest.approx(12 / 9)
    assert results.config.field_prefix == "shape_scores_"
    with pytest.raises(ValueError, match="'scs' of another origin; give another field prefix"):
        score(shapes, brain_key="other", field_prefix="")


@pytest.mark.real_data
def test_a_file_and_the_dataset_imported_from_it_agree(coco, coco_file):
    """Where FiftyOne's importer cut nothing off the mask; it cuts by the rounded box."""
    from pycocotools.coco import COCO

    of_file = tfdp.score_coco(coco_file)
    score_view = tfdp.compute_shape_scores(coco, "ground_truth", progress=False)
    api = COCO(str(coco_file))
    row_of = {i: row for row, i in enumerate(of_file.instances.annotation_id.tolist())}
    compared = 0
    for loaded in coco:
        annotations = api.imgToAnns[loaded.coco_id]
        assert len(annotations) == len(loaded.ground_truth.detections)
        for annotation, label in zip(annotations, loaded.ground_truth.detections, strict=True):
            if annotation["iscrowd"]:
                assert not label.has_field("scs")
            elif api.annToMask(annotation).sum() == label.mask.sum():
                row = row_of[annotation["id"]]
                assert label.scs == pytest.approx(of_file.instances.scs[row], rel=1e-12)
                assert label.si_scs == pytest.approx(of_file.instances.si_scs[row], rel=1e-12)
                compared += 1
    assert compared > 0.98 * score_view.counts["instances"]
    assert score_view.counts["instances"] == of_file.instances.num_rows
