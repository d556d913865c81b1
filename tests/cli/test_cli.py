"""The command line: files in, files out, and one line where it cannot be."""

import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

import tfdp
from tests.sources.conftest import make_document, names_in
from tfdp.cli import main

IMAGE_COLUMNS = ["image_id", "file_name", "num_instances", "scs", "si_scs", "cb_scs"]
INSTANCE_COLUMNS = [
    "annotation_id",
    "image_id",
    "category_id",
    "area",
    "perimeter",
    "scs",
    "si_scs",
    "cb_scs",
]


@pytest.fixture
def annotations(tmp_path):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(make_document()))
    return path


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def run(*arguments):
    return main([str(argument) for argument in arguments])


def run_process(*arguments, **options):
    code = "import sys; from tfdp.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def the_line(capsys):
    """The one line on stderr."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("tfdp")
    return captured.err


def test_score_writes_the_columns_in_order(annotations, out, capsys):
    assert run("score", annotations, "-o", out / "images.csv", "--instances", out / "n.csv") == 0
    scores = tfdp.score_coco(annotations)
    header, *rows = read_csv(out / "images.csv")
    assert header == IMAGE_COLUMNS
    assert [row[0] for row in rows] == ["10", "20", "30"]
    assert [float(row[5]) for row in rows[:2]] == scores.images.cb_scs[:2].tolist()
    assert rows[2] == ["30", "c.jpg", "0", "", "", ""]
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
    assert [float(row[5]) for row in second[1:3]] == [float(row[5]) / 2 for row in first[1:3]]

    capsys.readouterr()
    again = ("score", annotations, "-o", out / "3.csv", "--totals", totals)
    assert run(*again, "--rasterizer", "opencv") == 2
    assert "of the rasterizer 'coco'" in the_line(capsys)


def totals_of(**changes):
    row = {"category": 1, "si_scs": 2.5, "num_instances": 2, **changes}
    return json.dumps({"rasterizer": "coco", "class_totals": [row]})


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
        "invalid choice: 'x'",
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
    assert read_csv(out / "i.csv")[0] == IMAGE_COLUMNS


def test_a_line_break_in_a_name_does_not_make_a_second_line(annotations, out, capsys):
    assert run("score", annotations.with_name("a\nb.json"), "-o", out / "i.csv") == 2
    assert "No such file" in the_line(capsys)


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"tfdp {tfdp.__version__}\n"


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


@pytest.mark.parametrize("command", ["score", "prune"])
def test_a_full_disk_leaves_nothing_half_written(annotations, out, command):
    outputs = {
        "score": ["-o", out / "i.csv", "--instances", out / "n.parquet"],
        "prune": ["--keep", 1, "-o", out / "p.json", "--report", out / "r.json"],
    }
    # as full as a disk can be made without being root: no file may grow beyond 200 bytes
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = run_process(
        command, annotations, *outputs[command], preexec_fn=limit_file_size, env=environment
    )
    assert done.returncode == 2
    assert done.stderr == f"tfdp: error: {outputs[command][-1]}: File too large\n"
    assert names_in(out) == []


def test_a_summary_that_cannot_be_written_is_an_error(annotations, out):
    code = "import sys; from tfdp.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "score", annotations, "-o", out / "i.csv"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "tfdp: error: No space left on device\n"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*command, "--overwrite"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def odd(tmp_path):
    """What is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["pipe", "zero", "folder"])
@pytest.mark.parametrize("command", ["score", "prune", "compare", "totals"])
def test_only_regular_files_are_read(annotations, odd, out, capsys, command, name):
    calls = {
        "score": ["score", odd / name, "-o", out / "i.csv"],
        "prune": ["prune", odd / name, "--rate", 0.5, "-o", out / "p.json"],
        "compare": ["compare", odd / name],
        "totals": ["score", annotations, "-o", out / "i.csv", "--totals", odd / name],
    }
    assert run(*calls[command]) == 2
    reason = ": expected a regular file"
    if name == "folder":
        reason = ": Is a directory" if command == "totals" else " has no format that is known"
    assert f"{odd / name}{reason}" in the_line(capsys)


@pytest.mark.parametrize("content", ["root:x:0:0", '"root', "{root: 1}", '{"a": root}', "[1] root"])
def test_what_stands_in_a_file_that_is_no_json_is_not_told(annotations, out, capsys, content):
    annotations.write_text(content)
    assert run("score", annotations, "-o", out / "i.csv") == 2
    assert "root" not in the_line(capsys).replace(str(annotations), "")


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


def run_closed(numbers, *arguments):
    """A command whose caller has closed some of stdin, stdout and stderr."""
    code = "import os, sys; [os.close(number) for number in map(int, sys.argv[1])]\n"
    code += "os.execv(sys.executable, [sys.executable, '-c', sys.argv[2], *sys.argv[3:]])"
    command = "import sys; from tfdp.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, numbers, command, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("numbers", ["1", "2", "12", "012"])
def test_closed_streams_are_no_error(annotations, out, numbers):
    done = run_closed(numbers, "score", annotations, "-o", out / "i.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row[0] for row in read_csv(out / "i.csv")] == ["image_id", "10", "20", "30"]
    done = run_closed(numbers, "score", out / "none.json", "-o", out / "2.csv")
    assert done.returncode == 2
    assert names_in(out) == ["i.csv"]


def test_a_name_that_is_no_utf8_is_reported(annotations, out):
    odd = annotations.with_name(os.fsdecode(b"\xff.json"))
    annotations.rename(odd)
    assert run("prune", odd, "--rate", 0.5, "-o", out / "p.json", "--report", out / "r.json") == 0
    assert "?.json" in (out / "r.json").read_text(encoding="utf-8")
