"""Damaged files: refused in one line, or passed over entry by entry; nothing is lost by them."""

from __future__ import annotations

import csv
import json
import shutil

from benchmarks.promises_of_commands import check_refused
from tests.cli import test_compare as test_compare_cli
from tests.cli import test_refused
from tests.cli.stopped_commands import read
from tests.models import test_damaged_log as bad_log
from tests.sources import test_coco_bad_input as bad_coco
from tests.sources import test_coco_memory as memory
from tests.sources.conftest import make_document

NOTHING = {"more": None}
NOISE = b'0123456789-.eE"[]{},:n \\\xff\x00'
ENTRIES = {
    **{f"segmentation: {name}": case for name, case in bad_coco.BAD_SEGMENTATIONS.items()},
    **{f"annotation: {name}": case for name, case in bad_coco.BAD_ANNOTATIONS.items()},
}
LOGS = {
    f"{damage.__name__} {name}": (name, damage)
    for names, damages in [
        (["run.json", "seconds.json"], bad_log.JSON),
        (["rows.json"], [*bad_log.JSON, bad_log.odd_rows, bad_log.fewer_rows, bad_log.remove]),
        (
            ["targets.parquet", "epoch_0002.parquet", "epoch_0004.parquet"],
            [*bad_log.ARRAY, bad_log.remove],
        ),
        (["checkpoint.pt"], [bad_log.cut, bad_log.empty, bad_log.garble, bad_log.odd_optimizer]),
    ]
    for name in names
    for damage in damages
}


def check_remedy(said, name):
    """It names the file, and says what helps."""
    remedies = ("delete", "Delete", "choose another", "start the same training again")
    assert name in said, said
    assert any(remedy in said for remedy in remedies), said


class Damage:
    """Damaged files for commands."""

    def __init__(self, commands):
        self.commands, self.out, self.odd = commands, commands.out, commands.odd
        self.path = self.out.parent / "damaged.json"

    def refuse(self, arguments):
        """In one line, and nothing is written."""
        self.commands.clear()
        check_refused(self.commands.run(arguments))
        assert read(self.out) == NOTHING

    def coco_file(self, kind, _chance):
        content, _ = bad_coco.DAMAGED_FILES[kind]
        self.path.write_bytes(content)
        for command in (self.commands.score, self.commands.prune, self.commands.train):
            self.refuse(command(annotations=self.path))
        assert self.path.read_bytes() == content

    def coco_entry(self, kind, _chance):
        """It is listed with its id and its reason, and all others are scored, and kept."""
        case, document = ENTRIES[kind], make_document()
        if len(case) == 2:
            bad, listed, reason = {**bad_coco.BAD_ENTRY, "segmentation": case[0]}, 99, case[1]
        else:
            bad = bad_coco.change_entry(document["annotations"][0], case[0])
            _, listed, reason = case
        document["annotations"].insert(1, bad)
        self.path.write_text(bad_coco.dump(document))
        self.commands.clear()
        for command in (
            self.commands.score(annotations=self.path),
            self.commands.prune("--rate", 0, annotations=self.path),
        ):
            done = self.commands.run(command)
            assert done["status"] == 0, done
        skipped = {tuple(row.values())[:3] for row in self.read_table("s.csv")}
        crowd = ("annotation", "4", "crowd")
        assert skipped == {("annotation", "" if listed is None else str(listed), reason), crowd}
        scored = [int(row["annotation_id"]) for row in self.read_table("n.csv")]
        assert scored == bad_coco.GOOD_IDS
        kept = json.loads((self.out / "p.json").read_bytes())["annotations"]
        assert all(entry in kept for entry in make_document()["annotations"])

    def read_table(self, name):
        with (self.out / name).open(newline="") as file:
            return list(csv.DictReader(file))

    def at_random(self, _name, chance):
        """Done, or refused in one line with nothing written."""
        data = bytearray(self.commands.annotations.read_bytes())
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(data))
            stop = min(len(data), start + chance.choice([1, 1, 2, 50]))
            noise = bytes(chance.choices(NOISE, k=stop - start))
            data[start:stop] = chance.choice([noise, b"", data[start:stop] * 2])
        self.path.write_bytes(
            data[: chance.choice([len(data)] * 4 + [chance.randrange(len(data))])]
        )
        for command in (
            self.commands.score(annotations=self.path),
            self.commands.prune("--rate", 0.5, annotations=self.path),
        ):
            self.commands.clear()
            done = self.commands.run(command)
            if done["status"]:
                check_refused(done)
            assert (read(self.out) == NOTHING) == (done["status"] != 0)

    def totals(self, kind, _chance):
        content = test_refused.BAD_TOTALS[kind]
        self.path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.refuse(self.commands.score("--totals", self.path))

    def table(self, kind, _chance):
        self.commands.clear()
        path = test_compare_cli.write_squares(self.odd / "ann.json")
        arguments = test_compare_cli.WRONG[kind][0](self.odd)
        before = self.read_regular()
        check_refused(self.commands.run(["compare", path, *arguments]))
        assert self.read_regular() == before

    def read_regular(self):
        """The pipes and devices among the damaged tables have no end."""
        paths = [path for path in self.odd.iterdir() if path.is_file()]
        return {path: path.read_bytes() for path in paths}

    def training_log(self, kind, _chance):
        """It is named, with what helps; or its scores are those of an undamaged log."""
        whole, log = self.out.parent / "whole", self.out.parent / "damaged"
        if not whole.exists():
            bad_log.train(whole)
        shutil.rmtree(log, ignore_errors=True)
        shutil.copytree(whole, log)
        name, damage = LOGS[kind]
        damage(log / name)
        for work in (bad_log.scores, bad_log.train, bad_log.scores):
            try:
                found = work(log)
            except ValueError as error:
                check_remedy(str(error), name)
            else:
                assert found in (None, bad_log.scores(whole))
        (log / name).unlink(missing_ok=True)

    def ask_for_memory(self, kind, _chance):
        check = memory.test_memory_is_bounded_and_the_rest_is_scored
        self.commands.clear()
        check(self.odd, *memory.HOSTILE[kind])


def damage_rows(damage):
    """(what, names of the trials, function of a name and a random.Random)."""
    return [
        ("damaged COCO files: score, prune, train-score", bad_coco.DAMAGED_FILES, damage.coco_file),
        ("damaged entries of COCO files", ENTRIES, damage.coco_entry),
        ("COCO files damaged at random", range(100), damage.at_random),
        ("COCO files that ask for memory", memory.HOSTILE, damage.ask_for_memory),
        ("damaged totals", test_refused.BAD_TOTALS, damage.totals),
        ("damaged tables, and bad calls of compare", test_compare_cli.WRONG, damage.table),
        ("damaged training logs", LOGS, damage.training_log),
    ]
