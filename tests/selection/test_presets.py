"""Presets of selections: what they are, and that what is said otherwise goes before."""

import json

import numpy as np
import pyarrow as pa
import pytest

import tfdp
from tests.sources.conftest import make_document, square
from tfdp.cli import main
from tfdp.selection.presets import SELECTION_PRESETS

AUM = np.arange(20.0)


@pytest.fixture
def annotations(tmp_path):
    """Twenty images with a square each."""
    document = make_document()
    document["images"] = [
        {"id": i, "file_name": f"{i}.jpg", "height": 60, "width": 80} for i in range(20)
    ]
    document["annotations"] = [
        {"id": i, "image_id": i, "category_id": 1, "iscrowd": 0, "segmentation": square(3, 3, 9)}
        for i in range(20)
    ]
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def aums(tmp_path):
    path = tmp_path / "model.csv"
    path.write_text("image_id,aum\n" + "".join(f"{i},{aum}\n" for i, aum in enumerate(AUM)))
    return path


def test_ccs_is_the_released_codes():
    assert SELECTION_PRESETS["ccs"].values == {
        "scorer": "aum",
        "aggregation": "mean",
        "policy": "stratified",
        "beta": 0.1,
    }


def test_ccs_leaves_out_the_lowest_tenth_and_draws_from_the_rest(annotations, aums):
    scores = tfdp.score_coco(annotations)
    everything = tfdp.select(scores, keep=18, preset="ccs", tables=aums)
    assert everything.keep_ids == list(range(2, 20))
    plain = {"scorer": "aum", "policy": "stratified", "beta": 0.1}
    for seed in (0, 1):
        chosen = tfdp.select(scores, 0.5, preset="ccs", tables=aums, seed=seed)
        same = tfdp.select(scores, 0.5, **plain, tables=aums, seed=seed)
        assert chosen.keep_ids == same.keep_ids
        assert not {0, 1} & set(chosen.keep_ids)


def test_what_is_said_otherwise_goes_before(annotations, aums):
    scores = tfdp.score_coco(annotations)
    asked = {"preset": "ccs", "keep": 16}
    assert tfdp.select(scores, **asked, tables=aums, beta=0.2).keep_ids == list(range(4, 20))
    by_shape = tfdp.select(scores, **asked, scorer="si_scs")
    assert (by_shape.scorer, by_shape.aggregation) == ("si_scs", "mean")
    assert by_shape.criteria.policy == "stratified"


def test_the_command_takes_it(annotations, aums, tmp_path):
    report = tmp_path / "r.json"
    words = ["prune", annotations, "--preset", "ccs", "--keep", 18, "--scores", aums]
    out = ["-o", tmp_path / "kept.txt", "--report", report]
    assert main([str(word) for word in [*words, *out]]) == 0
    assert (tmp_path / "kept.txt").read_text().split() == [str(i) for i in range(2, 20)]
    said = json.loads(report.read_text())
    assert (said["scorer"], said["table"]) == ("aum", str(aums))
    assert said["criteria"]["preset"] == "ccs"
    assert (said["criteria"]["policy"], said["criteria"]["beta"]) == ("stratified", 0.1)


def test_an_unknown_one_is_refused(annotations):
    with pytest.raises(ValueError, match="unknown preset 'ccr'; choose one of ccs"):
        tfdp.select(tfdp.score_coco(annotations), 0.5, preset="ccr")
    with pytest.raises(ValueError, match="'aum' needs a trained model: give the table"):
        tfdp.select(tfdp.score_coco(annotations), 0.5, preset="ccs")


def test_instances_of_a_table_are_averaged_by_it(annotations):
    scores = tfdp.score_coco(annotations)
    rows = scores.instances
    table = pa.table({"annotation_id": rows.annotation_id, "image_id": rows.image_id, "aum": AUM})
    selection = tfdp.select(scores, keep=18, preset="ccs", tables=table)
    assert (selection.aggregation, selection.keep_ids) == ("mean", list(range(2, 20)))
