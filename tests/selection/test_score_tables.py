"""Selections by the scores of tables: of images and of instances, by numbers and by text."""

import json

import numpy as np
import pyarrow as pa
import pytest

import tfdp
from tests.sources.conftest import make_document
from tfdp.scores.table import SCORERS

REAL_FILES = {"coco": "coco/instances.json", "voc2012": "voc2012/instances_train.json"}


@pytest.fixture
def scores(tmp_path):
    """Image 10 holds one instance, image 20 two, image 30 none."""
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(make_document()))
    return tfdp.score_coco(path)


def table(**columns):
    return pa.table(columns)


def kept(scores, tables, scorer, **asked):
    return tfdp.select(scores, tables=tables, scorer=scorer, **{"keep": 1, **asked}).keep_ids


@pytest.mark.parametrize("ids", [[30, 10, 20], ["30", "10", "20"]], ids=["numbers", "text"])
def test_a_column_ranks_in_its_own_direction(scores, ids):
    both = table(image_id=ids, aum=[3.0, 2.0, 1.0], loss=[1, 3, 2], mine=[0.5, 0.25, 0.75])
    assert kept(scores, both, "aum") == [20]  # low first
    assert kept(scores, both, "loss") == [10]
    assert kept(scores, both, "mine") == [20]
    assert kept(scores, [table(image_id=ids, other=[1, 2, 3]), both], "loss") == [10]


def test_images_that_a_table_lacks_have_no_score(scores):
    part = table(image_id=[10, 20, 30], loss=[1.0, None, np.nan])
    assert kept(scores, part, "loss", keep=None, pruning_rate=0.0) == [10]
    assert kept(scores, part, "loss", unannotated="keep") == [10, 20, 30]
    assert kept(scores, table(image_id=[20], loss=[1.0]), "loss") == [20]


def of_instances(**columns):
    return table(annotation_id=[1, 2, 3], image_id=[10, 20, 20], category_id=[1, 2, 1], **columns)


@pytest.mark.parametrize(
    "scorer, aggregation, expected, way",
    [
        ("aum", None, [10], "mean"),  # 2 against (5 + 1) / 2, low first
        ("aum", "max", [20], "max"),  # the hardest: 2 against 1
        ("aum", "sum", [10], "sum"),
        ("loss", None, [20], "sum"),  # 4 against 1 + 4
        ("loss", "mean", [10], "mean"),
    ],
)
def test_scores_of_instances_become_those_of_images(scores, scorer, aggregation, expected, way):
    rows = of_instances(aum=[2.0, 5.0, 1.0], loss=[4.0, 1.0, 4.0])
    selection = tfdp.select(scores, keep=1, tables=rows, scorer=scorer, aggregation=aggregation)
    assert (selection.keep_ids, selection.aggregation) == (expected, way)


def test_the_report_names_table_and_column(scores, tmp_path):
    path = tmp_path / "model.csv"
    path.write_text("image_id,aum\n10,2\n20,1\n")
    report = tfdp.select(scores, 0.5, tables=path, scorer="aum").to_dict()
    assert (report["scorer"], report["table"]) == ("aum", str(path))
    assert (report["aggregation"], report["keep_ids"]) == (None, [20])
    computed = tfdp.select(scores, 0.5).to_dict()
    assert (computed["table"], computed["aggregation"]) == (None, "sum")
    assert tfdp.select(scores, 0.5, scorer="count").to_dict()["aggregation"] is None


def test_a_table_of_aums_takes_the_preset_but_no_sum(scores):
    given = table(image_id=[10, 20], aum=[2.0, 1.0])
    selection = tfdp.select(scores, keep=1, tables=given, preset="ccs", beta=0.5)
    assert (selection.keep_ids, selection.criteria.preset) == ([10], "ccs")
    with pytest.raises(
        ValueError, match=r"'aum' scores images.*no 'sum'; ask for the aggregation 'mean'"
    ):
        tfdp.select(scores, keep=1, tables=given, scorer="aum", aggregation="sum")


LOSS = table(image_id=[10], loss=[1.0])
WRONG = {
    "no such column": (LOSS, "aum", "no table has a column of numbers 'aum'.* the table has loss"),
    "the default": (LOSS, "cb_scs", "no table has a column of numbers 'cb_scs'"),
    "text": (table(image_id=[10], name=["x"], loss=[1]), "name", "of numbers 'name'"),
    "an id": (of_instances(loss=[1, 2, 3]), "category_id", "of numbers 'category_id'"),
    "two tables": ([LOSS, LOSS], "loss", "'loss' is a column of the table and the table"),
    "an unknown image": (
        table(image_id=[10, 77, 78], loss=[1, 2, 3]),
        "loss",
        "2 images of the table are not in the dataset, the first of them '77'",
    ),
    "an image twice": (table(image_id=[10, 10], loss=[1, 2]), "loss", "one row an image"),
    "an instance twice": (
        table(annotation_id=[1, 1], image_id=[10, 20], loss=[1, 2]),
        "loss",
        "one row an instance, but names some of them twice",
    ),
    "no image_id": (table(image=[1], loss=[2]), "loss", "must have a column image_id"),
    "a column twice": (
        pa.table([[10], [1], [2]], names=["image_id", "loss", "loss"]),
        "loss",
        "several columns 'loss'",
    ),
    "nothing but ids": (table(image_id=[10]), "loss", "no column of numbers beside image_id"),
    "infinite": (table(image_id=[10], loss=[np.inf]), "loss", "NaN or infinite, the first .* 10"),
    "an infinite instance": (
        of_instances(loss=[1, np.inf, -np.inf]),
        "loss",
        "2 instances of the table have a score 'loss' that is infinite, the first of them 2",
    ),
    "no score at all": (table(image_id=[10], loss=[np.nan]), "loss", "none of the 3 images has"),
    "no table": (7, "loss", "tables must be paths or arrow tables, but got 7"),
    "a list of no tables": ([7], "loss", "tables must be paths or arrow tables, but got 7"),
    "another file": ("ann.json", "loss", "must end in .csv or .parquet"),
}


@pytest.mark.parametrize("tables, scorer, message", WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused(scores, tables, scorer, message):
    with pytest.raises(ValueError, match=message):
        tfdp.select(scores, keep=1, tables=tables, scorer=scorer)


def test_ids_that_differ_in_type_alone_cannot_be_told_apart(tmp_path):
    document = make_document()
    document["images"][2]["id"] = "10"
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"differ in their type alone.*the table cannot tell"):
        tfdp.select(tfdp.score_coco(path), keep=1, tables=LOSS, scorer="loss")


@pytest.mark.real_data
@pytest.mark.parametrize("name, most_by_sum", [("coco", 0.19), ("voc2012", 0.28)])
def test_margins_of_pure_noise_keep_half_of_the_instances(shared, name, most_by_sum):
    """As learnt ones are, they are positive: sums of them count instances, and keep few."""
    scores = tfdp.score_coco(shared / "data" / REAL_FILES[name])
    rows = scores.instances

    def part_kept(seed, aggregation):
        noise = np.random.default_rng(seed).random(rows.num_rows)
        margins = table(annotation_id=rows.annotation_id, image_id=rows.image_id, aum=noise)
        asked = {"scorer": "aum", "aggregation": aggregation}
        selection = tfdp.select(scores, 0.5, tables=margins, **asked)
        return selection.after.instances / selection.before.instances

    assert np.mean([part_kept(seed, None) for seed in range(20)]) == pytest.approx(0.5, abs=0.02)
    assert max(part_kept(seed, "sum") for seed in range(5)) < most_by_sum
    assert SCORERS["aum"].aggregation == "mean"
    assert "keeps the emptiest images" in SCORERS["aum"].description
