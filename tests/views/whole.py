"""A dataset with things of the user's own, and whether it is whole."""

import re

import fiftyone.core.odm as foo

from tests.views.datasets import detection, rectangle, sample


def make(make_dataset):
    """Four samples with things of the user's own: fields, a view, a group, attributes of labels."""
    cat, dog = detection("cat", rectangle(3, 7), note="mine"), detection("dog", rectangle(5, 5))
    dataset = make_dataset(
        [sample(str(k), [cat.copy(), dog.copy()][: k % 3], u=float(k)) for k in range(4)]
    )
    dataset.persistent = True
    dataset.save_view("my view", dataset.limit(1))
    return dataset


def read_stages(document):
    return None if document.view_stages is None else [*document.view_stages]


def look(dataset):
    """All that a dataset is, but for ids and times; a run of the same key is the same thing."""
    samples = [*dataset._sample_collection.find({}, {"last_modified_at": 0})]
    for document in samples:  # a declared field without a value, or with None: FiftyOne says None
        for path in set(dataset.get_field_schema()) - set(document):
            document[path] = None
        for label in document["gt"]["detections"]:
            for name in ("scs", "si_scs", "cb_scs", "cb_only"):
                label.setdefault(name, None)
    stored = foo.get_db_conn().datasets.find_one({"_id": dataset._doc.id})
    return {
        "samples": samples,
        "schema": sorted(dataset.get_field_schema(flat=True)),
        "views": [(v.name, v.description, v.view_stages) for v in dataset._doc.get_saved_views()],
        "runs": {
            key: (
                {**document.config},
                read_stages(document),
                dataset.load_brain_results(key).counts,
            )
            for key, document in dataset._doc.brain_methods.items()
        },
        "indexes": sorted(dataset.list_indexes()),
        "groups": stored["app_config"].get("sidebar_groups"),
    }


def check_whole(dataset):
    """What is listed has its results, its fields with their values, and its saved view."""
    for key in dataset.list_brain_runs():
        config, results = dataset.get_brain_info(key).config, dataset.load_brain_results(key)
        view = dataset.load_brain_view(key)
        assert results is not None
        assert all(dataset.get_field(path) is not None for path in config.fields)
        if config.method == "pruned_view":
            assert view.count_values(config.keep_field)[True] == results.counts["kept_images"]
            assert len(dataset.load_saved_view(key)) == results.counts["kept_images"]
        else:
            assert view.count("scs") == results.counts["scored_samples"]
            assert view.count("gt.detections.scs") == results.counts["instances"]

    described = re.compile(r"tfdp: (\d+) of \d+ images kept")
    for name in dataset.list_saved_views():
        ours = described.match(dataset.get_saved_view_info(name)["description"] or "")
        if ours is not None:  # listed without its run, perhaps
            assert len(dataset.load_saved_view(name)) == int(ours[1])


def find_strays():
    """Backups, notes, and documents of runs and views that no dataset lists."""
    database = foo.get_db_conn()
    datasets = list(database.datasets.find())
    listed = {run_id for d in datasets for run_id in d["brain_methods"].values()}
    saved = {view_id for d in datasets for view_id in d["saved_views"]}
    results = {document.get("results") for document in database.runs.find()}
    return {
        *(name for name in database.list_collection_names() if name.startswith("tfdp_backup")),
        *(note["_id"] for note in database["tfdp_changes"].find()),
        *({document["_id"] for document in database.runs.find()} - listed),
        *({file["_id"] for file in database["fs.files"].find()} - results),
        *({document["_id"] for document in database.views.find()} - saved),
    }


def check_nothing_is_left(before=frozenset()):
    """There is nothing astray but what was before."""
    assert find_strays() <= before
