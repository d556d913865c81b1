"""Commands on datasets of other formats than COCO."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.cli.running import read_csv, run, the_line
from tests.sources.conftest import make_document
from tests.sources.label_folders import draw, save_png


@pytest.fixture
def year(tmp_path):
    """Three images of VOC, of which the second is damaged."""
    year = tmp_path / "VOC2012"
    for stem, side in (("2007_1", 9), ("2007_2", 12), ("2007_3", 21)):
        for kind, value in (("SegmentationObject", 1), ("SegmentationClass", 15)):
            save_png(year / kind / f"{stem}.png", draw(60, 80, (value, 5, 5, side, side)))
    (year / "SegmentationClass" / "2007_2.png").write_bytes(b"")
    lists = year / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2007_3\n")
    return year


def test_score_writes_the_ids_of_a_folder(year, tmp_path, capsys):
    out = tmp_path / "out.parquet"
    instances, skipped = tmp_path / "instances.csv", tmp_path / "skipped.csv"
    assert run("score", year, "-o", out, "--instances", instances, "--skipped", skipped) == 0
    table = pq.read_table(out)
    assert table["image_id"].to_pylist() == ["2007_1", "2007_2", "2007_3"]
    assert table["file_name"].to_pylist() == ["2007_1.jpg", "2007_2.jpg", "2007_3.jpg"]
    np.testing.assert_allclose(table["cb_scs"].to_pylist()[::2], [0.5, 0.5])
    assert [row[0] for row in read_csv(instances)] == ["annotation_id", "2007_1#1", "2007_3#1"]
    assert [row[:3] for row in read_csv(skipped)[1:]] == [["image", "2007_2", "mask_unreadable"]]
    said = capsys.readouterr().out
    assert "2 instances of 1 classes scored in 2 of 3 images" in said
    assert "1 image: mask_unreadable (id 2007_2)" in said


def test_score_of_a_split_and_a_format(year, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert run("score", year, "--format", "voc", "--split", "train", "-o", out) == 0
    assert [row[0] for row in read_csv(out)] == ["image_id", "2007_3"]
    capsys.readouterr()
    assert run("score", year, "--format", "yolo", "-o", tmp_path / "other.csv") == 2
    assert f"{year} has no data.yaml" in the_line(capsys)


def test_compare_takes_any_format(year, tmp_path, capsys):
    assert run("compare", year, "-o", tmp_path / "table.json") == 0
    rows = json.loads((tmp_path / "table.json").read_text())
    assert "cb_scs" in json.dumps(rows)


def test_nothing_in_a_folder_that_is_read_is_replaced(year, tmp_path, capsys):
    table = year / "mine.csv"
    assert run("score", year, "-o", table) == 0
    before = table.read_bytes()
    (tmp_path / "alias").symlink_to(year)
    capsys.readouterr()
    for path in (table, tmp_path / "alias" / "mine.csv"):
        assert run("score", year, "--overwrite", "-o", path) == 2
        assert "is in a folder to read; choose another name" in the_line(capsys)
    assert table.read_bytes() == before


# --- prune


def prune(*arguments):
    return run("prune", *arguments, "--keep", 1, "--scorer", "scs")


def test_prune_writes_the_ids_that_are_kept(year, tmp_path, capsys):
    out, report = tmp_path / "kept.txt", tmp_path / "report.json"
    assert prune(year, "-o", out, "--report", report) == 0
    assert out.read_bytes() == b"2007_1\n"
    assert json.loads(report.read_text())["keep_ids"] == ["2007_1"]
    assert f"written to {out}" in capsys.readouterr().out
    assert run("prune", year, "--keep", 1, "--unannotated", "keep", "-o", out, "--overwrite") == 0
    assert out.read_bytes() == b"2007_1\n2007_2\n"


def test_the_ids_that_are_kept_are_a_split(year, tmp_path):
    lists = year / "ImageSets" / "Segmentation"
    assert prune(year, "-o", lists / "kept.txt") == 0
    assert run("score", year, "--split", "kept", "-o", tmp_path / "i.csv") == 0
    assert [row[0] for row in read_csv(tmp_path / "i.csv")] == ["image_id", "2007_1"]


def test_prune_writes_the_ids_of_a_coco_file_too(tmp_path):
    annotations = tmp_path / "ann.json"
    annotations.write_text(json.dumps(make_document()))
    assert prune(annotations, "-o", tmp_path / "kept.txt") == 0
    assert prune(annotations, "-o", tmp_path / "kept.json") == 0
    (kept,) = json.loads((tmp_path / "kept.json").read_text())["images"]
    assert (tmp_path / "kept.txt").read_text() == f"{kept['id']}\n"


def test_no_pruned_file_of_another_format_is_written(year, tmp_path, capsys):
    assert prune(year, "-o", tmp_path / "kept.json") == 2
    line = the_line(capsys)
    assert f"{year} is Pascal VOC, of which no pruned file is written; end" in line
    assert "kept.json in .txt for the ids" in line


def test_images_go_with_a_pruned_file_alone(year, tmp_path, capsys):
    assert prune(year, "-o", tmp_path / "kept.txt", "--images", "copy") == 2
    assert "--images goes with a pruned COCO file" in the_line(capsys)


def test_an_output_of_another_ending_is_refused(year, tmp_path, capsys):
    assert prune(year, "-o", tmp_path / "kept.csv") == 2
    assert "kept.csv must end in .json or .txt" in the_line(capsys)


def test_an_id_that_is_no_line_is_refused(tmp_path, capsys):
    document = make_document()
    annotations = tmp_path / "ann.json"
    annotations.write_text(json.dumps(document).replace("20,", r'"a\nb",'))
    assert prune(annotations, "-o", tmp_path / "kept.txt") == 2
    assert r"the image id 'a\nb' is no line" in the_line(capsys)
    assert not (tmp_path / "kept.txt").exists()


def test_no_label_is_replaced_by_ids(year, tmp_path, capsys):
    label = year / "ImageSets" / "Segmentation" / "train.txt"
    before = label.read_bytes()
    assert prune(year, "-o", label, "--overwrite") == 2
    assert "is in a folder to read" in the_line(capsys)
    assert label.read_bytes() == before


def test_a_folder_is_no_coco_file(year, tmp_path, capsys):
    assert run("score", year, "--format", "coco", "-o", tmp_path / "i.csv") == 2
    assert f"{year} is a folder, but COCO is a JSON file" in the_line(capsys)
