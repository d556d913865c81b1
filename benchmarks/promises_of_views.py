"""FiftyOne datasets: calls that are killed, find a disk full, meet damage, or one another."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from functools import cache

import pymongo.monitoring

from tests.views.killing import Killer, serve_calls

pymongo.monitoring.register(Killer())  # counts; before FiftyOne connects

import fiftyone as fo  # noqa: E402

import tfdp  # noqa: E402
from benchmarks.promises_of_commands import (  # noqa: E402
    check_nothing_staged,
    count_pages,
    mounted,
)
from demo.draw import draw_dataset  # noqa: E402
from tests.cli.stopped_commands import read  # noqa: E402
from tests.views import test_bad_labels as bad_labels  # noqa: E402
from tests.views import test_two_at_once as pairs  # noqa: E402
from tests.views.datasets import (  # noqa: E402
    detection,
    import_coco,
    new_datasets,
    sample,
)
from tests.views.test_kills import OPERATIONS  # noqa: E402
from tests.views.whole import check_nothing_is_left, check_whole, look, make  # noqa: E402
from tfdp.views.fiftyone_internals import sample_collection  # noqa: E402
from tfdp.views.mending import mend_runs  # noqa: E402

KINDS_OF_CALLS = {
    "compute_shape_scores": ["score", "score again", "score others into the same fields"],
    "prune_view with overwrite": ["prune with overwrite"],
    "prune_view": ["prune"],
    "deleting runs": ["delete scores", "delete shared scores", "delete a pruned view"],
}
OURS = {"scs", "si_scs", "cb_scs", "cb_only", "in_pruned"}
OTHER_IN_EVERY_DATASET = {"_id", "_dataset_id", "_rand", "created_at"}
EXPORT = "tfdp.export_coco(dataset, {path!r}, {how}, overwrite=True, progress=False)"
WAYS = [  # of an export, and about how many steps on the disk it takes
    ('images="copy"', 45),
    ('images="symlink"', 45),
    ('images="copy", annotations={annotations!r}', 45),
    ("annotations={annotations!r}", 8),
]
MEETINGS = {
    "one key": [
        pairs.test_pruning_under_one_key,
        pairs.test_overwriting_one_key,
        pairs.test_scoring_under_one_key,
    ],
    "two keys": [
        pairs.test_scoring_with_two_prefixes,
        pairs.test_the_second_of_two_keys_gets_fields_of_its_own,
    ],
}


def call(code, dataset):
    exec(code, {"tfdp": tfdp, "dataset": dataset})


def without(names, found):
    """What ``look`` found, without these members of samples and labels."""
    return [
        {
            **{name: value for name, value in document.items() if name not in names},
            "gt": [
                {name: value for name, value in label.items() if name not in names}
                for label in document["gt"]["detections"]
            ],
        }
        for document in found["samples"]
    ]


def look_at_users(dataset):
    """What the user has put there."""
    found = look(dataset)
    return {
        "samples": without(OURS, found),
        "views": [view for view in found["views"] if view[0] == "my view"],
        "indexes": [index for index in found["indexes"] if "scs" not in index],
        "schema": [path for path in found["schema"] if path.rpartition(".")[2] not in OURS],
    }


def look_at_content(dataset):
    """What can be compared between datasets."""
    found = look(dataset)
    views = [view for view in found["views"] if view[0] != "my view"]
    for config, *_ in found["runs"].values():
        config.pop("saved_at", None)
    return {**found, "samples": without(OTHER_IN_EVERY_DATASET, found), "views": views}


def check_full(error):
    assert error.errno == errno.ENOSPC, error


class Views:
    """Calls on small datasets, each made for one trial."""

    def __init__(self, folder, closing):
        self.out = folder / "out"
        self.run_killed = closing.enter_context(serve_calls())
        self.annotations = draw_dataset(folder / "drawn", num_images=12)
        self.inputs = read(folder / "drawn")
        (folder / "masks").mkdir()
        self.labels = bad_labels.DETECTIONS | bad_labels.cases_of_paths(folder / "masks")

    @cache  # noqa: B019 - there is one of this class
    def outcome(self, operation):
        """What a call that nobody kills gives, and how often it writes."""
        before_code, code = OPERATIONS[operation]
        with new_datasets() as make_dataset:
            dataset = make(make_dataset)
            call(before_code, dataset)
            seen = Killer.seen
            call(code, dataset)
            return look_at_content(dataset), Killer.seen - seen

    def kill(self, operations, chance):
        """What is listed is whole at once; soon all is as before, or as the call would have it."""
        operation = chance.choice(operations)
        before_code, code = OPERATIONS[operation]
        after, writes = self.outcome(operation)
        with new_datasets() as make_dataset:
            dataset = make(make_dataset)
            call(before_code, dataset)
            before, users = look(dataset), look_at_users(dataset)
            self.run_killed(dataset, code, chance.randint(1, writes))
            check_whole(dataset)
            assert look_at_users(dataset) == users
            mend_runs(dataset)
            check_nothing_is_left()
            if look(dataset) == before:
                call(code, dataset)
            assert look_at_content(dataset) == after
            check_whole(dataset)
            assert look_at_users(dataset) == users
            check_nothing_is_left()

    @contextmanager
    def exporting(self, chance):
        """A dataset, the code of an export of it, what that writes, and in how many steps."""
        way, steps = chance.choice(WAYS)
        how = way.format(annotations=str(self.annotations))
        code = EXPORT.format(path=str(self.out / "o.json"), how=how)
        dataset = import_coco(self.annotations, self.annotations.parent / "images")
        try:
            dataset.persistent = True  # or the process that is to be killed deletes it
            self.clear()
            call(code, dataset)
            samples = list(sample_collection(dataset).find())
            yield dataset, code, read(self.out), steps
            assert list(sample_collection(dataset).find()) == samples
            assert read(self.annotations.parent) == self.inputs
        finally:
            dataset.delete()

    def clear(self):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)

    def kill_export(self, _name, chance):
        with self.exporting(chance) as (dataset, code, whole, steps):
            self.clear()
            (self.out / "o.json").write_bytes(b"old")
            self.run_killed(dataset, code, chance.randint(1, steps), self.out)
            assert (self.out / "o.json").read_bytes() in {b"old", whole["o.json"]}
            if chance.random() < 0.5:
                self.refuse(code.replace("overwrite=True", "overwrite=False"), dataset)
                assert read(self.out) in ({"o.json": b"old"}, whole)
            call(code, dataset)
            assert read(self.out) == whole

    @staticmethod
    def refuse(code, dataset):
        try:
            call(code, dataset)
        except FileExistsError:
            return
        raise AssertionError("a file was replaced unasked")

    def fill_disk(self, _name, chance):
        with self.exporting(chance) as (dataset, code, whole, _):
            self.clear()
            with mounted(self.out, 1 + chance.randint(1, count_pages(whole))) as may:
                assert may, "this user may not mount a small disk, and so can't try this"
                (self.out / "o.json").write_bytes(b"old")
                try:
                    call(code, dataset)
                except OSError as error:
                    check_full(error)
                    assert read(self.out) == {"o.json": b"old"}
                else:
                    assert read(self.out) == whole
                check_nothing_staged(self.out)

    @staticmethod
    def meet(tests, chance):
        """Two processes call at once on one dataset, as a test has it."""
        with new_datasets() as make_dataset:
            chance.choice(tests)(pairs.make_many(make_dataset))
        check_nothing_is_left()

    def damage(self, kind, _chance):
        """A label or sample is done, or skipped for its reason, and a good one is done, too."""
        labels = {name: self.labels[name] for name in {kind} & set(self.labels)}
        samples = {name: bad_labels.SAMPLES[name] for name in {kind} & set(bad_labels.SAMPLES)}
        good = sample("good", [detection("a", bad_labels.SQUARE)])
        self.clear()
        with new_datasets() as make_dataset:
            dataset = make_dataset([good])
            cases = bad_labels.Cases(dataset, labels, samples)
            ends = [cases.score(), cases.export(self.out), cases.train()]
            ways = [bad_labels.SCORE, bad_labels.EXPORT, bad_labels.TRAIN]
            assert ends == [bad_labels.expected_of(labels | samples, way) for way in ways]
            scored = sample_collection(dataset).find_one({"filepath": "/images/good.png"})
            assert scored["gt"]["detections"][0]["scs"] > 0

    def damage_polyline(self, kind, _chance):
        labels = {name: bad_labels.POLYLINES[name] for name in [kind]}
        good = sample("good", [bad_labels.make_polyline()], fo.Polylines)
        self.clear()
        with new_datasets() as make_dataset:
            cases = bad_labels.Cases(make_dataset([good]), labels, {})
            ends = [cases.score(), cases.export(self.out)]
            ways = [bad_labels.SCORE, bad_labels.EXPORT]
            assert ends == [bad_labels.expected_of(labels, way) for way in ways]


def view_rows(views):
    """(what, names of the trials, function of a name and a random.Random)."""

    def times(number, attempt, what):
        return range(number), lambda _, chance: attempt(what, chance)

    kinds = {**views.labels, **bad_labels.SAMPLES}
    return [
        *(
            (f"kills of {name}", *times(12, views.kill, operations))
            for name, operations in KINDS_OF_CALLS.items()
        ),
        ("kills of export_coco", range(10), views.kill_export),
        ("full disks of export_coco", range(6), views.fill_disk),
        *(
            (f"two at once: {name}", *times(5, views.meet, tests))
            for name, tests in MEETINGS.items()
        ),
        ("damaged detections, masks, mask files, samples", kinds, views.damage),
        ("damaged polylines", bad_labels.POLYLINES, views.damage_polyline),
    ]
