"""The command line: files in, files out."""

import csv
import json

import pytest
from pyarrow import parquet

import tfdp
from tests.cli.running import read_csv, run, the_line
from tests.sources.conftest import make_document, names_in
from tfdp.cli import main

IMAGE_COLUMNS = ["image_id", "file_name", "num_instances", "scs", "si_scs", "cb_scs", "cb_only"]
INSTANCE_COLUMNS = [
    "annotation_id",
    "image_id",
    "category_id",
    "area",
    "perimeter",
    "scs",
    "si_scs",
    "cb_scs",
    "cb_only",
]


def test_score_writes_the_columns_in_order(annotations, out, capsys):
    assert run("score", annotations, "-o", out / "images.csv", "--instances", out / "n.csv") == 0
    scores = tfdp.score_coco(annotations)
    header, *rows = read_csv(out / "images.csv")
    assert header == IMAGE_COLUMNS
    assert [row[0] for row in rows] == ["10", "20", "30"]
    assert [float(row[5]) for row in rows[:2]] == scores.images.cb_scs[:2].tolist()
    assert rows[2] == ["30", "c.jpg", "0", "", "", "", ""]
    header, *rows = read_csv(out / "n.csv")
    assert header == INSTANCE_COLUMNS
    assert [row[0] for row in rows] == ["1", "2", "3"]
    said = capsys.readouterr().out
    assert "3 instances of 2 classes scored in 2 of 3 images (rasterizer coco)" in said
    assert "1 annotation: crowd (id 4)" in said
    assert names_in(out) == ["images.csv", "n.csv"]


def test_score_writes_parquet_with_the_same_values(annotations, out):
    assert run("score", annotations, "-o", out / "i.parquet", "--instances", out / "n.PARQUET") == 0
    scores = tfdp.score_coco(annotations)
    images, instances = parquet.read_table(out / "i.parquet"), parquet.read_table(out / "n.PARQUET")
    assert images.column_names == IMAGE_COLUMNS
    assert instances.column_names == INSTANCE_COLUMNS
    assert images["cb_scs"].to_pylist() == [*scores.images.cb_scs[:2].tolist(), None]
    assert instances["si_scs"].to_pylist() == scores.instances.si_scs.tolist()


def test_score_of_several_files_is_of_their_union(annotations, out):
    other = json.loads(
        annotations.read_text().replace('"id": ', '"id": 7').replace('image_id": ', 'image_id": 7')
    )
    other["categories"] = make_document()["categories"]
    second = annotations.with_name("second.json")
    second.write_text(json.dumps(other).replace('category_id": 7', 'category_id": '))
    assert run("score", annotations, second, "-o", out / "i.csv") == 0
    assert [row[0] for row in read_csv(out / "i.csv")[1:]] == [
        "10",
        "20",
        "30",
        "710",
        "720",
        "730",
    ]


def test_ids_of_mixed_kinds_are_written_as_text(annotations, out):
    document = make_document()
    document["images"][2]["id"] = "x,1"
    document["images"][2]["file_name"] = 'a "b",\n.jpg'
    annotations.write_text(json.dumps(document))
    assert run("score", annotations, "-o", out / "i.csv") == 0
    rows = read_csv(out / "i.csv")
    assert [row[0] for row in rows[1:]] == ["10", "20", "x,1"]
    assert rows[3][1] == 'a "b",\n.jpg'


def test_saved_totals_are_started_from(annotations, out, capsys):
    totals = out / "totals.json"
    assert run("score", annotations, "-o", out / "1.csv", "--save-totals", totals) == 0
    assert run("score", annotations, "-o", out / "2.csv", "--totals", totals) == 0
    first, second = read_csv(out / "1.csv"), read_csv(out / "2.csv")
    for column in (5, 6):  # cb_scs and cb_only
        halves = [float(row[column]) / 2 for row in first[1:3]]
        assert [float(row[column]) for row in second[1:3]] == halves

    capsys.readouterr()
    again = ("score", annotations, "-o", out / "3.csv", "--totals", totals)
    assert run(*again, "--rasterizer", "opencv") == 2
    assert "of the rasterizer 'coco'" in the_line(capsys)


def test_prune_writes_the_subset_and_the_report(annotations, out, capsys):
    arguments = ("--keep", 1, "-o", out / "p.json", "--report", out / "r.json")
    assert run("prune", annotations, *arguments) == 0
    subset = json.loads((out / "p.json").read_text())
    assert [image["id"] for image in subset["images"]] == [20]
    assert [a["id"] for a in subset["annotations"]] == [2, 3, 4]
    report = json.loads((out / "r.json").read_text())
    assert report["keep_ids"] == [20]
    assert report["criteria"]["keep"] == 1
    assert report["before"]["instances"] == 3
    assert report["after"]["instances"] == 2
    assert report["skipped"] == [{"kind": "annotation", "id": 4, "reason": "crowd", "detail": ""}]
    table = capsys.readouterr().out
    assert "instances                        3         2    66.7%" in table
    assert "  cat                            2         1    50.0%" in table


@pytest.mark.parametrize(
    "options, kept",
    [
        (["--rate", 0.5], [20]),
        (["--rate", 0], [10, 20]),
        (["--rate", 0.5, "--unannotated", "keep"], [20, 30]),
        (["--threshold", 0.4], [10, 20]),
        (["--keep", 1, "--scorer", "inverse_frequency"], [20]),
        (["--keep", 1, "--policy", "stratified", "--beta", 0.5], [10]),
        (["--keep", 2, "--min-per-class", 2, "--policy", "random", "--seed", 3], [10, 20]),
    ],
)
def test_prune_keeps_what_is_asked_for(annotations, out, options, kept):
    assert run("prune", annotations, *options, "-o", out / "p.json") == 0
    images = json.loads((out / "p.json").read_text())["images"]
    assert [image["id"] for image in images] == kept


def test_prune_places_images(annotations, out):
    for name in ("a.jpg", "b.jpg"):
        (annotations.parent / name).write_text(name)
    options = ("--keep", 1, "--images", "copy", "--image-dir", annotations.parent)
    assert run("prune", annotations, *options, "-o", out / "p.json") == 0
    assert names_in(out / "images") == ["b.jpg"]


def test_all_that_was_skipped_can_be_listed(annotations, out, capsys):
    document = make_document()
    document["annotations"] += [
        {"id": 100 + i, "image_id": 77, "category_id": 1, "segmentation": []} for i in range(9)
    ]
    document["annotations"].append({"id": "=1+1", "image_id": 10, "category_id": 1, "iscrowd": 1})
    document["annotations"].append({"image_id": 10, "category_id": 1})
    annotations.write_text(json.dumps(document))
    scored = ("score", annotations, "-o", out / "i.csv", "--skipped", out / "s.csv")
    assert run(*scored) == 0
    pruned = ("prune", annotations, "--rate", 0, "-o", out / "p.json")
    assert run(*pruned, "--skipped", out / "s.parquet") == 0
    skipped = [item._asdict() for item in tfdp.score_coco(annotations).skipped]
    expected = [{**item, "id": None if item["id"] is None else str(item["id"])} for item in skipped]
    assert len(expected) == 12
    assert parquet.read_table(out / "s.parquet").to_pylist() == expected
    with (out / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["reason"] for row in rows] == [item["reason"] for item in expected]
    assert [row["id"] for row in rows][-2:] == ["'=1+1", ""]
    assert "all of them: --skipped FILE" in capsys.readouterr().out


def test_that_nothing_was_skipped_can_be_listed(annotations, out):
    document = make_document()
    del document["annotations"][3]
    annotations.write_text(json.dumps(document))
    for name in ("s.csv", "s.parquet"):
        options = ("--skipped", out / name, "--overwrite")
        assert run("score", annotations, "-o", out / "i.csv", *options) == 0
    assert read_csv(out / "s.csv") == [["kind", "id", "reason", "detail"]]
    assert parquet.read_table(out / "s.parquet").num_rows == 0


def test_no_cell_is_a_formula(annotations, out):
    document = make_document()
    names = ["=HYPERLINK(1)", "@SUM(1)", "-1+1"]
    for image, name in zip(document["images"], names, strict=True):
        image["file_name"] = name
        image["id"] -= 100
    for annotation in document["annotations"]:
        annotation["image_id"] -= 100
    annotations.write_text(json.dumps(document))
    assert run("score", annotations, "-o", out / "i.csv") == 0
    rows = read_csv(out / "i.csv")[1:]
    assert [row[1] for row in rows] == ["'" + name for name in names]
    assert [row[0] for row in rows] == ["-90", "-80", "-70"]  # a number is none
    assert run("score", annotations, "-o", out / "i.parquet") == 0
    assert parquet.read_table(out / "i.parquet")["file_name"].to_pylist() == names


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"tfdp {tfdp.__version__}\n"
