"""`tfdp compare` on files."""

import csv
import json
import os

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tfdp.cli import main
from tfdp.scores.shape_scores import list_scorers

SCORERS = list_scorers()

SQUARE = [10, 10, 20, 10, 20, 20, 10, 20]


def write_squares(path):
    """Ten images; image i holds i squares of one class, so that cb_scs ranks as i does."""
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 40, "width": 40} for i in range(10)]
    annotations = [
        {"id": 100 * i + j, "image_id": i, "category_id": 1, "segmentation": [SQUARE], "iscrowd": 0}
        for i in range(10)
        for j in range(i)
    ]
    categories = [{"id": 1, "name": "square"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def annotations(tmp_path):
    return write_squares(tmp_path / "ann.json")


def run(*arguments):
    return main(["compare", *map(str, arguments)])


def table(path, **columns):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def compared(annotations, *arguments):
    """Scorer -> its row of the JSON that is written."""
    output = annotations.with_name("table.json")
    assert run(annotations, *arguments, "-o", output, "--overwrite") == 0
    document = json.loads(output.read_text())
    return {row["scorer"]: row for row in document["rows"]}


def test_without_tables_the_scorers_of_the_file_are_compared(annotations, capsys):
    rows = compared(annotations)
    assert set(rows) == set(SCORERS)
    assert next(iter(rows)) == "cb_scs"
    assert rows["count"]["spearman"] == pytest.approx(1)
    assert rows["cb_scs"]["seconds"] > 0
    assert rows["random"]["seconds"] is None
    assert [kept["pruning_rate"] for kept in rows["count"]["kept"]] == [0.2, 0.3, 0.4, 0.5]
    text = capsys.readouterr().out
    assert all(scorer in text for scorer in SCORERS)


def test_columns_of_tables_are_scorers_in_their_own_direction(annotations, tmp_path):
    scores = table(
        tmp_path / "scores.csv",
        image_id=range(9, -1, -1),
        name=["x"] * 10,
        aum=range(1, 11),
        loss=range(1, 11),
    )
    rows = compared(annotations, "--scores", scores, "--rates", 0.5)
    assert rows["aum"]["spearman"] == pytest.approx(1)  # low first, and image 9 is lowest
    assert rows["loss"]["spearman"] == pytest.approx(-1)
    (kept,) = rows["aum"]["kept"]
    assert (kept["images"], kept["overlap"]) == (5, 1)
    assert kept["instances"] == pytest.approx((5 + 6 + 7 + 8 + 9) / 45)
    assert "name" not in rows


def test_an_empty_cell_and_a_missing_row_are_no_score(annotations, tmp_path):
    scores = table(tmp_path / "scores.csv", image_id=[1, 2, 3], loss=[0.5, "", 0.25])
    assert compared(annotations, "--scores", scores)["loss"]["num_scored"] == 2


def test_parquet_and_equal_names(annotations, tmp_path):
    first = table(tmp_path / "first.csv", image_id=range(10), loss=range(10))
    second = tmp_path / "second.parquet"
    parquet.write_table(
        pa.table({"image_id": [str(i) for i in range(10)], "loss": -np.arange(10.0)}), second
    )
    rows = compared(annotations, "--scores", first, second, "--reference", "loss")
    assert rows["second.loss"]["spearman"] == pytest.approx(-1)


def test_names_that_are_taken_are_told_apart(annotations, tmp_path):
    tables = []
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        tables.append(table(tmp_path / folder / "run.csv", image_id=range(10), loss=range(10)))
    rows = compared(annotations, "--scores", *tables)
    assert {"loss", "run.loss", "run.loss (2)"} < set(rows)


FORMULAS = ["=1+1", "+5", "-5", "@x", "\tx", "'=1", "'x", 'ü,"\n']
NUMBERS = ["007", "1e3", "nan"]


@pytest.mark.parametrize("ids", [FORMULAS, NUMBERS, [-5, 10], [-5, "=1"]], ids=repr)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ids_are_read_back_as_they_were_written(annotations, tmp_path, ending, ids):
    document = json.loads(annotations.read_text())
    document["images"] = [
        {"id": name, "file_name": "i.jpg", "height": 40, "width": 40} for name in ids
    ]
    document["annotations"] = [
        {"id": i, "image_id": name, "category_id": 1, "segmentation": [SQUARE], "iscrowd": 0}
        for i, name in enumerate(ids)
    ]
    annotations.write_text(json.dumps(document))
    scores = tmp_path / f"scores.{ending}"
    assert main(["score", str(annotations), "-o", str(scores)]) == 0
    assert compared(annotations, "--scores", scores)["scores.scs"]["num_scored"] == len(ids)


def test_csv_has_one_row_a_scorer_and_rate(annotations, tmp_path):
    output = tmp_path / "table.csv"
    assert run(annotations, "-o", output, "--rates", 0.1, 0.9) == 0
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(SCORERS)
    assert [row["pruning_rate"] for row in rows[:2]] == ["0.1", "0.9"]


def write_table(folder, **columns):
    return ["--scores", table(folder / "scores.csv", **columns)]


def text(folder, content, name="scores.csv"):
    (folder / name).write_text(content)
    return folder / name


def existing(folder):
    return text(folder, "precious", "table.json")


def link(path, target):
    path.symlink_to(target)
    return path


def pipe(path):
    os.mkfifo(path)
    return path


WRONG = {
    "no such reference": (lambda folder: ["--reference", "aum"], "no scorer 'aum' to compare with"),
    "no image_id": (
        lambda folder: write_table(folder, image=[1], loss=[2]),
        "must have a column image_id, but none of its 2 columns is that",
    ),
    "images of another file": (
        lambda folder: write_table(folder, image_id=[1, 77], loss=[2, 3]),
        "not in the dataset, the first of them '77'",
    ),
    "an image twice": (
        lambda folder: write_table(folder, image_id=[1, 1], loss=[2, 3]),
        "names some of them twice",
    ),
    "no numbers": (
        lambda folder: write_table(folder, image_id=[1], name=["x"]),
        "no column of numbers",
    ),
    "no such table": (lambda folder: ["--scores", folder / "nowhere.csv"], "nowhere.csv"),
    "another ending": (
        lambda folder: ["--scores", folder / "ann.json"],
        "must end in .csv or .parquet",
    ),
    "an output of another ending": (
        lambda folder: ["-o", folder / "table.txt"],
        "must end in .json, .csv or .parquet",
    ),
    "an output that exists": (lambda folder: ["-o", existing(folder)], "exists"),
    "the input as output": (
        lambda folder: ["-o", folder / "ann.json", "--overwrite"],
        "is the file to read",
    ),
    "a table as output": (
        lambda folder: [*write_table(folder, image_id=[1], loss=[2]), "-o", folder / "scores.csv"],
        "is the file to read",
    ),
    "a column twice": (
        lambda folder: ["--scores", text(folder, "image_id,loss,loss\n1,2,3\n")],
        "several columns 'loss'",
    ),
    "no table": (
        lambda folder: ["--scores", text(folder, "image_id,loss\n1,2\nsecret\n")],
        "can't be read as a table: expected 2 columns, got 1",
    ),
    "an empty table": (lambda folder: ["--scores", text(folder, "")], "can't be read as a table"),
    "no Parquet": (
        lambda folder: ["--scores", text(folder, "secret", "scores.parquet")],
        "can't be read as a Parquet table",
    ),
    "a device as table": (
        lambda folder: ["--scores", link(folder / "zero.csv", "/dev/zero")],
        "zero.csv: expected a regular file",
    ),
    "a pipe as table": (
        lambda folder: ["--scores", pipe(folder / "pipe.csv")],
        "pipe.csv: expected a regular file",
    ),
    "a rate of 1": (lambda folder: ["--rates", 1], "1"),
}


@pytest.mark.parametrize("make, message", WRONG.values(), ids=WRONG)
def test_trouble_is_one_line(annotations, tmp_path, capsys, make, message):
    before = annotations.read_text()
    assert run(annotations, *make(tmp_path)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tfdp: error: ")
    assert message in line
    assert "secret" not in line
    assert annotations.read_text() == before
