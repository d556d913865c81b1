"""Reading and scoring of COCO files: values, forms of masks, ids, several files, real data."""

import copy
import json
import subprocess
import sys

import numpy as np
import pytest
from pycocotools import mask as mask_api
from pycocotools.coco import COCO

import tfdp
from tfdp.sources import coco
from tfdp.sources.formats import open_sources
from tfdp.sources.measuring import measure

REAL_FILES = {
    "coco": "coco/instances.json",
    "voc2012_train": "voc2012/instances_train.json",
    "nuclei": "nuclei/instances.json",
}


def test_scores_of_squares_are_those_of_the_definition(document, write):
    scores = tfdp.score_coco(write(document), rasterizer="opencv")  # draws 21 px for a side of 20
    assert scores.instances.annotation_id.tolist() == [1, 2, 3]
    assert scores.instances.image_id.tolist() == [10, 20, 20]
    assert scores.instances.category_id.tolist() == [1, 2, 1]
    assert scores.instances.area.tolist() == [400, 900, 81]
    assert scores.instances.perimeter.tolist() == [80, 120, 36]
    np.testing.assert_allclose(scores.instances.scs, [0.2, 120 / 900, 36 / 81])
    np.testing.assert_allclose(scores.instances.si_scs, 2 / np.sqrt(np.pi))
    np.testing.assert_allclose(scores.instances.cb_scs, [0.5, 1, 0.5])
    assert scores.images.image_id.tolist() == [10, 20, 30]
    assert scores.images.file_name.tolist() == ["a.jpg", "b.jpg", "c.jpg"]
    assert scores.images.num_instances.tolist() == [1, 2, 0]
    np.testing.assert_allclose(scores.images.cb_scs, [0.5, 1.5, np.nan])
    assert [tuple(item)[:3] for item in scores.skipped] == [("annotation", 4, "crowd")]


def bitmap_with_a_hole():
    bitmap = np.zeros((60, 80), np.uint8, order="F")
    bitmap[7:40, 10:50] = 1
    bitmap[20:25, 20:30] = 0
    bitmap[50:, 70:] = 1
    return bitmap


def as_uncompressed(bitmap):
    flat = np.concatenate([[0], bitmap.ravel(order="F"), [2]])
    changes = np.flatnonzero(np.diff(flat))
    return np.diff(np.append(0, changes)).tolist()


def test_all_forms_of_one_mask_score_alike(document, write):
    bitmap = bitmap_with_a_hole()
    compressed = mask_api.encode(bitmap)["counts"].decode()
    for annotation, counts in zip(
        document["annotations"], [compressed, as_uncompressed(bitmap)], strict=False
    ):
        annotation["segmentation"] = {"counts": counts, "size": [60, 80]}
    instances = tfdp.score_coco(write(document)).instances
    assert instances.area[:2].tolist() == [32 * 39] * 2
    assert instances.perimeter[:2].tolist() == [2 * (32 + 39)] * 2


def test_parts_of_a_polygon_are_one_mask(document, write):
    near, apart = document["annotations"][0], document["annotations"][1]
    near["segmentation"] = [[0, 0, 9, 0, 9, 9, 0, 9], [9, 0, 18, 0, 18, 9, 9, 9]]
    apart["segmentation"] = [[0, 0, 9, 0, 9, 9, 0, 9], [20, 0, 40, 0, 40, 9, 20, 9]]
    instances = tfdp.score_coco(write(document), rasterizer="opencv").instances
    assert instances.area[:2].tolist() == [18 * 9, 20 * 9]


def test_long_numbers_and_exponents_are_read_as_well(document, write):
    plain = tfdp.score_coco(write(document)).instances.area
    text = json.dumps(document).replace("[[5, 5, 25,", "[[5.00000000000000000, 0.5e1, 25,")
    assert "0.5e1" in text
    assert tfdp.score_coco(write(text)).instances.area.tolist() == plain.tolist()


def test_an_image_may_be_scored_by_ids_of_any_kind(document, write):
    for entry in [*document["images"], *document["annotations"], *document["categories"]]:
        for key in ("id", "image_id", "category_id"):
            if key in entry:
                entry[key] = f"№{entry[key]}"
    scores = tfdp.score_coco(write(document))
    assert scores.images.image_id.tolist() == ["№10", "№20", "№30"]
    assert scores.instances.annotation_id.tolist() == ["№1", "№2", "№3"]
    assert scores.class_totals.num_instances == {"№1": 2, "№2": 1}


def test_ids_of_integers_are_integers(document, write):
    scores = tfdp.score_coco(write(document))
    assert scores.images.image_id.dtype == scores.instances.annotation_id.dtype == np.int64


def test_the_order_of_members_and_the_layout_do_not_matter(document, write):
    expected = tfdp.score_coco(write(document)).images.cb_scs
    turned = json.dumps(dict(reversed(document.items())), indent=2)
    assert tfdp.score_coco(write(turned)).images.cb_scs.tolist()[:2] == expected.tolist()[:2]


def test_categories_of_one_name_are_told_apart(document, write):
    document["categories"][1]["name"] = "cat"
    names = measure(open_sources(write(document))).category_names.tolist()
    assert names == ["cat (id 1)", "cat (id 2)"]


def test_a_file_without_images_is_an_empty_table_and_no_selection(document, write):
    document["images"] = document["annotations"] = document["categories"] = []
    scores = tfdp.score_coco(write(document))
    assert scores.images.num_rows == scores.instances.num_rows == 0
    with pytest.raises(ValueError, match="none of the 0 images has a score"):
        tfdp.select(scores, 0.5)


def test_batches_measured_in_threads_come_in_file_order(document, write, monkeypatch):
    template = document["annotations"][0]
    document["annotations"] = [
        {**template, "id": k, "segmentation": [[0, 0, k, 0, k, 10, 0, 10]]} for k in range(9, 59)
    ]
    whole = tfdp.score_coco(write(document), "opencv").instances
    monkeypatch.setattr(coco, "BATCH", 7)
    in_batches = tfdp.score_coco(write(document), "opencv").instances
    assert in_batches.annotation_id.tolist() == list(range(9, 59))
    assert in_batches.area.tolist() == whole.area.tolist() == [10.0 * k for k in range(9, 59)]


def split(document):
    """Two disjoint files: the images of even rows, and those of odd ones."""
    halves = []
    for first in (0, 1):
        images = document["images"][first::2]
        ids = {image["id"] for image in images}
        annotations = [a for a in document["annotations"] if a["image_id"] in ids]
        halves.append({**document, "images": images, "annotations": annotations})
    return halves


@pytest.mark.real_data
def test_totals_of_two_halves_are_those_of_the_whole(shared, write):
    path = shared / "data" / REAL_FILES["coco"]
    one, two = split(json.loads(path.read_bytes()))
    one, two = write(one, "one.json"), write(two, "two.json")
    whole = tfdp.score_coco(path)
    first, second = tfdp.score_coco(one), tfdp.score_coco(two)
    total = first.class_totals + second.class_totals
    assert total.num_instances == whole.class_totals.num_instances
    assert total.si_scs == pytest.approx(whole.class_totals.si_scs, rel=1e-12)

    by_id = dict(zip(whole.images.image_id, whole.images.cb_scs, strict=True))
    saved = tfdp.ClassTotals.from_list(json.loads(json.dumps(first.class_totals.to_list())))
    continued = tfdp.score_coco(two, class_totals=saved)
    for scores in (continued, tfdp.score_coco([one, two])):
        expected = [by_id[i] for i in scores.images.image_id]
        np.testing.assert_allclose(scores.images.cb_scs, expected, rtol=1e-12)


def test_files_that_do_not_fit_together_are_refused(document, write):
    first = write(document, "first.json")
    with pytest.raises(ValueError, match="several images with the id 10"):
        tfdp.score_coco([first, first])
    other = copy.deepcopy(document)
    other["categories"][0]["name"] = "fish"
    with pytest.raises(ValueError, match=r"category 1 is 'fish' in .*second.json, but 'cat'"):
        tfdp.score_coco([first, write(other, "second.json")])
    other = copy.deepcopy(document)
    for entry in other["images"]:
        entry["id"] += 1
    for entry in other["annotations"]:
        entry["image_id"] += 1
    with pytest.raises(ValueError, match="several annotations with the id 1"):
        tfdp.score_coco([first, write(other, "second.json")])
    with pytest.raises(ValueError, match="at least one"):
        tfdp.score_coco([])


def test_an_unknown_rasterizer_is_refused(document, write):
    with pytest.raises(ValueError, match="unknown rasterizer 'cv'; choose one of coco, opencv"):
        tfdp.score_coco(write(document), rasterizer="cv")


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL_FILES)
def test_image_scores_are_those_of_the_released_code(shared, name):
    """Released under other names: total_ratio is SCS, norm_ SI-SCS, _norm balanced by class."""
    golden = json.loads((shared / "golden" / f"{name}.json").read_bytes())
    path = shared / "data" / REAL_FILES[name]
    scores = tfdp.score_coco(path, rasterizer="opencv")
    row_of_image = {i: row for row, i in enumerate(scores.images.image_id.tolist())}
    ours = {
        "total_ratio": scores.images.scs,
        "norm_total_ratio": scores.images.si_scs,
        "total_ratio_norm": scores.images.cb_only,
        "norm_total_ratio_norm": scores.images.cb_scs,
    }
    assert set(golden) == set(ours)
    for mode, expected in golden.items():
        rows = [row_of_image[int(i)] for i in expected]
        np.testing.assert_allclose(ours[mode][rows], list(expected.values()), rtol=1e-6)
        assert np.isfinite(ours[mode]).sum() == len(expected)  # nor do we score any other image


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::DeprecationWarning:pycocotools")
@pytest.mark.parametrize("name", REAL_FILES)
def test_pixel_areas_are_those_of_pycocotools(shared, name):
    path = shared / "data" / REAL_FILES[name]
    coco = COCO(path)
    instances = measure(open_sources(path)).instances
    expected = [coco.annToMask(coco.anns[i]).sum() for i in instances.ids[::20].tolist()]
    assert instances.pixel_area[::20].tolist() == expected


def test_a_bar_is_shown_on_request_only(document, write):
    code = "import sys, tfdp; tfdp.score_coco(sys.argv[1], progress={})"
    path = str(write(document))
    quiet, loud = (
        subprocess.run(
            [sys.executable, "-c", code.format(p), path], capture_output=True, check=True
        )
        for p in (None, True)
    )
    assert quiet.stderr == b""
    assert b"100%" in loud.stderr
