"""Commands that are killed, stopped, short of disk, or run twice at once."""

from __future__ import annotations

import shutil
import signal
import subprocess
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from demo.draw import draw_dataset
from tests.cli.stopped_commands import read, serve_commands
from tests.models.conftest import write_toy_dataset

STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SERVER = ["tfdp.models.segmentation"]  # to load once for all children
PAGE = 4096  # bytes that a disk gives at a time
FULL = ("No space left on device", "File too large")


class Case(NamedTuple):
    """A command, what is there before it, what after it, and its steps on the disk."""

    arguments: list
    before: dict
    after: dict
    steps: int


def check_refused(done):
    """One line that says what is wrong, and the exit status of bad input."""
    assert done["status"] == 2, done
    last = done["stderr"].splitlines()[-1]
    assert last.startswith("tfdp: error: "), done
    assert len(last) < 1000
    assert "Traceback" not in done["stderr"]


def check_nothing_staged(folder):
    assert not [path for path in folder.rglob(".*") if path.name.endswith(".tfdp")]


def count_pages(content):
    return sum(-(-len(data or b"") // PAGE) for data in content.values())


@contextmanager
def mounted(folder, pages):
    """A disk of so many pages on a folder; gives whether this user may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={pages * PAGE}", "tmpfs", folder]
    may = bool(shutil.which("mount")) and not subprocess.run(command, check=False).returncode
    try:
        yield may
    finally:
        if may:
            subprocess.run(["umount", folder], check=True)


class Commands:
    """The commands on drawn data, in a folder of their own."""

    def __init__(self, folder, closing):
        self.out, self.log, self.odd = folder / "out", folder / "log", folder / "odd"
        (folder / "toy").mkdir(parents=True)
        self.annotations = draw_dataset(folder / "coco", num_images=12)
        self.toy = write_toy_dataset(folder / "toy", images=2)
        self.sources = [folder / "coco", folder / "toy"]
        self.inputs = [read(source) for source in self.sources]
        first = [self.annotations, "-o", folder / "first.csv"]
        self.run, self.run_all = closing.enter_context(serve_commands(folder, first, SERVER))

    def score(self, *more, annotations=None):
        outputs = ["-o", self.out / "i.csv", "--instances", self.out / "n.csv"]
        outputs += ["--save-totals", self.out / "t.json", "--skipped", self.out / "s.csv"]
        return ["score", annotations or self.annotations, *outputs, *more]

    def prune(self, *more, annotations=None):
        outputs = ["-o", self.out / "p.json", "--report", self.out / "more" / "r.json"]
        how = more or ["--rate", 0.5, "--images", "copy"]
        return ["prune", annotations or self.annotations, *outputs, *how]

    def train(self, *more, annotations=None):
        model = ["--model", "maskrcnn_resnet18_fpn", "--weights", "none", "--device", "cpu"]
        how = ["--epochs", 2, "--batch-size", 2, "--image-size", 32, "--log", self.log]
        paths = ["--images", self.toy.parent, "-o", self.out / "i.csv"]
        return ["train-score", annotations or self.toy, *paths, *model, *how, *more]

    def clear(self, content=()):
        """Leaves nothing but this in the folder of outputs, and no log."""
        for folder in (self.out, self.log, self.odd):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        self.fill({"more": None, **dict(content)})

    def fill(self, content):
        for name, data in content.items():
            path = self.out / name
            (path if data is None else path.parent).mkdir(parents=True, exist_ok=True)
            if data is not None:
                path.write_bytes(data)

    @cache  # noqa: B019 - there is one of this class
    def case(self, name, overwrite):
        arguments = {"score": self.score, "prune": self.prune, "train-score": self.train}[name]()
        self.clear()
        if overwrite:
            assert self.run(arguments)["status"] == 0
            self.fill({n: b"old" for n, data in read(self.out).items() if data is not None})
            arguments = [*arguments, "--overwrite"]
        before = read(self.out)
        done = self.run(arguments)
        assert done["status"] == 0, done
        return Case(arguments, before, read(self.out), done["steps"])

    def begin(self, name, chance):
        case = self.case(name, name != "train-score" and chance.random() < 0.5)
        self.clear(case.before)
        return case

    def check_inputs(self):
        """The user's own files are as they were."""
        assert [read(source) for source in self.sources] == self.inputs

    def run_again(self, case):
        """The same command ends with all outputs whole, as if nothing had been, and no more."""
        finished = read(self.out).items() >= case.after.items()  # before the kill
        done = self.run(case.arguments)
        assert done["status"] == 0 or (finished and "exists" in done["stderr"]), done
        assert read(self.out) == case.after
        check_nothing_staged(self.log)
        self.check_inputs()

    def kill(self, name, chance):
        case = self.begin(name, chance)
        step = chance.randint(1, case.steps)
        assert self.run(case.arguments, signal.SIGKILL, step)["status"] == -signal.SIGKILL
        left = read(self.out)
        assert all(left[name] in {data, case.after[name]} for name, data in case.before.items())
        if name != "train-score" and chance.random() < 0.5:
            check_refused(self.run([*case.arguments, "--totals", self.odd / "none.json"]))
            assert read(self.out) in (case.before, case.after)
        self.run_again(case)

    def stop(self, name, chance):
        case = self.begin(name, chance)
        number = chance.choice(STOPS)
        stopped = self.run(case.arguments, number, chance.randint(1, case.steps))
        assert stopped["status"] == 128 + number, stopped
        outcome = {
            "tfdp: interrupted, nothing was written\n": case.before,
            "tfdp: interrupted, but all was written\n": case.after,
        }
        assert read(self.out) == outcome[stopped["stderr"]]
        self.check_inputs()

    def fill_disk(self, name, chance):
        """A disk with some room, but less than what is asked for; or else a limit of every file."""
        case = self.begin(name, chance)
        pages = chance.randint(1, count_pages(case.after))
        with mounted(self.out, count_pages(case.before) + pages) as may:
            self.fill(case.before)
            self.run_on_full_disk(case, -1 if may else chance.randrange(PAGE))
        self.clear(case.before)
        self.run_again(case)

    def fill_disk_of_log(self, name, chance):
        """The same training goes on once there is room."""
        case = self.begin(name, chance)
        pages = chance.randint(1, 2**16)  # 256 MB; a checkpoint has 247
        with mounted(self.log, pages) as may:
            self.run_on_full_disk(case, -1 if may else chance.randrange(10**6))
            if may:
                grow = ["mount", "-o", f"remount,size={2**30}", self.log]
                subprocess.run(grow, check=True)
            self.run_again(case)

    def run_on_full_disk(self, case, most_bytes):
        done = self.run(case.arguments, most_bytes=most_bytes)
        assert read(self.out) == (case.before if done["status"] else case.after), done
        check_nothing_staged(self.log)
        if done["status"]:
            check_refused(done)
            assert any(text in done["stderr"] for text in FULL), done

    def write_at_once(self, _name, chance):
        """One command wins whole, and the other is told; or one comes after the other."""
        more = ["--overwrite"] if chance.random() < 0.5 else []
        if chance.random() < 0.5:
            both = [self.score("--rasterizer", name, *more) for name in ("coco", "opencv")]
        else:
            both = [self.prune("--keep", number, *more) for number in (3, 6)]
        results = []
        for arguments in both:
            self.clear()
            assert self.run(arguments)["status"] == 0
            results.append(read(self.out))
        self.clear()
        done = self.run_all(*both)
        now = read(self.out)
        won = [result for one, result in zip(done, results, strict=True) if one["status"] == 0]
        assert now in won, done
        assert len(won) == 1 or more, done
        for one in done:
            if one["status"]:
                check_refused(one)
                assert "another run writes" in one["stderr"] or "exists" in one["stderr"], one

    def train_at_once(self, _name, _chance):
        """In one folder of a log: one trains, and the other is told, or has its tables from it."""
        case = self.case("train-score", False)
        self.clear()
        outputs = [self.out / "a.csv", self.out / "b.csv"]
        done = self.run_all(*([*case.arguments, "-o", path] for path in outputs))
        assert 0 in {one["status"] for one in done}
        for one, path in zip(done, outputs, strict=True):
            if one["status"]:
                check_refused(one)
                assert "another training is writing its log" in one["stderr"]
            assert one["status"] or path.read_bytes() == case.after["i.csv"]
            assert path.exists() == (one["status"] == 0)
        check_nothing_staged(self.out)


def command_rows(commands):
    """(what, names of the trials, function of a name and a random.Random)."""

    def times(number, attempt, name):
        return range(number), lambda _, chance: attempt(name, chance)

    return [
        ("kills of score", *times(18, commands.kill, "score")),
        ("kills of prune --images", *times(18, commands.kill, "prune")),
        ("kills of train-score", *times(10, commands.kill, "train-score")),
        ("Ctrl-C, SIGTERM, SIGHUP of score", *times(10, commands.stop, "score")),
        ("Ctrl-C, SIGTERM, SIGHUP of prune --images", *times(10, commands.stop, "prune")),
        ("full disks of score", *times(10, commands.fill_disk, "score")),
        ("full disks of prune --images", *times(10, commands.fill_disk, "prune")),
        ("full disks of train-score's log", *times(4, commands.fill_disk_of_log, "train-score")),
        ("two at once: one output file", range(6), commands.write_at_once),
        ("two at once: one folder of a log", range(4), commands.train_at_once),
    ]
