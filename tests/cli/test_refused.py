"""Calls and files that a command refuses: one line that says why, and nothing written."""

import json
import os

import pytest

from tests.cli.running import read_csv, run, the_line, totals_of
from tests.sources.conftest import make_document, names_in

BAD_TOTALS = {
    "no JSON": "root:x:0:0",
    "an empty object": "{}",
    "a list": "[]",
    "a list of texts": '{"rasterizer": "coco", "class_totals": ["x"]}',
    "an object for a list": '{"rasterizer": "coco", "class_totals": {"1": 2}}',
    "a number for a rasterizer": '{"rasterizer": 5, "class_totals": []}',
    "NaN": totals_of(si_scs=float("nan")),
    "infinity": totals_of(si_scs=float("inf")),
    "more than a float holds": totals_of().replace("2.5", "1e999"),
    "a negative total": totals_of(si_scs=-1.0),
    "a text for a total": totals_of(si_scs="2.5"),
    "a truth for a total": totals_of(si_scs=True),
    "a negative number": totals_of(num_instances=-1),
    "a broken number": totals_of(num_instances=1.5),
    "a list for a category": totals_of(category=[1]),
    "a huge category": totals_of(category=10**400),
    "no category": totals_of().replace("category", "class"),
    "a category twice": totals_of().replace(
        "[{", '[{"category": 1, "si_scs": 1, "num_instances": 1}, {'
    ),
    "deep": "[" * 10**5 + "]" * 10**5,
    "half of a file": totals_of()[:-3],
    "no UTF-8": b"\xff\xfe\x00",
    "nothing": "",
}


@pytest.mark.parametrize("content", BAD_TOTALS.values(), ids=BAD_TOTALS)
def test_totals_that_are_none_are_refused(annotations, out, capsys, content):
    totals = annotations.with_name("totals.json")
    totals.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run("score", annotations, "-o", out / "i.csv", "--totals", totals) == 2
    line = the_line(capsys)
    assert f"{totals} holds no class totals of tfdp score --save-totals" in line
    assert "x:0" not in line
    assert names_in(out) == []


BAD_CALLS = {
    "no command": ([], "required: COMMAND"),
    "an unknown command": (["scores"], "invalid choice: 'scores'"),
    "no output": (["score", "{ann}"], "required: -o"),
    "no budget": (
        ["prune", "{ann}", "-o", "{out}/p.json"],
        "--rate --keep --threshold is required",
    ),
    "two budgets": (
        ["prune", "{ann}", "--rate", "0.5", "--keep", "1", "-o", "{out}/p.json"],
        "not allowed with",
    ),
    "a rate of 1": (
        ["prune", "{ann}", "--rate", "1", "-o", "{out}/p.json"],
        "less than 1, but got 1.0",
    ),
    "a rate below 0": (["prune", "{ann}", "--rate", "-0.1", "-o", "{out}/p.json"], "at least 0"),
    "a rate of NaN": (
        ["prune", "{ann}", "--rate", "nan", "-o", "{out}/p.json"],
        "but got nan",
    ),
    "more than there are": (
        ["prune", "{ann}", "--keep", "3", "-o", "{out}/p.json"],
        "keep must be 1 to 2",
    ),
    "too high a floor": (
        ["prune", "{ann}", "--keep", "1", "--min-per-class", "2", "-o", "{out}/p.json"],
        "min_per_class",
    ),
    "an unknown scorer": (
        ["prune", "{ann}", "--keep", "1", "--scorer", "x", "-o", "{out}/p.json"],
        "unknown scorer 'x'; choose one of cb_scs",
    ),
    "no file": (["score", "{ann}.none", "-o", "{out}/i.csv"], "ann.json.none: No such file"),
    "a folder": (["score", "{out}", "-o", "{out}/i.csv"], "has no format that is known: expected"),
    "an unknown ending": (["score", "{ann}", "-o", "{out}/i.xlsx"], "must end in .csv or .parquet"),
    "no folder": (["score", "{ann}", "-o", "{out}/none/i.csv"], "there is no folder"),
    "two outputs of one name": (
        ["score", "{ann}", "-o", "{out}/i.csv", "--instances", "{out}/i.csv"],
        "two outputs have one name",
    ),
    "the input as output": (
        ["prune", "{ann}", "--keep", "1", "-o", "{ann}", "--overwrite"],
        "is the file to read",
    ),
    "an image as report": (
        [
            "prune",
            "{ann}",
            "--keep",
            "1",
            "-o",
            "{out}/p.json",
            "--images",
            "copy",
            "--image-dir",
            "{folder}/photos",
            "--report",
            "{out}/images/b.json",
        ],
        "there is no folder",
    ),
    "missing images": (
        [
            "prune",
            "{ann}",
            "--keep",
            "1",
            "-o",
            "{out}/p.json",
            "--images",
            "copy",
            "--report",
            "{out}/r.json",
        ],
        "1 of 1 images are not in",
    ),
}


@pytest.mark.parametrize("arguments, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_a_bad_call_is_one_line_and_exit_2(annotations, out, capsys, arguments, message):
    before = annotations.read_bytes()
    filled = [
        argument.format(ann=annotations, out=out, folder=out.parent) for argument in arguments
    ]
    try:
        code = run(*filled)
    except SystemExit as stopped:  # argparse's own way out
        code = stopped.code
    assert code == 2
    assert message in the_line(capsys)
    assert names_in(out) == []
    assert annotations.read_bytes() == before


def test_a_damaged_file_is_one_line_and_no_output(annotations, out, capsys):
    annotations.write_text(annotations.read_text()[:-5])
    assert run("score", annotations, "-o", out / "i.csv", "--instances", out / "n.csv") == 2
    assert f"{annotations} is not JSON: it is cut off" in the_line(capsys)
    assert names_in(out) == []


def test_outputs_are_replaced_only_when_asked(annotations, out, capsys):
    (out / "i.csv").write_text("precious")
    assert run("score", annotations, "-o", out / "i.csv") == 2
    assert "i.csv exists" in the_line(capsys)
    assert (out / "i.csv").read_text() == "precious"
    assert run("score", annotations, "-o", out / "i.csv", "--overwrite") == 0
    assert "image_id" in read_csv(out / "i.csv")[0]


def test_a_line_break_in_a_name_does_not_make_a_second_line(annotations, out, capsys):
    assert run("score", annotations.with_name("a\nb.json"), "-o", out / "i.csv") == 2
    assert "No such file" in the_line(capsys)


@pytest.fixture
def names(annotations):
    """Other names of the input, and totals of it."""
    folder = annotations.parent
    (folder / "link.csv").symlink_to("ann.json")
    os.link(annotations, folder / "hard.csv")
    (folder / "alias").symlink_to(folder)
    (folder / "t.json").write_text(totals_of())
    (folder / "a.csv").write_text("precious")
    (folder / "b.csv").symlink_to("a.csv")
    return folder


SCORE = ["score", "ann.json", "--overwrite"]
PRUNE = ["prune", "ann.json", "--overwrite", "--keep", "1"]
OVER_INPUTS = {
    "a link": [*SCORE, "-o", "link.csv"],
    "a hard link": [*SCORE, "-o", "new.csv", "--instances", "hard.csv"],
    "totals": [*SCORE, "-o", "new.csv", "--save-totals", "ann.json"],
    "through a folder": [*SCORE, "-o", "new.csv", "--save-totals", "alias/ann.json"],
    "another spelling": [*SCORE, "-o", "new.csv", "--save-totals", "./alias//./ann.json"],
    "the totals read": [*SCORE, "-o", "new.csv", "--totals", "t.json", "--save-totals", "t.json"],
    "a second file": ["score", "t.json", *SCORE[1:], "-o", "new.csv", "--save-totals", "t.json"],
    "a list of what is skipped": [*SCORE, "-o", "new.csv", "--skipped", "link.csv"],
    "a report": [*PRUNE, "-o", "new.json", "--report", "ann.json"],
    "a subset": [*PRUNE, "-o", "alias/ann.json"],
}
OVER_OUTPUTS = {
    "one name": [*SCORE, "-o", "new.csv", "--instances", "new.csv"],
    "two spellings": [*SCORE, "-o", "new.csv", "--instances", "alias/new.csv"],
    "a link": [*SCORE, "-o", "a.csv", "--instances", "b.csv"],
    "of two kinds": [*SCORE, "-o", "a.csv", "--skipped", "alias/a.csv"],
    "subset and report": [*PRUNE, "-o", "new.json", "--report", "alias/new.json"],
}


def refused(names, arguments, capsys, monkeypatch):
    monkeypatch.chdir(names)
    before = {path.name: path.read_bytes() for path in names.iterdir() if path.is_file()}
    assert run(*arguments) == 2
    assert {path.name: path.read_bytes() for path in names.iterdir() if path.is_file()} == before
    return the_line(capsys)


@pytest.mark.parametrize("arguments", OVER_INPUTS.values(), ids=OVER_INPUTS)
def test_no_output_is_an_input(names, capsys, monkeypatch, arguments):
    assert "is the file to read" in refused(names, arguments, capsys, monkeypatch)


@pytest.mark.parametrize("arguments", OVER_OUTPUTS.values(), ids=OVER_OUTPUTS)
def test_no_output_is_another(names, capsys, monkeypatch, arguments):
    assert "two outputs have one name" in refused(names, arguments, capsys, monkeypatch)


def test_no_output_is_in_the_place_of_an_image(annotations, out, capsys):
    (out / "images").mkdir()
    document = make_document()
    for image, name in zip(document["images"], ("a.jpg", "b.json", "c.jpg"), strict=True):
        image["file_name"] = name
        (annotations.parent / name).write_text(name)
    annotations.write_text(json.dumps(document))
    options = ("--images", "copy", "--image-dir", annotations.parent, "--overwrite")
    outputs = ("-o", out / "p.json", "--report", out / "images" / "b.json")
    assert run("prune", annotations, "--keep", 1, *outputs, *options) == 2
    assert "two outputs would be" in the_line(capsys)
    assert names_in(out) == ["images"]
    assert names_in(out / "images") == []
