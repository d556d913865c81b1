"""Selections of scored files: by other ways from instances to images, and from the command line."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

import tfdp
from tests.sources.conftest import make_document, square
from tfdp.cli import main


@pytest.fixture
def few_and_many(tmp_path):
    """Image 10 holds one small square, of a high SCS; image 20 three larger ones."""
    document = make_document()
    squares = [(10, square(3, 3, 9)), *((20, square(x, 5, 20)) for x in (1, 25, 50))]
    document["annotations"] = [
        {"id": k, "image_id": i, "category_id": 1, "iscrowd": 0, "segmentation": polygon}
        for k, (i, polygon) in enumerate(squares)
    ]
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(document))
    return path


SMALL, LARGE = 4 * 8 / 8**2, 4 * 19 / 19**2  # perimeter / area, through pixel centres
EXPECTED = {"sum": [SMALL, 3 * LARGE], "mean": [SMALL, LARGE], "max": [SMALL, LARGE]}


def run(*words):
    return main([str(word) for word in words])


@pytest.mark.parametrize("aggregation", EXPECTED)
def test_image_scores_by_hand(few_and_many, tmp_path, aggregation):
    scores = tfdp.score_coco(few_and_many)
    expected = EXPECTED[aggregation]
    assert scores.image_scores("scs", aggregation=aggregation)[:2] == pytest.approx(expected)
    out = tmp_path / "i.csv"
    assert run("score", few_and_many, "-o", out, "--aggregation", aggregation) == 0
    with out.open(newline="") as file:
        assert [float(row["scs"]) for row in [*csv.DictReader(file)][:2]] == pytest.approx(expected)


@pytest.mark.parametrize("aggregation, kept", [("sum", [20]), ("mean", [10]), ("max", [10])])
def test_what_is_kept_goes_by_the_aggregation(few_and_many, tmp_path, aggregation, kept):
    scores = tfdp.score_coco(few_and_many)
    selection = tfdp.select(scores, keep=1, scorer="scs", aggregation=aggregation)
    assert selection.keep_ids == kept
    out = ["-o", tmp_path / "p.json", "--report", tmp_path / "r.json"]
    asked = ["--keep", 1, "--scorer", "scs", "--aggregation", aggregation]
    assert run("prune", few_and_many, *asked, *out) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["keep_ids"] == kept
    assert report["aggregation"] == selection.aggregation == aggregation


def test_matched_random_is_matched_to_cb_scs(few_and_many):
    scores = tfdp.score_coco(few_and_many)
    matched = scores.image_scores("instance_matched_random", seed=3, aggregation="sum")
    assert matched[:2] == pytest.approx(scores.images.cb_scs[:2])  # one image of each number
    assert scores.images.cb_scs[0] != pytest.approx(scores.images.cb_only[0])


def test_matched_random_shuffles_the_values_of_cb_scs(drawn):
    scores = tfdp.score_coco(drawn / "instances.json")
    matched, held = scores.image_scores("instance_matched_random"), scores.images.num_instances
    for number in np.unique(held[held > 0]):
        group = held == number
        assert sorted(matched[group]) == pytest.approx(sorted(scores.images.cb_scs[group]))


def test_random_scores_go_by_the_seed(drawn):
    scores = tfdp.score_coco(drawn / "instances.json")
    for scorer in ("random", "instance_matched_random"):
        kept = [tfdp.select(scores, 0.5, scorer=scorer, seed=seed).keep_ids for seed in (1, 1, 2)]
        assert kept[0] == kept[1] != kept[2]


def test_cb_without_si_by_hand(few_and_many):
    """Of one class with four squares: each image's part of all SCS."""
    scores = tfdp.score_coco(few_and_many)
    total = SMALL + 3 * LARGE
    assert scores.images.cb_only[:2] == pytest.approx([SMALL / total, 3 * LARGE / total])
    assert scores.class_totals.scs[1] == pytest.approx(total)
    assert tfdp.select(scores, keep=1, scorer="cb_only", aggregation="max").keep_ids == [10]


def test_totals_without_scs_give_no_cb_only(few_and_many):
    whole = tfdp.score_coco(few_and_many)
    older = replace(whole.class_totals, scs=None)
    scores = tfdp.score_coco(few_and_many, class_totals=older)
    assert np.isnan(scores.instances.cb_only).all()
    assert np.isnan(scores.images.cb_only).all()
    assert scores.images.cb_scs[:2] == pytest.approx(whole.images.cb_scs[:2] / 2)
    with pytest.raises(ValueError, match=r"class totals .* lack the SCS that 'cb_only'"):
        tfdp.select(scores, keep=1, scorer="cb_only")


def test_new_data_is_balanced_over_the_old(few_and_many):
    whole = tfdp.score_coco(few_and_many)
    again = tfdp.score_coco(few_and_many, class_totals=whole.class_totals)
    assert again.images.cb_only[:2] == pytest.approx(whole.images.cb_only[:2] / 2)


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"scorer": "beauty"}, "unknown scorer 'beauty'; choose one of cb_scs, .*count"),
        ({"scorer": "aum"}, "'aum' needs a trained model: give the table .*cb_scs"),
        ({"aggregation": "median"}, "unknown aggregation 'median'; choose one of sum, mean, max"),
        ({"policy": "best"}, "unknown policy 'best'; choose one of top, random, stratified"),
        ({"scorer": "count", "aggregation": "mean"}, "'count' scores images, not their instances"),
    ],
)
def test_unknown_names_are_errors_that_name_the_known(few_and_many, asked, message):
    with pytest.raises(ValueError, match=message):
        tfdp.select(tfdp.score_coco(few_and_many), keep=1, **asked)


def test_what_are_no_scores_is_refused():
    with pytest.raises(ValueError, match=r"must be what tfdp\.score gives, but got 'ann\.json'"):
        tfdp.select("ann.json", 0.5)
