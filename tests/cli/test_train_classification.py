"""`tfdp train-score --task classification` on files."""

import json
import shutil

import pytest

from tests.cli.running import read_csv, run, the_line

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.digits import write_digits  # noqa: E402

WORDS = [
    "--weights",
    "none",
    "--image-size",
    32,
    "--batch-size",
    16,
    "--no-flips",
    "--device",
    "cpu",
]


def train(path, *words):
    return run("train-score", "--task", "classification", path, *WORDS, *words)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("digits"), 0, 60)


def test_a_folder_becomes_a_table(digits, tmp_path, capsys):
    images = shutil.copytree(digits, tmp_path / "set")
    (images / "0" / "damaged.png").write_text("no image")
    next(images.glob("1/*")).rename(images / "stray.png")
    outputs = ["--log", tmp_path / "log", "-o", tmp_path / "i.csv", "--skipped", tmp_path / "s.csv"]
    assert train(images, "--epochs", 2, "--scores", "dyn_unc", "aum", *outputs) == 0
    header, *rows = read_csv(tmp_path / "i.csv")
    assert header == ["image_id", "dyn_unc", "aum"]
    assert len(rows) == 61
    assert [row[0] for row in rows if row[1] == ""] == ["0/damaged.png", "stray.png"]
    reasons = [row[2] for row in read_csv(tmp_path / "s.csv")[1:]]
    assert reasons == ["unreadable_image", "no_class"]
    assert "1 no_class" in capsys.readouterr().err


@pytest.fixture
def table(digits, tmp_path):
    """The digits as a table with ids and other names of the classes, and one that is missing."""
    images = sorted(path.relative_to(digits) for path in digits.glob("*/*.png"))
    rows = [f"{number},{name},digit {name.parent}" for number, name in enumerate(images)]
    path = tmp_path / "digits.csv"
    path.write_text("\n".join(["image_id,file_name,label", *rows, "60,3/none.png,digit 3", ""]))
    return path


def test_the_kept_part_is_trained_on_and_the_rest_is_the_test(digits, table, tmp_path, capsys):
    (tmp_path / "kept.txt").write_text("".join(f"{k}\n" for k in range(0, 60, 2)))
    inputs = ["--images", digits, "--keep", tmp_path / "kept.txt", "--test", digits]
    outputs = ["--log", tmp_path / "log", "-o", tmp_path / "i.csv", "--report", tmp_path / "r.json"]
    assert train(table, *inputs, "--epochs", 2, *outputs) == 0
    assert [row[0] for row in read_csv(tmp_path / "i.csv")[1:]] == [str(k) for k in range(0, 60, 2)]
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["trained_images"], report["images"]) == (30, 60)
    assert report["per_class"] == {str(k): 0 for k in range(10)}  # they are called "digit 0" here
    assert "top-1 0.00% of 60 test images" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, message",
    [
        (
            ["--region", "mask"],
            "--region mask (see tfdp train-score --task classification --help)",
        ),
        (["--instances", "n.csv"], "unrecognized arguments: --instances n.csv"),
        (["--format", "coco"], "unrecognized arguments: --format coco"),
        (["--images", "nowhere"], "--images must be the folder of the images"),
        (["--report", "r.json"], "--report tells of the images of --test"),
        (["--epochs", 0, "--test", "."], "--test needs a trained network"),
        (["--keep", "nowhere.txt"], "No such file or directory"),
        (["--test", "nowhere"], "expected a folder with one folder a class, or a table"),
        (["--model", "vgg16"], "expected a model of convnext_base"),
        (["--preset", "1x"], "invalid choice: '1x'"),
        (["--task", "detection"], "invalid choice: 'detection'"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(digits, tmp_path, capfd, words, message):
    log, table = tmp_path / "log", tmp_path / "i.csv"
    try:
        status = train(digits, "--log", log, "-o", table, *words)
    except SystemExit as end:  # as argparse ends
        status = end.code
    assert status == 2
    assert message in capfd.readouterr().err.splitlines()[-1]
    assert not list(log.glob("*.json"))
    assert not table.exists()


def test_masks_have_their_own_options(annotations, tmp_path, capfd):
    with pytest.raises(SystemExit):
        run("train-score", annotations, "--crops", "--log", tmp_path, "-o", tmp_path / "i.csv")
    assert "--images" in capfd.readouterr().err
    with pytest.raises(SystemExit):
        run("train-score", annotations, "--images", tmp_path, "--crops", "--log", tmp_path, "-o", tmp_path / "i.csv")  # fmt: skip
    assert "--crops (see tfdp train-score --task segmentation --help)" in capfd.readouterr().err


@pytest.mark.parametrize("task, own", [("classification", "--crops"), ("segmentation", "--region")])
def test_each_task_has_its_help(capsys, task, own):
    helps = {}
    for name in ("classification", "segmentation"):
        with pytest.raises(SystemExit):
            run("train-score", "--help", f"--task={name}")
        helps[name] = capsys.readouterr().out
    assert [name for name, text in helps.items() if own in text] == [task]
    assert "--learning-rate" in helps[task]


def test_one_class_is_none(digits, tmp_path, capsys):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "0").symlink_to(digits / "0")
    assert train(tmp_path / "set", "--log", tmp_path / "log", "-o", tmp_path / "i.csv") == 2
    assert "expected images of two classes or more" in the_line(capsys)


def test_a_table_of_scores_prunes_its_images(digits, tmp_path, capsys):
    names = sorted(path.relative_to(digits).as_posix() for path in digits.glob("*/*.png"))
    scores = tmp_path / "scores.csv"
    rows = [f"{name},{k},{-k}" for k, name in enumerate(names) if k]
    scores.write_text("\n".join(["image_id,dyn_unc,aum", *rows, ""]))
    words = ["prune", "--task", "classification", digits, "--keep", 20, "--scores", scores]
    for scorer in ("dyn_unc", "aum"):  # the highest are kept, and of AUM the lowest
        kept, report = tmp_path / f"{scorer}.txt", tmp_path / f"{scorer}.json"
        assert run(*words, "--scorer", scorer, "-o", kept, "--report", report) == 0
        assert kept.read_text().splitlines() == names[-20:]
        told = json.loads(report.read_text())
        assert (told["before"]["images"], told["after"]["images"]) == (60, 20)
        assert told["after"]["instances_per_class"]["9"] == 6
    assert "images" in capsys.readouterr().out
    floor = tmp_path / "floor.txt"
    assert run(*words, "--scorer", "aum", "--min-per-class", 2, "-o", floor) == 0
    assert {name[0] for name in floor.read_text().split()} == set("0123456789")


def test_images_of_classes_are_pruned_without_a_table(digits, tmp_path):
    words = ["prune", "--task", "classification", digits, "--rate", 0.5, "--scorer"]
    for seed in (0, 1):
        assert run(*words, "random", "--seed", seed, "-o", tmp_path / f"{seed}.txt") == 0
    kept = [set((tmp_path / f"{seed}.txt").read_text().split()) for seed in (0, 1)]
    assert [len(ids) for ids in kept] == [30, 30]
    assert kept[0] != kept[1]
    assert run(*words, "inverse_frequency", "-o", tmp_path / "rare.txt") == 0


@pytest.mark.parametrize(
    "words, message",
    [
        (["--scorer", "dyn_unc"], "'dyn_unc' needs a trained model: give the table of scores"),
        ([], "unknown scorer 'cb_scs'; choose one of random, inverse_frequency"),
        (["--totals", "t.json"], "unrecognized arguments: --totals t.json"),
        (["--image-dir", "."], "unrecognized arguments: --image-dir ."),
        (["-o", "kept.json"], "kept.json must end in .txt"),
    ],
)
def test_a_pruning_that_cannot_be_is_refused(digits, tmp_path, capfd, words, message):
    kept = tmp_path / "kept.txt"
    try:
        status = run("prune", digits, "--task", "classification", "--rate", 0.5, "-o", kept, *words)
    except SystemExit as end:  # as argparse ends
        status = end.code
    assert status == 2
    assert message in capfd.readouterr().err.splitlines()[-1]
    assert not kept.exists()
