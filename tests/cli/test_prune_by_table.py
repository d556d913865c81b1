"""`tfdp prune` by the tables that `tfdp train-score` and `tfdp score` write, and `tfdp compare`."""

import json

import pyarrow as pa
import pytest

from tests.cli.running import run, the_line
from tfdp.files.tables import write_arrow


@pytest.fixture
def table(tmp_path):
    """Of the three images; the one without instances has a score, too."""
    path = tmp_path / "model.csv"
    path.write_text("image_id,aum,loss,name\n10,0.5,1,a\n20,0.25,,b\n30,0.75,3,c\n")
    return path


def prune(annotations, out, *words):
    """The ids that are kept, and the report."""
    outputs = ["-o", out / "kept.txt", "--report", out / "r.json", "--overwrite"]
    assert run("prune", annotations, *words, *outputs) == 0
    kept = [int(line) for line in (out / "kept.txt").read_text().split()]
    return kept, json.loads((out / "r.json").read_text())


def test_a_column_of_a_table_decides(annotations, out, table):
    kept, report = prune(annotations, out, "--scores", table, "--scorer", "aum", "--keep", 1)
    assert kept == [20]  # low first
    assert (report["scorer"], report["table"], report["aggregation"]) == ("aum", str(table), None)
    kept, report = prune(annotations, out, "--scores", table, "--scorer", "loss", "--rate", 0)
    assert kept == [10, 30]
    assert report["images_by_reason"] == {"no_score": 1, "selected": 2}


def test_what_tfdp_score_writes_is_such_a_table(annotations, out):
    for ending in ("csv", "parquet"):
        images, instances = out / f"images.{ending}", out / f"instances.{ending}"
        assert run("score", annotations, "-o", images, "--instances", instances) == 0
        by_shape, _ = prune(annotations, out, "--keep", 1)
        assert prune(annotations, out, "--keep", 1, "--scores", images, "--scorer", "cb_scs")[0] == by_shape  # fmt: skip
        kept, report = prune(annotations, out, "--keep", 1, "--scores", instances, "--scorer", "scs", "--aggregation", "mean")  # fmt: skip
        computed = prune(annotations, out, "--keep", 1, "--scorer", "scs", "--aggregation", "mean")
        assert kept == computed[0]
        assert report["aggregation"] == computed[1]["aggregation"] == "mean"


def test_a_pruned_coco_file_is_written_by_it(annotations, out, table):
    words = ["--scores", table, "--scorer", "aum", "--keep", 2]
    assert run("prune", annotations, *words, "-o", out / "kept.json") == 0
    images = json.loads((out / "kept.json").read_text())["images"]
    assert [image["id"] for image in images] == [10, 20]


WRONG = {
    "no such column": (["--scorer", "el2n"], "no table has a column of numbers 'el2n'"),
    "no scorer": ([], "no table has a column of numbers 'cb_scs', the scorer"),
    "a sum of AUMs": (
        ["--scorer", "aum", "--aggregation", "sum"],
        "'aum' scores images, not their instances: it has no 'sum'",
    ),
}


@pytest.mark.parametrize("words, message", WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_one_line(annotations, out, table, capsys, words, message):
    asked = ["--keep", 1, "--scores", table, *words, "-o", out / "kept.txt"]
    assert run("prune", annotations, *asked) == 2
    assert message in the_line(capsys)
    assert not (out / "kept.txt").exists()


def test_a_table_is_no_output(annotations, tmp_path, table, capsys):
    text = table.with_suffix(".txt")
    text.write_text("x")
    asked = ["--keep", 1, "--scorer", "aum", "--scores", text, "-o", text, "--overwrite"]
    assert run("prune", annotations, *asked) == 2
    assert "is the file to read" in the_line(capsys)
    assert text.read_text() == "x"


def test_a_score_of_models_without_a_table_says_what_it_needs(annotations, out, capsys):
    assert run("prune", annotations, "--keep", 1, "--scorer", "aum", "-o", out / "kept.txt") == 2
    assert "'aum' needs a trained model: give the table of scores" in the_line(capsys)


def test_instances_of_a_training_are_averaged_by_aum_and_summed_by_loss(annotations, out):
    path = out / "instances.parquet"
    rows = {"annotation_id": [1, 2, 3], "image_id": [10, 20, 20], "category": ["a", "b", "a"]}
    rows |= {"aum": [1.5, 1.0, 1.0], "loss": [1.5, 1.0, 1.0]}
    with path.open("wb") as file:
        write_arrow(pa.table(rows), path, file)
    words = ["--keep", 1, "--scores", path, "--scorer"]
    kept, report = prune(annotations, out, *words, "aum")
    assert (kept, report["aggregation"]) == ([20], "mean")
    kept, report = prune(annotations, out, *words, "loss")
    assert (kept, report["aggregation"]) == ([20], "sum")
    assert prune(annotations, out, *words, "loss", "--aggregation", "mean")[0] == [10]
    output = out / "compared.json"
    asked = ["--scores", path, "-o", output, "--overwrite", "--rates", 0.5]

    def compared(*more):
        assert run("compare", annotations, *asked, *more) == 0
        rows = json.loads(output.read_text())["rows"]
        return {row["scorer"]: row["aggregation"] for row in rows}

    own, mean = compared(), compared("--aggregation", "mean")
    names = ("aum", "loss", "cb_scs", "count")
    assert [own[name] for name in names] == ["mean", "sum", "sum", None]
    assert [mean[name] for name in names] == ["mean", "mean", "mean", None]
